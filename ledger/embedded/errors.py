"""The errors of an embedded ledger's folder. Each message says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import LedgerError


class StorageError(LedgerError):
    """The ledger's files cannot be used."""


class FolderInUse(StorageError):
    """Another process has the ledger open."""


class NoLedger(StorageError):
    """The folder holds no ledger."""


class LedgerExists(StorageError):
    """The folder holds a ledger already."""


class DatabaseDamaged(StorageError):
    """A file was truncated, overwritten, or taken from another backup than the others."""


class DatabaseLocked(StorageError):
    """Another program keeps a file locked."""


class DiskFull(StorageError):
    """The disk has no room for the next block; the ledger keeps its last one."""


class LedgerStopped(StorageError):
    """An unforeseen error stopped the ledger while it made a block; it keeps its last one."""


class UnknownPeer(StorageError):
    """A peer's identity is not a member's, or a member's peer is missing."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors about the file into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error


def explain(error: sqlite3.Error, path: Path) -> StorageError:
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return DiskFull(f"cannot write {path} ({text}): make room on the disk, then start the ledger again")
    if "locked" in text or "busy" in text:
        return DatabaseLocked(f"{path} is locked by another program: close it, then start the ledger again")
    return DatabaseDamaged(f"{path} is damaged ({text}): restore the whole folder from a backup")
