"""One process of a member: its peer, its orderer or its chaincode; and the runtimes that can run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from consortium.keys.member_material import Endpoint


class ProcessKind(StrEnum):
    """The kinds of process, in the order in which they start."""

    ORDERER = "orderer"
    CHAINCODE = "chaincode"
    PEER = "peer"


@dataclass(frozen=True)
class FabricProcess:
    """A process to run. All of its files are in `folder`, and the runtime's files about it, too.

    `program` is "peer", "orderer" or a path; `reads` are the folders and files outside `folder` that it needs.
    """

    member: str
    kind: ProcessKind
    program: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    reads: tuple[Path, ...]
    listens: tuple[Endpoint, ...]

    @property
    def name(self) -> str:
        """The name on the command line, as in `zunft network restart maker.peer`."""
        return f"{self.member}.{self.kind}"

    @property
    def log_path(self) -> Path:
        return self.folder / "log"


@dataclass(frozen=True)
class Running:
    """A process that is up. `memory_bytes` is resident."""

    pid: int
    memory_bytes: int
    started_at_s: int


class Runtime(Protocol):
    """Starts and ends processes; both can be repeated without harm. Every method raises NetworkError."""

    def start(self, process: FabricProcess) -> None:
        """Starts the process and returns at once; the output goes to the process's log."""

    def stop(self, process: FabricProcess) -> None:
        """Asks the process to end, waits, and then kills it. Afterwards it does not run."""

    def running(self, process: FabricProcess) -> Running | None:
        """The running process; None if it does not run."""
