"""The node's SQLite files, with SQLite's errors turned into the node's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from consortium.files import make_private
from node.errors import DatabaseDamaged, DatabaseInUse, DiskFull, NodeError

_BUSY_TIMEOUT_S = 1.0

RESTORE = "restore it from the backup"


class Durability(StrEnum):
    """The commits that a power failure may undo (SQLite, PRAGMA synchronous). A killed process never loses a commit."""

    # None: every commit is on the disk.
    FULL = "FULL"
    # The newest ones: for databases that can be built again.
    NORMAL = "NORMAL"


def open_database(
    path: Path, schema: str, *, version: int, durability: Durability, remedy: str = RESTORE
) -> sqlite3.Connection:
    """The database in `path`, made by `schema` if it is new; in autocommit mode, locked for others while it is open.

    `remedy` says what to do with a damaged one. Raises DatabaseInUse, DatabaseDamaged or DiskFull.
    """
    with database_errors(path, remedy):
        # SQLite itself reports why it cannot open the file.
        with suppress(OSError):
            make_private(path)
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        try:
            _prepare(connection, schema, version, durability)
            _check_version(connection, path, version, remedy)
        except BaseException:
            connection.close()
            raise
    return connection


def remove_other_layout(path: Path, version: int, remedy: str) -> None:
    """Removes a database that another version of the node made. It must be one that can be built again.

    Raises DatabaseInUse, DatabaseDamaged.
    """
    if not path.exists() or not path.stat().st_size:
        return
    with database_errors(path, remedy), closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S)) as connection:
        [found] = connection.execute("PRAGMA user_version").fetchone()
    if found not in (0, version):
        for part in ("", "-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """A context that runs all statements or none. Raises DatabaseInUse, DatabaseDamaged or DiskFull."""
    with database_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def database_errors(path: Path, remedy: str = RESTORE) -> Iterator[None]:
    """A context that turns sqlite3's errors into the node's, with the remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _explain(error, path, remedy) from error


def _explain(error: sqlite3.DatabaseError, path: Path, remedy: str) -> NodeError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseInUse(f"{path} is in use by another node: stop that one first")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return DiskFull(f"{path} cannot be written ({error}): make room on the disk, then send again")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return DatabaseDamaged(f"{path} cannot be opened for writing ({error}): check the folder and its permissions")
    return DatabaseDamaged(f"{path} is damaged ({error}): {remedy}")


def _prepare(connection: sqlite3.Connection, schema: str, version: int, durability: Durability) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {durability}")
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in filter(str.strip, schema.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version:d}")
    connection.execute("COMMIT")


def _check_version(connection: sqlite3.Connection, path: Path, version: int, remedy: str) -> None:
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if found != version:
        raise DatabaseDamaged(
            f"{path} has layout {found}, this node needs {version}: use the version that made it, or {remedy}"
        )
