"""The durable queue of signed batches between the machines and the ledger.

A batch is accepted once it is in this file: on return of `append` it is on the disk. From then on it is submitted, and
either committed, refused for good, or waiting; a node that is killed continues with the batches that are not settled.
The bytes stay until they are charged, since a person may still have a refused batch tried again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chaincode.readings.stream import StreamPosition
from ledger.database import database_errors
from node.database import REMEDIES, Durability, open_database, transaction
from node.halt import Halt
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
    BATCH_STATUS_SUBMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
    BatchStatus,
)
from zunft.v1.usage_pb2 import SignedBatch

# Not settled: batches that the ledger does not have yet.
PENDING = (
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_SUBMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
)
SETTLED = (BATCH_STATUS_COMMITTED, BATCH_STATUS_REFUSED)

_SCHEMA = """
CREATE TABLE batch (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    agreement_id TEXT NOT NULL,
    meter_id TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    reading_count INTEGER NOT NULL,
    last_time_us INTEGER NOT NULL,
    status INTEGER NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    tx_id TEXT NOT NULL DEFAULT '',
    block_number INTEGER NOT NULL DEFAULT 0,
    arrived_us INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE content (digest BLOB NOT NULL UNIQUE, signed BLOB NOT NULL);
CREATE INDEX batch_by_account ON batch (agreement_id, status, position);
-- Journalled, submitted, waiting for funds.
CREATE VIEW pending AS SELECT * FROM batch WHERE status IN (1, 2, 5)
"""
_SCHEMA_VERSION = 1

# These replace the file's own view, which in older files does not have every status. They list the statuses, so that
# the index finds pending batches beside any number of charged ones.
_VIEWS = """
CREATE TEMP VIEW pending AS SELECT * FROM main.batch WHERE status IN (1, 2, 5, 6, 7, 8);
CREATE TEMP VIEW uncharged AS SELECT * FROM main.batch WHERE status != 3
"""

# For older files: a batch that waits in them counts as arrived at the time of its last reading.
_ADD_ARRIVED_US = """
ALTER TABLE batch ADD COLUMN arrived_us INTEGER NOT NULL DEFAULT 0;
UPDATE batch SET arrived_us = last_time_us WHERE status NOT IN (3, 4)
"""

_INSERT = """
INSERT INTO batch (digest, agreement_id, meter_id, first_sequence, reading_count, last_time_us, arrived_us, status)
VALUES (:digest, :agreement_id, :meter_id, :first_sequence, :reading_count, :last_time_us, :arrived_us, 1)
ON CONFLICT (digest) DO UPDATE SET status = 1, error = '', message = '', arrived_us = excluded.arrived_us
WHERE status = 4
"""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One batch and its state."""

    digest: bytes
    agreement_id: str
    meter_id: str
    first_sequence: int
    reading_count: int
    last_time_us: int
    # The time of its arrival in the journal, by the node's clock.
    arrived_us: int = 0
    status: BatchStatus = BATCH_STATUS_JOURNALLED
    refusal: Refusal = field(default_factory=Refusal)
    tx_id: str = ""
    block_number: int = 0

    @property
    def position_after(self) -> StreamPosition:
        """The position at which the stream continues after this batch."""
        return StreamPosition(self.first_sequence + self.reading_count, self.digest, self.last_time_us)


class Journal:
    """The journal in one file, for any thread. Its methods raise DiskFull, DatabaseInUse or DatabaseDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """For `open` only."""
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The journal in `path`, new if there is none; batches that were under way are marked to be sent again."""
        connection = open_database(path, _SCHEMA, version=_SCHEMA_VERSION, durability=Durability.FULL)
        with database_errors(path, REMEDIES):
            if "arrived_us" not in {row["name"] for row in connection.execute("PRAGMA table_info(batch)")}:
                connection.executescript(_ADD_ARRIVED_US)
            connection.executescript(_VIEWS)
        journal = cls(path, connection)
        journal._write(
            "UPDATE batch SET status = ? WHERE digest IN (SELECT digest FROM pending)", [(BATCH_STATUS_JOURNALLED,)]
        )
        return journal

    def close(self) -> None:
        """Closes the file, so that another process may open it."""
        with self._lock:
            self._connection.close()

    # --- in -----------------------------------------------------------------------------------------------------------

    def append(self, batches: Sequence[tuple[JournalEntry, SignedBatch]]) -> None:
        """Stores batches, all or none. A known one stays as it is, but a refused one is marked to be sent again."""
        with self._lock, transaction(self._connection, self._path):
            self._connection.executemany(_INSERT, [_header(entry) for entry, _ in batches])
            self._connection.executemany(
                "INSERT INTO content (digest, signed) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(entry.digest, signed.SerializeToString()) for entry, signed in batches],
            )

    # --- on the way ---------------------------------------------------------------------------------------------------

    def mark_journalled(self, digests: Iterable[bytes]) -> None:
        """Marks batches as to be sent, because the funds that they waited for may have come."""
        self._mark(BATCH_STATUS_JOURNALLED, digests)

    def mark_submitted(self, digests: Iterable[bytes]) -> None:
        """Marks batches as sent to the ledger; the outcome is not known yet."""
        self._mark(BATCH_STATUS_SUBMITTED, digests)

    def mark_waiting(self, digests: Iterable[bytes], halt: Halt) -> None:
        """Marks batches as waiting, with the halt's reason; they are tried again."""
        self._mark(halt.status, digests, halt.refusal)

    def mark_refused(self, digests: Iterable[bytes], refusal: Refusal) -> None:
        """Marks batches as refused for good; they are kept with the reason."""
        self._mark(BATCH_STATUS_REFUSED, digests, refusal)

    def mark_committed(self, digests: Sequence[bytes], tx_id: str, block_number: int) -> None:
        """Marks batches as charged and deletes their bytes, which the ledger keeps from now on."""
        with self._lock, transaction(self._connection, self._path):
            self._connection.executemany(
                "UPDATE batch SET status = ?, error = '', message = '', tx_id = ?, block_number = ? WHERE digest = ?",
                [(BATCH_STATUS_COMMITTED, tx_id, block_number, digest) for digest in digests],
            )
            self._connection.executemany("DELETE FROM content WHERE digest = ?", [(digest,) for digest in digests])

    # --- out ----------------------------------------------------------------------------------------------------------

    def find(self, digest: bytes) -> JournalEntry | None:
        """The batch of this digest; None if there is none."""
        rows = self._read("SELECT * FROM batch WHERE digest = ?", digest)
        return _entry(rows[0]) if rows else None

    def pending(self, agreement_id: str, *, limit: int) -> list[tuple[JournalEntry, SignedBatch]]:
        """The account's batches that are not settled, in the order of their arrival."""
        rows = self._read(
            "SELECT * FROM pending JOIN content USING (digest) WHERE agreement_id = ? ORDER BY position LIMIT ?",
            agreement_id,
            limit,
        )
        return [(_entry(row), SignedBatch.FromString(row["signed"])) for row in rows]

    def pending_entries(self, agreement_id: str) -> list[JournalEntry]:
        """All of the account's batches that are not settled, without their bytes, in the order of their arrival."""
        rows = self._read("SELECT * FROM pending WHERE agreement_id = ? ORDER BY position", agreement_id)
        return [_entry(row) for row in rows]

    def waiting_entries(self, agreement_id: str) -> list[JournalEntry]:
        """The account's batches that are marked as waiting, in the order of their arrival."""
        rows = self._read(
            "SELECT * FROM batch WHERE agreement_id = ? AND status IN (5, 6, 7, 8) ORDER BY position", agreement_id
        )
        return [_entry(row) for row in rows]

    def pending_digests(self, agreement_id: str, *, latest_us: int) -> list[bytes]:
        """The account's unsettled batches without readings after `latest_us`, in the order of arrival."""
        rows = self._read(
            "SELECT digest FROM pending WHERE agreement_id = ? AND last_time_us <= ? ORDER BY position",
            agreement_id,
            latest_us,
        )
        return [bytes(row[0]) for row in rows]

    def oldest_arrival_us(self, agreement_id: str) -> int | None:
        """The arrival time of the account's oldest batch that is not settled; None if it has none."""
        [row] = self._read("SELECT min(arrived_us) FROM pending WHERE agreement_id = ?", agreement_id)
        return None if row[0] is None else int(row[0])

    def uncharged(self, agreement_id: str, *, after: bytes, limit: int) -> list[JournalEntry]:
        """Batches that are pending or refused, of one agreement or of all (""), in the order of their arrival."""
        rows = self._read(
            "SELECT * FROM uncharged WHERE (? = '' OR agreement_id = ?) AND position > "
            "coalesce((SELECT position FROM batch WHERE digest = ?), 0) ORDER BY position LIMIT ?",
            agreement_id,
            agreement_id,
            after,
            limit,
        )
        return [_entry(row) for row in rows]

    def content(self, digest: bytes) -> SignedBatch | None:
        """A batch that is not charged, as its meter signed it; None for any other."""
        rows = self._read("SELECT signed FROM content WHERE digest = ?", digest)
        return SignedBatch.FromString(rows[0]["signed"]) if rows else None

    def agreements_with_work(self) -> list[str]:
        """Agreements that have pending batches, sorted."""
        # The query starts at the contents, which are few, because those of charged batches are deleted.
        rows = self._read(
            "SELECT DISTINCT agreement_id FROM content CROSS JOIN pending USING (digest) ORDER BY agreement_id"
        )
        return [str(row[0]) for row in rows]

    def count_pending(self, agreement_id: str) -> int:
        """The number of the account's batches that are not settled."""
        [row] = self._read("SELECT count(*) FROM pending WHERE agreement_id = ?", agreement_id)
        return int(row[0])

    def count(self) -> dict[BatchStatus, int]:
        """The number of batches by status; 0 where there are none."""
        rows = self._read("SELECT status, count(*) FROM batch GROUP BY status")
        found = {int(row[0]): int(row[1]) for row in rows}
        return {status: found.get(int(status), 0) for status in (*PENDING, *SETTLED)}

    # --- inside -------------------------------------------------------------------------------------------------------

    def _mark(self, status: BatchStatus, digests: Iterable[bytes], refusal: Refusal | None = None) -> None:
        reason = refusal or Refusal()
        self._write(
            "UPDATE batch SET status = ?, error = ?, message = ? WHERE digest = ?",
            [(status, reason.error, reason.message, digest) for digest in digests],
        )

    def _write(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._lock, transaction(self._connection, self._path):
            self._connection.executemany(sql, rows)

    def _read(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock, database_errors(self._path, REMEDIES):
            return self._connection.execute(sql, values).fetchall()


def _header(entry: JournalEntry) -> dict[str, Any]:
    return {
        "digest": entry.digest,
        "agreement_id": entry.agreement_id,
        "meter_id": entry.meter_id,
        "first_sequence": entry.first_sequence,
        "reading_count": entry.reading_count,
        "last_time_us": entry.last_time_us,
        "arrived_us": entry.arrived_us,
    }


def _entry(row: sqlite3.Row) -> JournalEntry:
    return JournalEntry(
        digest=row["digest"],
        agreement_id=row["agreement_id"],
        meter_id=row["meter_id"],
        first_sequence=row["first_sequence"],
        reading_count=row["reading_count"],
        last_time_us=row["last_time_us"],
        arrived_us=row["arrived_us"],
        status=row["status"],
        refusal=Refusal(error=row["error"], message=row["message"]),
        tx_id=row["tx_id"],
        block_number=row["block_number"],
    )
