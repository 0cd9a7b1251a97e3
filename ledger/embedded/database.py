"""One SQLite file: opened durably, checked, written in whole transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from consortium.files import make_private
from ledger.embedded.errors import (
    DatabaseDamaged,
    NoLedger,
    explain,
    explained,
)

Row = tuple[Any, ...]

SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 4000;
"""


class Database:
    """An SQLite file with two connections, so that reads see the last commit while the next transaction is written."""

    def __init__(self, path: Path) -> None:
        """Opens an existing file and checks it. Raises NoLedger, DatabaseDamaged, DatabaseLocked."""
        if not path.is_file():
            raise NoLedger(f"{path} is missing: restore the folder from a backup, or create a new ledger elsewhere")
        self.path = path
        with explained(path), ExitStack() as opened:
            self._writer = opened.enter_context(closing(connect(path)))
            check(self._writer, path)
            self._reader = opened.enter_context(closing(connect(path)))
            self._connections = opened.pop_all()

    @classmethod
    def create(cls, path: Path, schema: str, page_bytes: int = 4096) -> Database:
        """Makes a new file with these tables and opens it."""
        with explained(path):
            make_private(path)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.executescript(f"PRAGMA page_size = {page_bytes}; {SETTINGS} BEGIN; {schema} COMMIT;")
            connection.close()
        return cls(path)

    def one(self, query: str, arguments: Sequence[object] = ()) -> Row | None:
        try:
            row: Row | None = self._reader.execute(query, arguments).fetchone()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        return row

    def all(self, query: str, arguments: Sequence[object] = ()) -> list[Row]:
        with explained(self.path):
            return self._reader.execute(query, arguments).fetchall()

    def write(self, statements: Iterable[tuple[str, Iterable[Sequence[object]]]]) -> None:
        """Runs statements with their rows; they are durable after `commit`, and undone if one of them fails."""
        with explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in statements:
                    self._writer.executemany(statement, rows)
            except sqlite3.Error:
                self.rollback()
                raise

    def commit(self) -> None:
        """Returns when the transaction is on the disk. Raises DiskFull, and then leaves nothing half-written."""
        with explained(self.path):
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
        raise DatabaseDamaged(f"{path} is damaged ({reason}): restore the whole folder from a backup")


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5, cached_statements=64)
    try:
        connection.executescript(SETTINGS)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
