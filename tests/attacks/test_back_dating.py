"""A customer dates the end of an agreement back, so that work of the minutes before it is not charged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audit import audit
from chaincode.errors import ReadingTooLate
from ledger.gateway import Gateway
from node.meter.reading import Reading
from tests.attacks.conftest import founded
from tests.audit.run import delivered, genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
)
from tests.harness.member import user_for
from zunft.v1.agreement_pb2 import TerminateAgreement

HOUR = UNIT
# What the guard before the contract lets pass.
BACK_S = 299


def terminate(deal: Deal, by: Member, back_s: int) -> None:
    """Dated so long before now."""
    consortium = deal.consortium
    known = consortium.gateway(by.msp_id, user_for("agreement.terminate"))
    dated_us = consortium.clock.now_us - back_s * 1_000_000
    gateway = Gateway(known.transport, known.identity, channel=known.channel, clock=lambda: dated_us)
    request = TerminateAgreement(agreement_id=deal.agreement_id)
    consortium.catch_up(consortium.run(gateway.submit("agreement.terminate", request)).block_number)


def readings(deal: Deal, *seconds: int) -> list[Reading]:
    """An hour each, so many seconds from now."""
    return [Reading(deal.consortium.clock.now_us + second * 1_000_000, HOUR) for second in seconds]


@pytest.mark.fault(22)
def test_a_back_dated_end_takes_nothing_from_the_work_before_it(scene: Scene) -> None:
    deal = scene.agree()
    work = deal.batch(readings(deal, -280, -140, 0))
    terminate(deal, scene.factory, BACK_S)
    scene.maker.submit(deal, work)
    assert deal.accrued == 3 * TOKEN


def test_of_a_batch_across_the_end_the_readings_up_to_it_are_charged(scene: Scene) -> None:
    """As if it were two batches: the second one would be refused, and the bill is the same."""
    deal, cut = scene.agree(), scene.agree()
    for one in (deal, cut):
        scene.maker.terminate(one)
    scene.consortium.clock.advance(60)
    across = deal.batch(readings(deal, -90, -60, -30, 0))
    scene.maker.submit(deal, across)
    assert deal.accrued == 2 * TOKEN
    assert deal.stream().next_sequence == 5

    scene.maker.submit(cut, cut.batch(readings(cut, -90, -60)))
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(cut, cut.batch(readings(cut, -30, 0))))
    assert cut.accrued == deal.accrued
    scene.refuses(ReadingTooLate, lambda: deal.use(HOUR))


def test_an_end_counts_five_minutes_against_the_customer_that_dated_it(scene: Scene) -> None:
    deal, now_s = scene.agree(), scene.consortium.clock.now_s
    scene.factory.terminate(deal)
    assert deal.agreement.terminated_at_s == now_s + 300
    deal = scene.agree()
    scene.maker.terminate(deal)
    # The provider gains nothing by another date: it could have ended the agreement at that other time.
    assert deal.agreement.terminated_at_s == now_s


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from founded(tmp_path_factory.mktemp("audited"), "embedded")


def test_the_audit_comes_to_the_same_bill(audited: Scene) -> None:
    deal = audited.agree()
    audited.maker.terminate(deal)
    audited.consortium.clock.advance(60)
    audited.maker.submit(deal, deal.batch(readings(deal, -90, -60, -30, 0)))
    assert deal.accrued == 2 * TOKEN
    report = audit(delivered(audited.consortium, "maker"), genesis(audited.consortium), "MakerMSP")
    assert not {verdict.name for verdict in report.failed} & {"rating", "prepaid", "meters"}
