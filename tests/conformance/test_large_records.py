"""A party makes heads, records and corrections so large that no message can hold a block of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from chaincode import keys
from chaincode.errors import HeadTooLarge, MalformedBatch, MalformedRequest, RecordTooLarge
from chaincode.limits import CORRECTION_BYTES, HEAD_BYTES, RECORD_BYTES
from chaincode.readings.batch import (
    batch_digest,
    encode_batch,
    sign_batch,
)
from chaincode.readings.columns import Columns
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    per_unit,
)
from zunft.v1.usage_pb2 import AccountHead, CorrectionReading, SignedBatch

# The most readings of a correction, and the longest text.
READINGS = 10_000
LONG = "w" * 256


@pytest.fixture
def deal(scene: Scene, request: pytest.FixtureRequest) -> Deal:
    meters = tuple(HandMeter(f"{request.node.originalname[-40:]}-{number}") for number in range(2))
    return scene.consortium.agree(scene.maker, scene.factory, per_unit("hours", 1), meters=meters, funds=100 * TOKEN)


def head_of(scene: Scene, deal: Deal) -> AccountHead:
    return AccountHead.FromString(scene.maker.read_head(deal))


def correction_readings(scene: Scene, readings: int, text: str) -> Sequence[CorrectionReading]:
    now_us = scene.consortium.clock.now_us
    return [CorrectionReading(time_us=now_us, quantity_micro=1, step=text, work_item=text) for _ in range(readings)]


def fill_head(scene: Scene, deal: Deal) -> None:
    """Proposes corrections, each of which keeps to its limit; together they do not."""
    each = correction_readings(scene, 400, LONG)
    for number in range(10):
        scene.factory.correct(deal, f"c{number}", *each)


def noise(
    deal: Deal, meter: HandMeter, readings: int, previous: bytes = b"", first: int = 1, columns: int = 1
) -> SignedBatch:
    """A batch of readings that no compression makes smaller."""
    random = np.random.default_rng(first)
    measured = Columns(
        time_us=np.arange(first, first + readings, dtype=np.int64) + deal.consortium.clock.now_us - 10**6,
        quantity_micro=random.integers(0, 2**16, readings),
        speed_milli=random.integers(0, 2**56, readings),
        utilisation_milli=random.integers(0, 2**56, readings) if columns > 1 else None,
    )
    data = encode_batch(
        meter_id=meter.meter_id,
        agreement_id=deal.agreement_id,
        key_version=1,
        first_sequence=first,
        previous_digest=previous,
        columns=measured,
    )
    return sign_batch(data, meter.key())


@pytest.mark.fault(9)
@pytest.mark.fault(18)
def test_a_correction_beyond_its_limit_is_refused_before_it_makes_every_later_transaction_large(
    scene: Scene, deal: Deal
) -> None:
    deal.use(UNIT)
    with pytest.raises(MalformedRequest, match=str(CORRECTION_BYTES)):
        scene.factory.correct(deal, "huge", *correction_readings(scene, READINGS, LONG))
    assert len(scene.maker.read_head(deal)) < 1000


@pytest.mark.fault(18)
def test_corrections_fill_the_head_up_to_its_limit_and_no_further_and_the_account_goes_on(
    scene: Scene, deal: Deal
) -> None:
    deal.use(UNIT)
    with pytest.raises(HeadTooLarge, match="claim what is open"):
        fill_head(scene, deal)
    pending = [one.correction_id for one in head_of(scene, deal).pending_corrections]
    assert 0 < len(scene.maker.read_head(deal)) <= HEAD_BYTES
    assert pending
    for correction_id in pending:
        scene.maker.decline(deal, correction_id)
    deal.use(UNIT)
    assert scene.maker.claim(deal) is None


@pytest.mark.fault(9)
def test_batches_are_taken_as_far_as_their_record_stays_within_its_limit(scene: Scene, deal: Deal) -> None:
    first, second = deal.meters
    together = [noise(deal, meter, 99_999) for meter in (first, second)]
    further = noise(deal, first, 99_999, batch_digest(together[0].batch), 100_000)
    assert sum(len(one.batch) for one in (*together, further)) > RECORD_BYTES
    with pytest.raises(RecordTooLarge, match="fewer batches"):
        scene.maker.submit(deal, *together, further)
    scene.maker.submit(deal, *together)
    scene.maker.submit(deal, further)
    with pytest.raises(MalformedBatch, match="fewer readings"):
        scene.maker.submit(deal, noise(deal, second, 99_999, batch_digest(together[1].batch), 100_000, columns=2))
    archived = scene.consortium.state.private[keys.record(deal.agreement_id, 1).name]
    assert len(archived) <= RECORD_BYTES
