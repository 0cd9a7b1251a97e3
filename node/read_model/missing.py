"""The table of private values that did not come with their block, with their transactions and agreements."""

from __future__ import annotations

import sqlite3

import structlog

from chaincode.stub import implicit_collection
from ledger.block_reader import BlockTransaction
from ledger.printable import printable
from ledger.private_values import (
    lacking,
    possible_keys,
)
from zunft.v1.node_pb2 import MissingValue

_MOST = 1000

log = structlog.get_logger()


class Missing:
    """A table of the read model, written within the model's database transactions."""

    def __init__(self, msp_id: str, connection: sqlite3.Connection) -> None:
        self._collection = implicit_collection(msp_id)
        self._connection = connection
        self.count = self._count()

    def note(self, transaction: BlockTransaction, block_number: int, agreement_id: str) -> None:
        """Notes the values of a valid transaction that have not come; drops earlier ones of the keys that it writes."""
        written = [write.key_hash for write in transaction.private_writes if write.collection == self._collection]
        if self.count:
            self._connection.executemany("DELETE FROM missing WHERE key_hash = ?", [(one,) for one in written])
        absent = lacking(transaction, self._collection) if agreement_id else ()
        known = possible_keys(transaction) if absent else {}
        for write in absent:
            key = printable(known.get(write.key_hash, ""), 200)
            tx_id = printable(transaction.tx_id, 64)
            row = (block_number, transaction.position, write.key_hash, key, tx_id, agreement_id)
            self._connection.execute("INSERT OR IGNORE INTO missing VALUES (?, ?, ?, ?, ?, ?)", row)
            log.warning("private data have not come", agreement_id=agreement_id, key=key, block=block_number)
        if absent or self.count:
            self.count = self._count()

    def take_arrived(self, transaction: BlockTransaction, block_number: int) -> frozenset[str]:
        """Removes the missing values that the transaction now has, and returns their keys."""
        late: set[str] = set()
        for write in transaction.private_writes:
            if write.collection == self._collection and write.key is not None and write.value is not None:
                place = (block_number, transaction.position, write.key_hash)
                gone = self._connection.execute(
                    "DELETE FROM missing WHERE block_number = ? AND position = ? AND key_hash = ?", place
                )
                late.update({write.key} if gone.rowcount else ())
        self.count = self._count()
        for key in sorted(late):
            log.info("private data have come", key=key, block=block_number)
        return frozenset(late)

    def values(self, agreement_id: str) -> list[MissingValue]:
        """The missing values of one agreement or (empty) of all, at most the first thousand."""
        if not self.count:
            return []
        rows = self._connection.execute(
            "SELECT agreement_id, block_number, tx_id, key FROM missing WHERE ? IN ('', agreement_id)"
            " ORDER BY block_number, position, key DESC LIMIT ?",
            (agreement_id, _MOST),
        )
        return [
            MissingValue(agreement_id=row[0], block_number=row[1], tx_id=row[2], key=row[3]) for row in rows.fetchall()
        ]

    def places(self) -> list[tuple[int, int]]:
        """The block and position of each transaction with missing values."""
        if not self.count:
            return []
        rows = self._connection.execute("SELECT DISTINCT block_number, position FROM missing ORDER BY 1, 2")
        return [(row[0], row[1]) for row in rows.fetchall()]

    def _count(self) -> int:
        [(count,)] = self._connection.execute("SELECT count(*) FROM missing").fetchall()
        return int(count)
