"""Processes of this machine. They outlive the command that starts them; a note beside each log has the process id."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from consortium.files import replace_private
from network.errors import CannotStart
from network.running.process import (
    FabricProcess,
    Running,
)

STOP_TIMEOUT_S = 20
POLL_S = 0.05
# Two readings of a process's start may differ by a clock tick.
_SAME_START_S = 1.0


class NativeRuntime:
    """The runtime of this machine; `programs` has the paths of "peer" and "orderer"."""

    def __init__(self, programs: Mapping[str, Path]) -> None:
        self._programs = programs

    def start(self, process: FabricProcess) -> None:
        """Starts the process; one that runs with other arguments is ended first. Raises CannotStart."""
        if self._find(process):
            if _read_note(process)["arguments"] == list(process.arguments):
                return
            self.stop(process)
        program = str(self._programs.get(process.program, process.program))
        try:
            pid = _spawn(program, process)
        except OSError as error:
            raise CannotStart(f"{process.name} cannot be started: {program}: {error.strerror}") from error
        with contextlib.suppress(psutil.NoSuchProcess):
            _write_note(process, psutil.Process(pid))

    def stop(self, process: FabricProcess) -> None:
        found = self._find(process)
        if found:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.terminate()
                _wait_or_kill(found)
        _note_path(process).unlink(missing_ok=True)

    def running(self, process: FabricProcess) -> Running | None:
        found = self._find(process)
        if found is None:
            return None
        try:
            return Running(found.pid, found.memory_info().rss, int(found.create_time()))
        except psutil.NoSuchProcess:
            return None

    def _find(self, process: FabricProcess) -> psutil.Process | None:
        """The process that was started, if it runs; not another process that has its id by now."""
        try:
            noted = _read_note(process)
            found = psutil.Process(noted["pid"])
            is_same = abs(found.create_time() - noted["started_s"]) < _SAME_START_S
            return found if is_same and not _has_ended(found) else None
        except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
            return None


def _spawn(program: str, process: FabricProcess) -> int:
    """Starts the process in a session of its own, so that Ctrl-C does not reach it; returns its process id."""
    log = process.log_path
    output = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    environment = {**_own_environment(), **process.environment}
    return os.posix_spawn(program, [program, *process.arguments], environment, file_actions=output, setsid=True)


def _own_environment() -> dict[str, str]:
    """This process's environment without variables that override core.yaml and orderer.yaml, and without web proxies.

    Many users have such variables for another network's tools.
    """
    return {
        name: value
        for name, value in os.environ.items()
        # Peers and orderers reach each other directly, whatever web proxy the environment names.
        if not name.startswith(("CORE_", "ORDERER_", "FABRIC_")) and not name.lower().endswith("_proxy")
    }


def _has_ended(found: psutil.Process) -> bool:
    """Whether the process has ended. A child stays in the process table until waitpid, so it is waited for here.

    Its status is zombie before its last thread has ended, so for a child that is not enough.
    """
    try:
        return os.waitpid(found.pid, os.WNOHANG)[0] == found.pid
    except ChildProcessError:
        return bool(found.status() == psutil.STATUS_ZOMBIE)


def _wait_or_kill(found: psutil.Process) -> None:
    end_s = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < end_s:
        if _has_ended(found):
            return
        time.sleep(POLL_S)
    found.kill()
    found.wait(STOP_TIMEOUT_S)


def _write_note(process: FabricProcess, started: psutil.Process) -> None:
    note = {"pid": started.pid, "started_s": started.create_time(), "arguments": process.arguments}
    replace_private(_note_path(process), json.dumps(note).encode())


def _read_note(process: FabricProcess) -> dict[str, Any]:
    """The note about a process that was started. Raises FileNotFoundError, ValueError."""
    return dict(json.loads(_note_path(process).read_bytes()))


def _note_path(process: FabricProcess) -> Path:
    return process.folder / "process.json"
