"""The lock on a meter's folder: one process at a time may use it, and a second one's error names the first."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from node.errors import MeterFolderInUse

_FILE = "owner"
_PID_BYTES = 20


class Ownership:
    """The lock; it lasts as long as this process keeps the object, and ends with the process in any case."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock. Raises MeterFolderInUse, OSError."""
        descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except BlockingIOError:
            owner = os.pread(descriptor, _PID_BYTES, 0).decode(errors="replace")
            os.close(descriptor)
            raise MeterFolderInUse(
                f"process {owner} has the meter in {folder}: wait until it has ended, then try again"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        weakref.finalize(self, os.close, descriptor)


_OWNED: weakref.WeakValueDictionary[Path, Ownership] = weakref.WeakValueDictionary()


def own(folder: Path) -> Ownership:
    """The lock on the folder, which this process has while it keeps the object. Raises MeterFolderInUse, OSError."""
    place = folder.resolve()
    owned = _OWNED.get(place)
    if owned is None:
        owned = _OWNED[place] = Ownership(place)
    return owned
