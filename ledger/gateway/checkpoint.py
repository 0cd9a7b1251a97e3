"""The place where a reader of events stopped: after a restart it goes on there, and reads each event exactly once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from consortium.files import replace_private
from ledger.gateway.errors import CheckpointDamaged


@dataclass(frozen=True)
class Checkpoint:
    """A reader goes on in this block, after this transaction (from the block's beginning if `tx_id` is empty).

    Take it from an event that was received: the reader could never find a transaction without an event again.
    """

    block_number: int
    tx_id: str = ""

    @classmethod
    def after_block(cls, number: int) -> Checkpoint:
        """The checkpoint of a reader that has dealt with the whole block."""
        return cls(number + 1)


class Checkpoints(Protocol):
    """Keeps the newest checkpoint of one reader. To be exact, save it together with what the event caused."""

    def load(self) -> Checkpoint | None:
        """The newest checkpoint; None before the first one was saved."""

    def save(self, checkpoint: Checkpoint) -> None: ...


class MemoryCheckpoints:
    """Keeps the checkpoint in memory: it survives a broken connection, but not the process."""

    def __init__(self) -> None:
        self._checkpoint: Checkpoint | None = None

    def load(self) -> Checkpoint | None:
        return self._checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint


class FileCheckpoints:
    """Keeps the checkpoint in a JSON file that is replaced as a whole; it is on the disk when `save` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Checkpoint | None:
        """The checkpoint in the file; None if there is no file. Raises CheckpointDamaged."""
        try:
            fields = json.loads(self._path.read_bytes())
            return Checkpoint(int(fields["block_number"]), str(fields["tx_id"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointDamaged(
                f"{self._path} is no checkpoint: remove it to read all events from the beginning"
            ) from error

    def save(self, checkpoint: Checkpoint) -> None:
        """Replaces the file. If that fails, raises OSError and leaves the old checkpoint."""
        replace_private(self._path, json.dumps(asdict(checkpoint)).encode())
