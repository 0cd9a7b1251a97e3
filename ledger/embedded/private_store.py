"""The file private/<MSP ID>.db with the values of one member's implicit collection, which only that member holds.

Rows are only added, with the number of the block that wrote them, and reach the disk before the channel's block does.
So a crash between the two leaves rows above the channel's height, which `forget_above` removes at the next start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.embedded.database import Database
from ledger.fabric_rules.results import Version

SCHEMA = """
CREATE TABLE writes (
  id INTEGER PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL,
  namespace TEXT NOT NULL, collection TEXT NOT NULL, key TEXT NOT NULL, value BLOB
);
CREATE INDEX writes_by_key ON writes (collection, key, block, position);
CREATE INDEX writes_by_block ON writes (block);
"""

# With large pages, a value takes few of them instead of a long chain of small ones.
PAGE_BYTES = 16_384

INSERT = "INSERT INTO writes (block, position, namespace, collection, key, value) VALUES (?, ?, ?, ?, ?, ?)"
GET = "SELECT value FROM writes WHERE collection = ? AND key = ? AND block = ? AND position = ?"
GET_KEYS = """
SELECT DISTINCT key FROM writes WHERE collection = ? AND key >= ? AND (? = '' OR key < ?) ORDER BY key
"""
GET_BLOCK = """
SELECT position, namespace, collection, key, value FROM writes WHERE block = ? ORDER BY position, collection, key
"""


class StoredWrite(NamedTuple):
    """A private key's new value; None deletes it."""

    position: int
    namespace: str
    collection: str
    key: str
    value: bytes | None


class PrivateStore:
    """One member's file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def create(cls, path: Path) -> PrivateStore:
        return cls(Database.create(path, SCHEMA, PAGE_BYTES))

    @classmethod
    def open(cls, path: Path) -> PrivateStore:
        return cls(Database(path))

    def value(self, collection: str, key: str, version: Version) -> bytes | None:
        """The value that was written at this version; the channel's entry for the key has the current version."""
        row = self._database.one(GET, (collection, key, version.block, version.position))
        return row[0] if row else None

    def keys(self, collection: str, start: str, end: str) -> list[str]:
        return [row[0] for row in self._database.all(GET_KEYS, (collection, start, end, end))]

    def of_block(self, number: int) -> list[StoredWrite]:
        return [StoredWrite(*row) for row in self._database.all(GET_BLOCK, (number,))]

    def newest_block(self) -> int:
        row = self._database.one("SELECT max(block) FROM writes")
        return row[0] if row and row[0] is not None else 0

    def forget_above(self, newest_block: int) -> None:
        if self.newest_block() > newest_block:
            self._database.write([("DELETE FROM writes WHERE block > ?", [(newest_block,)])])
            self._database.commit()

    def write(self, number: int, writes: Iterable[StoredWrite]) -> None:
        rows: Sequence[Sequence[object]] = [(number, *write) for write in writes]
        self._database.write([(INSERT, rows)])

    def commit(self) -> None:
        self._database.commit()

    def rollback(self) -> None:
        self._database.rollback()

    def close(self) -> None:
        self._database.close()
