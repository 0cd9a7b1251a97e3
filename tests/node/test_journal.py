"""The journal: every batch that it acknowledged survives, and no batch is queued twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chaincode.errors import InsufficientFunds
from chaincode.readings.batch import batch_digest
from ledger.database import DatabaseDamaged, DatabaseInUse
from node.halt import shortage
from node.journal import Journal, JournalEntry
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
)
from zunft.v1.usage_pb2 import SignedBatch

# Appends batches for ever, and prints the sequence of each one that is in the journal.
WRITER = """
import sys
from pathlib import Path
from tests.node.test_journal import batch
from node.journal import Journal

journal = Journal.open(Path(sys.argv[1]))
for sequence in range(1, 10**9):
    journal.append([batch(sequence)])
    print(sequence, flush=True)
"""


def batch(sequence: int, agreement_id: str = "A1") -> tuple[JournalEntry, SignedBatch]:
    signed = SignedBatch(batch=f"{agreement_id} batch {sequence}".encode(), signature=b"s")
    return JournalEntry(batch_digest(signed.batch), agreement_id, "drill-7", sequence, 1, sequence), signed


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    command, root = [sys.executable, "-c", WRITER, str(path)], Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout
        acknowledged = [int(writer.stdout.readline()) for _ in range(20)][-1]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])

    entries = Journal.open(path).pending("A1", limit=10**6)
    assert [entry.first_sequence for entry, _ in entries][:acknowledged] == list(range(1, acknowledged + 1))
    assert all(batch_digest(signed.batch) == entry.digest for entry, signed in entries)


def test_a_batch_is_queued_once(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    first = batch(1)
    journal.append([first, first])
    journal.mark_committed([first[0].digest], "tx1", 7)
    journal.append([first])

    found = journal.find(first[0].digest)
    assert found is not None
    assert (found.status, found.tx_id, found.block_number) == (BATCH_STATUS_COMMITTED, "tx1", 7)
    assert journal.pending("A1", limit=10) == []


def test_only_unsettled_batches_are_pending_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal.open(path)
    journal.append([batch(sequence) for sequence in range(1, 6)] + [batch(1, "A2")])
    digests = [batch(sequence)[0].digest for sequence in range(1, 6)]
    journal.mark_committed(digests[:1], "tx1", 1)
    journal.mark_refused(digests[1:2], Refusal(error="ReadingTooLate", message="too late"))
    journal.mark_waiting(digests[2:3], shortage(InsufficientFunds("fund it")))
    journal.mark_submitted(digests[3:4])

    waiting = journal.find(digests[2])
    assert waiting is not None
    assert (waiting.status, waiting.refusal.error) == (BATCH_STATUS_WAITING_FOR_FUNDS, "InsufficientFunds")
    assert journal.agreements_with_work() == ["A1", "A2"]
    assert journal.count() == {
        BATCH_STATUS_JOURNALLED: 2,
        BATCH_STATUS_SUBMITTED: 1,
        BATCH_STATUS_WAITING_FOR_FUNDS: 1,
        BATCH_STATUS_WAITING_FOR_OTHER_PARTY: 0,
        BATCH_STATUS_WAITING_FOR_PRIVATE_DATA: 0,
        BATCH_STATUS_WAITING_FOR_RIGHTS: 0,
        BATCH_STATUS_REFUSED: 1,
        BATCH_STATUS_COMMITTED: 1,
    }
    journal.close()
    pending = Journal.open(path).pending("A1", limit=10)
    assert [(entry.first_sequence, entry.status) for entry, _ in pending] == [
        (3, BATCH_STATUS_JOURNALLED),
        (4, BATCH_STATUS_JOURNALLED),
        (5, BATCH_STATUS_JOURNALLED),
    ]
    assert [signed for _, signed in pending] == [batch(sequence)[1] for sequence in (3, 4, 5)]


def test_a_refused_batch_that_is_sent_again_gets_a_new_try(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    entry, signed = batch(1)
    journal.append([(entry, signed)])
    journal.mark_refused([entry.digest], Refusal(error="WrongStatus", message="not open yet"))
    journal.append([(entry, signed)])

    assert journal.pending("A1", limit=10) == [(entry, signed)]


def test_a_batch_that_waits_in_a_file_of_an_earlier_version_has_waited_since_its_last_reading(tmp_path: Path) -> None:
    """The earlier version did not note the time at which a batch came in."""
    path = tmp_path / "journal.db"
    journal = Journal.open(path)
    journal.append([batch(1)])
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE batch DROP COLUMN arrived_us")
    journal = Journal.open(path)
    entry, signed = batch(2, "A2")
    journal.append([(replace(entry, arrived_us=7), signed)])
    assert [journal.oldest_arrival_us(one) for one in ("A1", "A2", "A3")] == [1, 7, None]
    journal.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    with pytest.raises(DatabaseInUse, match="another node"):
        Journal.open(tmp_path / "journal.db")
    journal.close()
    Journal.open(tmp_path / "journal.db").close()


@pytest.mark.parametrize("content", [b"not a database, but as long as one" * 100, b"SQLite format 3\0"])
def test_a_damaged_file_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged, match=r"journal\.db"):
        Journal.open(path)
