"""Where a reader of events stopped, so that it goes on right there after a restart: nothing twice, nothing left out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from consortium.files import replace_private
from ledger.gateway.errors import CheckpointDamaged


@dataclass(frozen=True)
class Checkpoint:
    """Go on in this block, after this transaction (from the block's beginning if it is empty).

    Take it from an event that was received: a transaction without an event would never be found again.
    """

    block_number: int
    tx_id: str = ""

    @classmethod
    def after_block(cls, number: int) -> Checkpoint:
        """The whole block has been dealt with."""
        return cls(number + 1)


class Checkpoints(Protocol):
    """Keeps the newest checkpoint of one reader. To be exact, save it together with what the event caused."""

    def load(self) -> Checkpoint | None:
        """None before the first one was saved."""

    def save(self, checkpoint: Checkpoint) -> None: ...


class MemoryCheckpoints:
    """Survives a broken connection, not the process."""

    def __init__(self) -> None:
        self._checkpoint: Checkpoint | None = None

    def load(self) -> Checkpoint | None:
        return self._checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint


class FileCheckpoints:
    """One JSON file, replaced as a whole; on return of `save` it is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Checkpoint | None:
        """Raises CheckpointDamaged."""
        try:
            fields = json.loads(self._path.read_bytes())
            return Checkpoint(int(fields["block_number"]), str(fields["tx_id"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointDamaged(
                f"{self._path} is no checkpoint; remove it to read all events from the beginning."
            ) from error

    def save(self, checkpoint: Checkpoint) -> None:
        """Raises OSError and leaves the old checkpoint."""
        replace_private(self._path, json.dumps(asdict(checkpoint)).encode())
