"""One SQLite file: opened durably, checked, written in whole transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from consortium.files import make_private
from ledger.database import DatabaseDamaged, Remedies, connect, database_errors, storage_error
from ledger.embedded.errors import NoLedger

Row = tuple[Any, ...]

_BUSY_TIMEOUT_S = 5.0

_REMEDIES = Remedies(
    "restore the whole folder from a backup",
    in_use="program: close it, then start the ledger again",
    full="start the ledger again",
)

SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 4000;
"""


class Database:
    """An SQLite file with two connections, so that reads see the last commit while the next transaction is written."""

    def __init__(self, path: Path) -> None:
        """Opens an existing file and checks it. Raises NoLedger, DatabaseDamaged, DatabaseInUse."""
        if not path.is_file():
            raise NoLedger(f"{path} is missing: restore the folder from a backup, or create a new ledger elsewhere")
        self.path = path
        with database_errors(path, _REMEDIES), ExitStack() as opened:
            self._writer = opened.enter_context(closing(connect(path, SETTINGS, _BUSY_TIMEOUT_S)))
            check(self._writer, path)
            self._reader = opened.enter_context(closing(connect(path, SETTINGS, _BUSY_TIMEOUT_S)))
            self._connections = opened.pop_all()

    @classmethod
    def create(cls, path: Path, schema: str, page_bytes: int = 4096) -> Database:
        """Makes a new file with these tables and opens it."""
        with database_errors(path, _REMEDIES):
            make_private(path)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.executescript(f"PRAGMA page_size = {page_bytes}; {SETTINGS} BEGIN; {schema} COMMIT;")
            connection.close()
        return cls(path)

    def one(self, query: str, arguments: Sequence[object] = ()) -> Row | None:
        try:
            row: Row | None = self._reader.execute(query, arguments).fetchone()
        except sqlite3.Error as error:
            raise storage_error(error, self.path, _REMEDIES) from error
        return row

    def all(self, query: str, arguments: Sequence[object] = ()) -> list[Row]:
        with database_errors(self.path, _REMEDIES):
            return self._reader.execute(query, arguments).fetchall()

    def write(self, statements: Iterable[tuple[str, Iterable[Sequence[object]]]]) -> None:
        """Runs statements with their rows; they are durable after `commit`, and undone if one of them fails."""
        with database_errors(self.path, _REMEDIES):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in statements:
                    self._writer.executemany(statement, rows)
            except sqlite3.Error:
                self.rollback()
                raise

    def commit(self) -> None:
        """Returns when the transaction is on the disk. Raises DiskFull, and then leaves nothing half-written."""
        with database_errors(self.path, _REMEDIES):
            try:
                self._writer.execute("COMMIT")
            except sqlite3.Error:
                self.rollback()
                raise

    def rollback(self) -> None:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def close(self) -> None:
        self.rollback()
        self._connections.close()


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Runs SQLite's structural check; without it a truncated file fails only when a missing page is read."""
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if answer != "ok" or not tables:
        reason = "it is empty" if answer == "ok" else answer
        raise DatabaseDamaged(f"{path} is damaged ({reason}): {_REMEDIES.damaged}")
