"""usage.announce: readings do not grow old while their batch waits for another member."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaincode import keys
from chaincode.account.announcement import MAX_WAIT_US, announced_digest
from chaincode.errors import AlreadyExists, ClockSkew, ContractError, MalformedRequest, ReadingTooLate
from chaincode.limits import MAX_ANNOUNCED
from chaincode.readings.batch import (
    batch_digest,
    sign_batch,
)
from ledger.gateway import Gateway
from node.meter.reading import Reading
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
)
from tests.harness.consortium import noted_refusals
from tests.harness.member import user_for
from zunft.v1.usage_pb2 import Announcement, AnnounceUsage, SignedBatch, StreamHead

HOUR = UNIT
SECOND_US = 1_000_000
CUT_OFF_S = 60


@pytest.fixture
def deal(scene: Scene) -> Deal:
    """An agreement of maker and factory, in which readings are too late after a minute."""
    return scene.agree(late_cut_off_s=CUT_OFF_S)


def read(deal: Deal, seconds_ago: int) -> SignedBatch:
    """A batch of one hour, with a reading of so many seconds ago."""
    return deal.batch([Reading(deal.consortium.clock.now_us - seconds_ago * SECOND_US, HOUR)])


def announced(deal: Deal, batch: SignedBatch) -> Announcement:
    return deal.consortium.read(keys.announcement(deal.provider.msp_id, announced_digest(batch)))


def announce_dated(member: Member, by_s: int, batch: SignedBatch) -> None:
    """Announces the batch with a clock that is wrong by `by_s`."""
    consortium = member.consortium
    known = consortium.gateway(member.msp_id, user_for("usage.announce"))
    dated_us = consortium.clock.now_us + by_s * SECOND_US
    gateway = Gateway(known.transport, known.identity, channel=known.channel, clock=lambda: dated_us)
    request = AnnounceUsage(batch_digests=[announced_digest(batch)])
    with noted_refusals():
        consortium.catch_up(consortium.run(gateway.submit("usage.announce", request)).block_number)


def test_a_batch_announced_in_time_is_charged_however_late(scene: Scene, deal: Deal) -> None:
    batch = read(deal, CUT_OFF_S)
    scene.maker.announce(batch)
    scene.consortium.clock.advance(MAX_WAIT_US // SECOND_US)
    scene.maker.submit(deal, batch)
    assert deal.accrued == TOKEN


def test_a_batch_announced_too_late_is_not_charged(scene: Scene, deal: Deal) -> None:
    batch = read(deal, CUT_OFF_S + 1)
    scene.maker.announce(batch)
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(deal, batch))


def test_each_batch_counts_for_itself(scene: Scene, deal: Deal) -> None:
    """A batch that was announced does not make up for another that was not."""
    first, now_us = read(deal, 0), scene.consortium.clock.now_us
    scene.maker.announce(first)
    after = StreamHead(next_sequence=2, last_batch_digest=batch_digest(first.batch))
    second = deal.meter.batch(deal.agreement_id, after, [Reading(now_us, HOUR)])
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(deal, first, second))
    scene.maker.submit(deal, first)
    third = deal.batch([HOUR])
    scene.maker.submit(deal, third)
    assert deal.accrued == 2 * TOKEN


def test_the_first_time_counts(scene: Scene, deal: Deal) -> None:
    batch, other = read(deal, 0), scene.agree().batch([HOUR])
    scene.maker.announce(batch)
    first = announced(deal, batch)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    scene.refuses(AlreadyExists, lambda: scene.maker.announce(batch))
    scene.maker.announce(batch, other)
    assert announced(deal, batch) == first
    assert announced(deal, other).announced_at_us == first.announced_at_us + (CUT_OFF_S + 1) * SECOND_US
    scene.maker.submit(deal, batch)


def test_a_member_other_than_the_provider_announces_for_itself_alone(scene: Scene, deal: Deal) -> None:
    batch = read(deal, 0)
    scene.factory.announce(batch)
    scene.forge.announce(batch)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    for party in (scene.maker, scene.factory):
        scene.refuses(ReadingTooLate, lambda party=party: party.submit(deal, batch))


def test_other_bytes_than_those_that_were_announced_are_too_late(scene: Scene, deal: Deal) -> None:
    """The announcement counts neither for the batch without its signature, nor for a second signature."""
    batch = read(deal, 0)
    again = sign_batch(batch.batch, deal.meter.key())
    assert again.signature != batch.signature
    scene.maker.announce(SignedBatch(batch=batch.batch), batch)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(deal, again))
    scene.maker.submit(deal, batch)


def test_a_date_gains_no_more_than_the_guard_lets_pass(scene: Scene, deal: Deal) -> None:
    within, beyond = read(deal, CUT_OFF_S + 299), read(deal, CUT_OFF_S + 300)
    scene.refuses(ClockSkew, lambda: announce_dated(scene.maker, -301, within))
    announce_dated(scene.maker, -299, within)
    announce_dated(scene.maker, -299, beyond)
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(deal, beyond))
    scene.maker.submit(deal, within)
    # A date in the future does no harm either.
    batch = deal.batch([HOUR])
    announce_dated(scene.maker, 299, batch)
    scene.maker.submit(deal, batch)


def test_a_batch_that_is_in_time_reads_no_announcement(scene: Scene, deal: Deal) -> None:
    """A late batch reads its announcement, and nothing else in addition."""
    batch = read(deal, CUT_OFF_S)
    scene.maker.announce(batch)
    scene.maker.submit(deal, batch)
    usual = scene.consortium.transactions[-1]
    late = read(deal, 0)
    scene.maker.announce(late)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    scene.maker.submit(deal, late)
    key = keys.announcement(scene.maker.msp_id, announced_digest(late)).name
    assert set(scene.consortium.transactions[-1].reads) - set(usual.reads) == {key}
    assert not any(one.startswith("announcement/") for one in usual.reads)


def test_an_announcement_reveals_neither_its_agreement_nor_its_content(scene: Scene, deal: Deal) -> None:
    """It reads nothing that another member can write meanwhile, except a ballot about its author."""
    batch = read(deal, 0)
    scene.maker.announce(batch)
    seen = scene.consortium.transactions[-1]
    own = keys.announcement(scene.maker.msp_id, announced_digest(batch)).name
    assert (set(seen.writes), seen.private_writes) == ({own}, ())
    assert set(seen.reads) <= {own, keys.member(scene.maker.msp_id).name}
    assert deal.agreement_id.encode() not in seen.event_payload + b"".join(seen.args)


def digests(count: int, size: int = 32) -> list[bytes]:
    return [number.to_bytes(size) for number in range(count)]


def announce(scene: Scene, batch_digests: list[bytes]) -> None:
    scene.maker.call("usage.announce", AnnounceUsage(batch_digests=batch_digests))


@refusals(
    ("nothing", MalformedRequest, lambda s: announce(s, [])),
    ("too many", MalformedRequest, lambda s: announce(s, digests(MAX_ANNOUNCED + 1))),
    ("short digests", MalformedRequest, lambda s: announce(s, digests(2, 31))),
    ("one twice", MalformedRequest, lambda s: announce(s, digests(1) * 2)),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


def test_as_many_as_a_transaction_takes(scene: Scene) -> None:
    announce(scene, digests(MAX_ANNOUNCED))
