"""The limits fit each other: whatever the contract takes, a block full of it fits a message."""

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

# Around each value in a message: its key, its collection's name, its namespace, lengths.
FRAME_BYTES = 1000


@pytest.mark.fault(9)
@pytest.mark.parametrize("batch", [RaftOrdering(()).batch, BftOrdering(()).batch], ids=["raft", "bft"])
def test_a_block_of_the_largest_transactions_fits_a_message(batch: BatchLimits) -> None:
    largest_bytes = max(limits.PRIVATE_BYTES, limits.TERMS_BYTES) + 3 * FRAME_BYTES
    many = batch.preferred_max_bytes + batch.max_messages * largest_bytes
    one = batch.absolute_max_bytes + largest_bytes
    assert max(many, one) < limits.MESSAGE_BYTES


@pytest.mark.fault(9)
def test_so_does_a_block_of_the_embedded_ledger() -> None:
    """Whose envelopes have 10,000,000 bytes at most where the channel says nothing."""
    assert MAX_PRIVATE_BYTES + 10_000_000 < limits.MESSAGE_BYTES


def test_a_batch_fits_a_record_whatever_the_head_and_a_meter_seals_no_larger_one() -> None:
    assert limits.BATCH_BYTES + limits.HEAD_BYTES <= limits.RECORD_BYTES
    assert BATCH_BYTES_MAX <= limits.BATCH_BYTES


def test_the_records_of_busy_meters_fit_many_times_over() -> None:
    """374 kB: four batches of 50,000 readings. 466 kB: a batch of each of a thousand meters, with a head of 158 kB."""
    assert max(374_447, 466_121) < limits.RECORD_BYTES // 4
    assert limits.HEAD_BYTES > 6 * 158_163
