"""The node's SQLite files: made by a schema, of one layout, open in one process at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from consortium.files import make_private
from ledger.database import DatabaseDamaged, Remedies, connect, database_errors

_BUSY_TIMEOUT_S = 1.0

REMEDIES = Remedies("restore it from the backup", in_use="node: stop that one first", full="send again")


class Durability(StrEnum):
    """The commits that a power failure may undo (SQLite, PRAGMA synchronous). A killed process never loses a commit."""

    # None: every commit is on the disk.
    FULL = "FULL"
    # The newest ones: for databases that can be built again.
    NORMAL = "NORMAL"


def open_database(
    path: Path, schema: str, *, version: int, durability: Durability, remedies: Remedies = REMEDIES
) -> sqlite3.Connection:
    """The database in `path`, made by `schema` if it is new; in autocommit mode, locked for others while it is open.

    Raises DatabaseInUse, DatabaseDamaged or DiskFull.
    """
    with database_errors(path, remedies):
        # SQLite itself reports why it cannot open the file.
        with suppress(OSError):
            make_private(path)
        settings = f"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = {durability};"
        connection = connect(path, settings, _BUSY_TIMEOUT_S)
        connection.row_factory = sqlite3.Row
        try:
            _prepare(connection, schema, version)
            _check_version(connection, path, version, remedies)
        except BaseException:
            connection.close()
            raise
    return connection


def remove_other_layout(path: Path, version: int, remedies: Remedies) -> None:
    """Removes a database that another version of the node made. It must be one that can be built again.

    Raises DatabaseInUse, DatabaseDamaged.
    """
    if not path.exists() or not path.stat().st_size:
        return
    with database_errors(path, remedies), closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S)) as connection:
        [found] = connection.execute("PRAGMA user_version").fetchone()
    if found not in (0, version):
        for part in ("", "-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, remedies: Remedies = REMEDIES) -> Iterator[None]:
    """A context that runs all statements or none. Raises DatabaseInUse, DatabaseDamaged or DiskFull."""
    with database_errors(path, remedies):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _prepare(connection: sqlite3.Connection, schema: str, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in filter(str.strip, schema.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version:d}")
    connection.execute("COMMIT")


def _check_version(connection: sqlite3.Connection, path: Path, version: int, remedies: Remedies) -> None:
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if found != version:
        raise DatabaseDamaged(
            f"{path} has layout {found}, this node needs {version}: use the version that made it, or {remedies.damaged}"
        )
