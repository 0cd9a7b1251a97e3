"""One process of a member: its peer, its orderer or its chaincode; and what can run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from consortium.keys.member_material import Endpoint


class ProcessKind(StrEnum):
    """In the order in which they start."""

    ORDERER = "orderer"
    CHAINCODE = "chaincode"
    PEER = "peer"


@dataclass(frozen=True)
class FabricProcess:
    """What to run. All of its files lie in `folder`, which the runtime keeps its own in, too.

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
        """As in `zunft network restart maker.peer`."""
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
        """Returns at once; the output goes to the process's log."""

    def stop(self, process: FabricProcess) -> None:
        """Asks it to end, waits, and in the end makes it. Afterwards it does not run."""

    def running(self, process: FabricProcess) -> Running | None:
        """None if it does not run."""
