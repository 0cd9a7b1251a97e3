"""The limits fit each other: a block full of the largest transactions that the contract takes fits in a message."""

from __future__ import annotations

import pytest

from chaincode import limits
from consortium.channel.ordering import (
    BatchLimits,
    BftOrdering,
    RaftOrdering,
)
from ledger.embedded.orderer import MAX_PRIVATE_BYTES
from node.meter.meter import BATCH_BYTES_MAX

# The bytes around each value in a message: its key, its collection's name, its namespace, lengths.
FRAME_BYTES = 1000


@pytest.mark.fault(9)
@pytest.mark.parametrize("batch", [RaftOrdering(()).batch, BftOrdering(()).batch], ids=["raft", "bft"])
def test_a_block_of_the_largest_transactions_fits_a_message(batch: BatchLimits) -> None:
    largest_bytes = max(limits.PRIVATE_BYTES, limits.TERMS_BYTES) + 3 * FRAME_BYTES
    many = batch.preferred_max_bytes + batch.max_messages * largest_bytes
    one = batch.absolute_max_bytes + largest_bytes
    assert max(many, one) < limits.MESSAGE_BYTES


@pytest.mark.fault(9)
def test_a_block_of_the_embedded_ledger_fits_a_message() -> None:
    """Its envelopes have 10,000,000 bytes at most if the channel sets no limit."""
    assert MAX_PRIVATE_BYTES + 10_000_000 < limits.MESSAGE_BYTES


def test_a_batch_fits_a_record_with_the_largest_head_and_a_meter_seals_no_larger_batch() -> None:
    assert limits.BATCH_BYTES + limits.HEAD_BYTES <= limits.RECORD_BYTES
    assert BATCH_BYTES_MAX <= limits.BATCH_BYTES


def test_the_records_of_busy_meters_fit_many_times_over() -> None:
    """Two measured records: 374 kB are four batches of 50,000 readings, and 466 kB a batch of each of 1000 meters.

    The second one has a head of 158 kB.
    """
    assert max(374_447, 466_121) < limits.RECORD_BYTES // 4
    assert limits.HEAD_BYTES > 6 * 158_163
