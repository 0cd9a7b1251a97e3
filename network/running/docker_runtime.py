"""Peers and orderers in Docker containers of Fabric's official images.

A container has this machine's network, the process's files at their own paths, and the user that starts it. So
configuration, certificates, endpoints and logs are the same as natively. The engine removes a container when its
process has ended.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.types import Mount

from network.errors import (
    CannotStart,
    ContainerNameTaken,
    NoEngine,
    RefusedByEngine,
    RootlessEngine,
)
from network.finding.causes import reason
from network.finding.docker_images import (
    ORDERER_IMAGE,
    PEER_IMAGE,
    Progress,
    ensure_images,
    find_engine,
)
from network.running.process import (
    FabricProcess,
    Running,
)

STOP_TIMEOUT_S = 20

_IMAGE_OF = {"peer": PEER_IMAGE, "orderer": ORDERER_IMAGE}
# How long the engine may take to end a container of which it cannot list the processes any more.
_ENDING_TIMEOUT_S = 2
_HOME_LABEL = "zunft.home"
# The log's path comes first. The program replaces the shell, so that it gets the engine's signals itself.
_ENTRYPOINT = ["/bin/sh", "-c", 'umask 077; exec "$@" >>"$0" 2>&1']


class DockerRuntime:
    """The runtime of the consortium in the folder `home`, on the engine that the `docker` command uses.

    Every method raises NoEngine, EnginePermissionDenied, RefusedByEngine.
    """

    def __init__(self, consortium: str, home: Path) -> None:
        self._home = str(home.resolve())
        self._prefix = _prefix(consortium, self._home)

    def prepare(self, progress: Progress) -> None:
        """Pulls the images that the engine lacks.

        Raises RootlessEngine, ImageNotFound, NoNetwork, NoDiskSpace, PullFailed.
        """
        with _engine("describe itself") as engine:
            if "name=rootless" in (engine.info().get("SecurityOptions") or ()):
                raise RootlessEngine(
                    "a rootless Docker engine cannot give its containers this machine's network: "
                    "use the system's engine (`docker context use default`), or `runtime: native`"
                )
            ensure_images(engine, progress)

    def start(self, process: FabricProcess) -> None:
        """Starts the process; one that runs with other arguments or another image is ended first.

        Raises CannotStart, ContainerNameTaken.
        """
        with _engine(f"start {process.name}") as engine:
            container = self._find(engine, process)
            if container and _is_up(container) and _runs(container, process):
                return
            if container:
                _end(container)
            try:
                self._create(engine, process).start()
            except APIError as error:
                raise self._refused_start(process, error) from error

    def stop(self, process: FabricProcess) -> None:
        with _engine(f"stop {process.name}") as engine:
            container = self._find(engine, process)
            if container:
                _end(container)

    def running(self, process: FabricProcess) -> Running | None:
        with _engine(f"look whether {process.name} runs") as engine:
            container = self._find(engine, process)
            if container is None or not _is_up(container):
                return None
            memory_bytes = _memory_bytes(container)
            if memory_bytes is None:
                return None
            state = container.attrs["State"]
            return Running(state["Pid"], memory_bytes, int(datetime.fromisoformat(state["StartedAt"]).timestamp()))

    def _find(self, engine: docker.DockerClient, process: FabricProcess) -> Container | None:
        """The process's container, if it is the consortium's own and not another of the same name."""
        try:
            container = engine.containers.get(self._name(process))
        except NotFound:
            return None
        return container if container.labels.get(_HOME_LABEL) == self._home else None

    def _create(self, engine: docker.DockerClient, process: FabricProcess) -> Container:
        folder = process.folder.absolute()
        return engine.containers.create(
            _IMAGE_OF[process.program],
            _command(process),
            entrypoint=_ENTRYPOINT,
            name=self._name(process),
            labels={_HOME_LABEL: self._home},
            user=f"{os.getuid()}:{os.getgid()}",
            # An engine may have other user ids than this machine.
            userns_mode="host",
            network_mode="host",
            environment=dict(process.environment),
            use_config_proxy=False,
            mounts=[_mount(folder), *(_mount(path.absolute(), read_only=True) for path in process.reads)],
            auto_remove=True,
        )

    def _name(self, process: FabricProcess) -> str:
        return f"{self._prefix}-{process.name}"

    def _refused_start(self, process: FabricProcess, error: APIError) -> CannotStart | ContainerNameTaken:
        if error.status_code == HTTPStatus.CONFLICT:
            name = self._name(process)
            return ContainerNameTaken(
                f"there is a container {name} that does not belong to {self._home}: "
                f"remove it with `docker rm --force {name}`, or rename it"
            )
        return CannotStart(f"{process.name} cannot be started: {error.explanation or error}")


def _prefix(consortium: str, home: str) -> str:
    """The prefix of container names: the consortium's name, and a digest that differs between folders."""
    words = re.findall("[a-z0-9]+", consortium.lower())
    return "-".join(["zunft", *words, hashlib.sha256(home.encode()).hexdigest()[:8]])


def _command(process: FabricProcess) -> list[str]:
    return [str(process.log_path.absolute()), process.program, *process.arguments]


def _mount(path: Path, *, read_only: bool = False) -> Mount:
    return Mount(str(path), str(path), type="bind", read_only=read_only)


def _is_up(container: Container) -> bool:
    return bool(container.attrs["State"]["Running"])


def _runs(container: Container, process: FabricProcess) -> bool:
    config = container.attrs["Config"]
    return (config["Image"], config["Cmd"]) == (_IMAGE_OF[process.program], _command(process))


def _end(container: Container) -> None:
    """Ends and removes the container; afterwards its name is free."""
    with suppress(NotFound):
        container.stop(timeout=STOP_TIMEOUT_S)
        try:
            container.remove(v=True, force=True)
        except APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise
            # The engine is removing it already.
            container.wait(condition="removed", timeout=STOP_TIMEOUT_S)


def _memory_bytes(container: Container) -> int | None:
    """The memory by the engine's `ps`, as its own statistics take a second; None if the container has ended."""
    try:
        processes = container.top(ps_args="-o pid,rss")["Processes"]
    except APIError:
        if not _ends(container):
            raise
        return None
    return sum(int(kibibytes) * 1024 for _, kibibytes in processes) if processes else None


def _ends(container: Container) -> bool:
    """Whether the container has ended or is ending: meanwhile the engine answers with various errors of its own."""
    try:
        container.wait(timeout=_ENDING_TIMEOUT_S)
    except NotFound:
        return True
    except requests.RequestException:
        return False
    return True


@contextmanager
def _engine(aim: str) -> Iterator[docker.DockerClient]:
    """A client for one call, so that a restart of the engine does no harm; `aim` names the call in errors."""
    with closing(find_engine()) as engine:
        try:
            yield engine
        # An APIError is a RequestException, too.
        except DockerException as error:
            explanation = error.explanation if isinstance(error, APIError) else None
            raise RefusedByEngine(f"the Docker engine could not {aim}: {explanation or error}") from error
        except requests.RequestException as error:
            raise NoEngine(
                f"the Docker engine stopped answering: check that it still runs ({reason(error)})"
            ) from error
