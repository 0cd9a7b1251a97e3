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
# The guard before the contract lets a time of this age pass.
BACK_S = 299


def terminate(deal: Deal, by: Member, back_s: int) -> None:
    """Ends the agreement with a date that is so many seconds before now."""
    consortium = deal.consortium
    known = consortium.gateway(by.msp_id, user_for("agreement.terminate"))
    dated_us = consortium.clock.now_us - back_s * 1_000_000
    gateway = Gateway(known.transport, known.identity, channel=known.channel, clock=lambda: dated_us)
    request = TerminateAgreement(agreement_id=deal.agreement_id)
    consortium.catch_up(consortium.run(gateway.submit("agreement.terminate", request)).block_number)


def readings(deal: Deal, *seconds: int) -> list[Reading]:
    """Readings of an hour each, at so many seconds from now."""
    return [Reading(deal.consortium.clock.now_us + second * 1_000_000, HOUR) for second in seconds]


@pytest.mark.fault(22)
def test_a_back_dated_end_takes_nothing_from_the_work_before_it(scene: Scene) -> None:
    deal = scene.agree()
    work = deal.batch(readings(deal, -280, -140, 0))
    terminate(deal, scene.factory, BACK_S)
    scene.maker.submit(deal, work)
    assert deal.accrued == 3 * TOKEN


def test_a_batch_across_the_end_is_charged_up_to_the_end(scene: Scene) -> None:
    """The bill is the same as for two batches, of which the second one is refused."""
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
