"""SQLite files of the embedded ledger and of nodes: how they are opened, and SQLite's errors as our own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from consortium.exit_codes import ExitCode
from ledger.errors import LedgerError


class StorageError(LedgerError):
    """A file of the embedded ledger or of a node cannot be used; a node's API answers with `code`."""

    exit_code = ExitCode.MACHINE
    code = grpc.StatusCode.UNAVAILABLE


class DatabaseDamaged(StorageError):
    """A file was truncated, overwritten, or taken from another backup than the others, or it cannot be written."""

    code = grpc.StatusCode.DATA_LOSS


class DatabaseInUse(StorageError):
    """Another process has the file open, or keeps it locked."""


class DiskFull(StorageError):
    """The disk has no room for what is to be written; the file keeps what it has."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


@dataclass(frozen=True, slots=True)
class Remedies:
    """The ends of the errors' messages, for the files of one owner; `in_use` follows "in use by another"."""

    damaged: str
    in_use: str
    full: str


def connect(path: Path, settings: str, timeout_s: float) -> sqlite3.Connection:
    """A connection for any thread, in autocommit mode, after these pragmas; it waits so long for a lock.

    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        connection.executescript(settings)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def database_errors(path: Path, remedies: Remedies) -> Iterator[None]:
    """A context that turns sqlite3's errors about the file into a StorageError with the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(error, path, remedies) from error


def storage_error(error: sqlite3.Error, path: Path, remedies: Remedies) -> StorageError:
    """The error that names the file, SQLite's reason and the remedy."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseInUse(f"{path} is in use by another {remedies.in_use}")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return DiskFull(f"{path} cannot be written ({error}): make room on the disk, then {remedies.full}")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return DatabaseDamaged(f"{path} cannot be opened for writing ({error}): check the folder and its permissions")
    return DatabaseDamaged(f"{path} is damaged ({error}): {remedies.damaged}")
