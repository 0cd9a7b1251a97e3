"""Fabric's official Docker images, and the engine that runs them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from network.errors import (
    EnginePermissionDenied,
    ImageNotFound,
    NetworkError,
    NoDiskSpace,
    NoEngine,
    NoNetwork,
    PullFailed,
)
from network.finding.causes import (
    causes,
    reason,
)
from network.finding.release import OFFICIAL

PEER_IMAGE = f"hyperledger/fabric-peer:{OFFICIAL.version}"
ORDERER_IMAGE = f"hyperledger/fabric-orderer:{OFFICIAL.version}"
IMAGES = (PEER_IMAGE, ORDERER_IMAGE)

ENGINE_TIMEOUT_S = 20
# An engine reports many times a second while it pulls.
PULL_SILENCE_S = 120

# It gets the image, its bytes that are here, and all of its bytes that the engine knows of so far.
Progress = Callable[[str, int, int], None]

_NO_SPACE = "no space left on device"
# Phrases with which an engine reports that it cannot reach the registry; there is no code for it.
_NO_NETWORK = (
    "no such host",
    "server misbehaving",
    "connection refused",
    "network is unreachable",
    "no route to host",
    "temporary failure in name resolution",
    "i/o timeout",
    "tls handshake timeout",
    "proxyconnect",
    "context deadline exceeded",
    "client.timeout exceeded",
)
_NOT_FOUND = ("not found", "manifest unknown", "no matching manifest", "pull access denied")


def find_engine() -> docker.DockerClient:
    """A client of the engine that the `docker` command uses (DOCKER_HOST, else the current context); to be closed.

    Raises NoEngine, EnginePermissionDenied.
    """
    try:
        return docker.from_env(timeout=ENGINE_TIMEOUT_S)
    except (DockerException, requests.RequestException) as error:
        if any(isinstance(cause, PermissionError) for cause in causes(error)):
            raise EnginePermissionDenied(
                "this user may not use the Docker engine: `sudo usermod -aG docker $USER`, then log in again"
            ) from error
        raise NoEngine(
            "no Docker engine answers: start Docker Desktop, or on Linux `sudo systemctl start docker`, "
            f"and check DOCKER_HOST if it is set ({reason(error)})"
        ) from error


def ensure_images(engine: docker.DockerClient, progress: Progress, images: tuple[str, ...] = IMAGES) -> None:
    """Pulls the images that the engine lacks. Raises ImageNotFound, NoNetwork, NoDiskSpace, PullFailed, NoEngine."""
    try:
        for image in images:
            if not _has(engine, image):
                _pull(engine, image, progress)
    except requests.RequestException as error:
        raise NoEngine(f"the Docker engine stopped answering: check that it still runs ({reason(error)})") from error


def _has(engine: docker.DockerClient, image: str) -> bool:
    try:
        engine.images.get(image)
    except NotFound:
        return False
    except APIError as error:
        raise PullFailed(f"the Docker engine cannot look for {image}: {error.explanation or error}") from error
    return True


def _pull(engine: docker.DockerClient, image: str, progress: Progress) -> None:
    done_bytes: dict[str, int] = {}
    total_bytes: dict[str, int] = {}
    try:
        for report in _reports(engine, image):
            if "error" in report:
                raise _pull_error(image, report["error"])
            detail = report.get("progressDetail") or {}
            if report.get("status") == "Downloading" and "total" in detail:
                done_bytes[report["id"]] = detail["current"]
                total_bytes[report["id"]] = detail["total"]
                progress(image, sum(done_bytes.values()), sum(total_bytes.values()))
    except APIError as error:
        raise _pull_error(image, str(error.explanation or error)) from error


def _reports(engine: docker.DockerClient, image: str) -> Iterator[dict[str, Any]]:
    """The engine's reports while it pulls. The library waits for them without a limit, so a thread does the waiting."""
    reports: queue.Queue[dict[str, Any] | Exception | None] = queue.Queue()

    def read() -> None:
        try:
            for report in engine.api.pull(image, stream=True, decode=True):
                reports.put(report)
            reports.put(None)
        except Exception as error:  # the waiting thread raises it
            reports.put(error)

    threading.Thread(target=read, name=f"pull {image}", daemon=True).start()
    while True:
        try:
            report = reports.get(timeout=PULL_SILENCE_S)
        except queue.Empty:
            raise PullFailed(
                f"the Docker engine has said nothing about {image} for {PULL_SILENCE_S} s: try `docker pull {image}`"
            ) from None
        if report is None:
            return
        if isinstance(report, Exception):
            raise report
        yield report


def _pull_error(image: str, answer: str) -> NetworkError:
    words = answer.lower()
    if _NO_SPACE in words:
        return NoDiskSpace(f"there is no room for {image}: `docker system df` shows what takes it")
    if any(phrase in words for phrase in _NO_NETWORK):
        return NoNetwork(f"{image} cannot be pulled without the network: check it and the engine's proxy ({answer})")
    if any(phrase in words for phrase in _NOT_FOUND):
        return ImageNotFound(f"the registry has no {image} for this machine: check the engine's mirror ({answer})")
    return PullFailed(f"{image} could not be pulled: {answer}")
