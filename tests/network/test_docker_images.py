"""Images are pulled by a real engine from a real registry. Only an engine in trouble is simulated."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest

from network import errors
from network.finding import docker_images
from network.finding.docker_images import (
    ensure_images,
    find_engine,
)
from tests.network.engine import machine_engine
from tests.network.registry import Registry

POLL_S = 0.05

# --- a real engine --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    client = machine_engine()
    if client is None:
        pytest.skip("needs a Docker engine")
    with client.api:
        yield client


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def no_progress(image: str, done_bytes: int, total_bytes: int) -> None:
    """Reports nothing."""


def test_a_missing_image_is_pulled_once(engine: docker.DockerClient, registry: Registry) -> None:
    seen: list[tuple[str, int, int]] = []
    try:
        ensure_images(engine, lambda *report: seen.append(report), (registry.image,))
        assert engine.images.get(registry.image).attrs["Os"] == "linux"

        assert seen
        assert all(image == registry.image and 0 < done <= total for image, done, total in seen)

        seen.clear()
        ensure_images(engine, lambda *report: seen.append(report), (registry.image,))
        assert not seen
    finally:
        engine.images.remove(registry.image)


def test_an_image_that_the_registry_lacks_is_named(engine: docker.DockerClient, registry: Registry) -> None:
    missing = registry.image.replace("peer:1", "peer:2")

    with pytest.raises(errors.ImageNotFound, match=f"the registry has no {missing} for this machine"):
        ensure_images(engine, no_progress, (missing,))


def test_a_registry_that_does_not_answer_is_no_network(engine: docker.DockerClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        image = f"127.0.0.1:{unused.getsockname()[1]}/zunft-test/peer:1"

    with pytest.raises(errors.NoNetwork, match=f"{image} cannot be pulled without the network"):
        ensure_images(engine, no_progress, (image,))


# --- no engine, or one in trouble -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1", "nonsense://"])
def test_the_error_without_an_engine_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)

    with pytest.raises(errors.NoEngine, match=r"^no Docker engine answers: .*`sudo systemctl start docker`") as refused:
        find_engine()

    assert "\n" not in str(refused.value)
    # The library forgets to close a socket that it could not connect. Closed here, it causes no warning later.
    del refused
    gc.collect()


AS_NOBODY = """
import os
import sys

from network.finding.docker_images import find_engine
from network.errors import EnginePermissionDenied

if os.geteuid() == 0:
    os.setuid(65534)
try:
    find_engine()
except EnginePermissionDenied as refusal:
    sys.exit(f"refused: {refusal}")
"""


def test_a_user_outside_the_group_docker_gets_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        path.chmod(0)
        for folder in path.parents[:3]:
            folder.chmod(0o755)
        environment = {**os.environ, "DOCKER_HOST": f"unix://{path}", "PYTHONPATH": str(Path(__file__).parents[2])}
        outcome = subprocess.run(
            [sys.executable, "-c", AS_NOBODY], env=environment, capture_output=True, text=True, check=False
        )

    assert outcome.stderr.startswith(
        "refused: this user may not use the Docker engine: `sudo usermod -aG docker $USER`"
    )


class Engine(ThreadingHTTPServer):
    """An engine without images. It answers a pull with the line `answer`, or not at all if that is None."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EngineHandler)
        self.answer: str | None = None
        self.closing = threading.Event()


class EngineHandler(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        if self.path == "/version":
            self._answer(200, '{"ApiVersion": "1.41"}')
        else:
            self._answer(404, '{"message": "No such image"}')

    def do_POST(self) -> None:
        if self.server.answer is None:
            self.server.closing.wait()
        else:
            self._answer(200, self.server.answer)

    def _answer(self, status: int, content: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Logs nothing, as tests look at the error."""


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with Engine() as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("write /var/lib/docker/tmp/x: no space left on device", errors.NoDiskSpace),
        ("Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host", errors.NoNetwork),
        ("no matching manifest for linux/riscv64 in the manifest list entries", errors.ImageNotFound),
        ("toomanyrequests: You have reached your pull rate limit", errors.PullFailed),
    ],
)
def test_the_reason_why_an_engine_cannot_pull_decides_the_error(
    troubled: Engine, message: str, refusal: type[errors.NetworkError]
) -> None:
    troubled.answer = f'{{"errorDetail": {{"message": "{message}"}}, "error": "{message}"}}'

    engine = find_engine()

    with engine.api, pytest.raises(refusal, match=docker_images.PEER_IMAGE):
        ensure_images(engine, no_progress)


@pytest.mark.usefixtures("troubled")
def test_an_engine_that_does_not_answer_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_images, "PULL_SILENCE_S", 0.3)
    engine = find_engine()

    with engine.api, pytest.raises(errors.PullFailed, match=r"has said nothing about .* for 0.3 s"):
        ensure_images(engine, no_progress)
