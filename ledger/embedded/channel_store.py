"""The file channel.db with the data that all members share: blocks, state, hashes of private values, transactions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fabric_protos.common import common_pb2

from consortium.channel.block_hash import header_hash
from ledger.database import DatabaseDamaged
from ledger.embedded.database import Database
from ledger.embedded.state import ALL
from ledger.embedded.updates import Updates
from ledger.embedded.validator import TransactionVerdict
from ledger.fabric_rules.results import Version, VersionedValue

SCHEMA = """
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, block BLOB NOT NULL);
CREATE TABLE transactions (
  tx_id TEXT PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL, code INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE state (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, policy BLOB
) WITHOUT ROWID;
CREATE TABLE private_hashes (
  collection TEXT NOT NULL, key_hash BLOB NOT NULL, value BLOB NOT NULL,
  block INTEGER NOT NULL, position INTEGER NOT NULL, policy BLOB,
  PRIMARY KEY (collection, key_hash)
) WITHOUT ROWID;
"""

INSERT_BLOCK = "INSERT INTO blocks VALUES (?, ?, ?)"
INSERT_TRANSACTION = "INSERT OR IGNORE INTO transactions VALUES (?, ?, ?, ?)"
PUT_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)"
DELETE_STATE = "DELETE FROM state WHERE key = ?"
PUT_HASH = "INSERT OR REPLACE INTO private_hashes VALUES (?, ?, ?, ?, ?, ?)"
DELETE_HASH = "DELETE FROM private_hashes WHERE collection = ? AND key_hash = ?"
GET_STATE = "SELECT value, block, position, policy FROM state WHERE key = ?"
GET_HASH = "SELECT value, block, position, policy FROM private_hashes WHERE collection = ? AND key_hash = ?"
GET_RANGE = (
    "SELECT key, value, block, position, policy FROM state WHERE key >= ? AND (? = '' OR key < ?) ORDER BY key LIMIT ?"
)


class ChannelStore:
    """The channel's file. Each block is written in one SQLite transaction: as a whole or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        newest = database.one("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1")
        if newest is None:
            raise DatabaseDamaged(
                f"{database.path} has no genesis block: delete the folder and create the ledger again"
            )
        self.height: int = newest[0] + 1
        self.last_hash: bytes = newest[1]

    @classmethod
    def create(cls, path: Path, genesis: common_pb2.Block) -> ChannelStore:
        database = Database.create(path, SCHEMA)
        database.write([(INSERT_BLOCK, [(0, header_hash(genesis.header), genesis.SerializeToString())])])
        database.commit()
        return cls(database)

    @classmethod
    def open(cls, path: Path) -> ChannelStore:
        return cls(Database(path))

    def get(self, key: str) -> VersionedValue | None:
        row = self._database.one(GET_STATE, (key,))
        return VersionedValue(row[0], Version(row[1], row[2]), row[3]) if row else None

    def range(self, start: str, end: str, count: int = ALL) -> list[tuple[str, VersionedValue]]:
        rows = self._database.all(GET_RANGE, (start, end, end, count))
        return [(row[0], VersionedValue(row[1], Version(row[2], row[3]), row[4])) for row in rows]

    def private_hash(self, collection: str, key_hash: bytes) -> VersionedValue | None:
        row = self._database.one(GET_HASH, (collection, key_hash))
        return VersionedValue(row[0], Version(row[1], row[2]), row[3]) if row else None

    def transaction(self, tx_id: str) -> tuple[int, int] | None:
        """The transaction's block number and validation code; None if no published block has it."""
        row = self._database.one("SELECT block, code FROM transactions WHERE tx_id = ?", (tx_id,))
        return (row[0], row[1]) if row and row[0] < self.height else None

    def block(self, number: int) -> common_pb2.Block:
        row = self._database.one("SELECT block FROM blocks WHERE number = ?", (number,))
        if row is None:
            raise DatabaseDamaged(f"block {number} is missing in {self._database.path}: restore the folder")
        return common_pb2.Block.FromString(row[0])

    def write(self, block: common_pb2.Block, verdicts: Sequence[TransactionVerdict], updates: Updates) -> None:
        """Writes a block and its changes; they are durable when `commit` returns."""
        number = block.header.number
        public, private = updates.public.items(), updates.private.items()
        self._database.write(
            [
                (INSERT_BLOCK, [(number, header_hash(block.header), block.SerializeToString())]),
                (INSERT_TRANSACTION, transaction_rows(number, verdicts)),
                (PUT_STATE, [(key, *entry_row(entry)) for key, entry in public if entry]),
                (DELETE_STATE, [(key,) for key, entry in public if not entry]),
                (PUT_HASH, [(*key, *entry_row(entry)) for key, entry in private if entry]),
                (DELETE_HASH, [key for key, entry in private if not entry]),
            ]
        )

    def commit(self) -> None:
        self._database.commit()

    def publish(self, block: common_pb2.Block) -> None:
        """Makes the block visible to readers."""
        self.height, self.last_hash = block.header.number + 1, header_hash(block.header)

    def rollback(self) -> None:
        self._database.rollback()

    def close(self) -> None:
        self._database.close()


def transaction_rows(number: int, verdicts: Sequence[TransactionVerdict]) -> list[tuple[str, int, int, int]]:
    """The rows of the transactions that have an id; an envelope may be too broken to have one."""
    return [
        (verdict.tx_id, number, position, verdict.code) for position, verdict in enumerate(verdicts) if verdict.tx_id
    ]


def entry_row(entry: VersionedValue) -> tuple[bytes, int, int, bytes | None]:
    return entry.value, entry.version.block, entry.version.position, entry.policy
