"""An amendment makes readings too late that were in time, or gives them a cut-off that they never had."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit import audit
from chaincode.account.announcement import MAX_WAIT_US
from chaincode.errors import ReadingTooLate, TermsMismatch
from chaincode.transaction_context import serialise
from ledger.gateway import Gateway
from node.meter.reading import Reading
from tests.attacks.liar import Lie, lying_customer
from tests.attacks.test_waiting_out import check_all_charged, with_node
from tests.audit.run import delivered, genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    Member,
)
from tests.harness.consortium import noted_refusals
from tests.harness.member import refer, user_for
from tests.node.nodes import chained, last_states, send
from zunft.client import NodeClient
from zunft.v1.agreement_pb2 import AcceptAgreement
from zunft.v1.node_pb2 import BATCH_STATUS_WAITING_FOR_OTHER_PARTY

CUT_OFF_S = 7 * 86_400
SHORT_S = 60
# An amendment that the customer has accepted counts from this long after the transaction's time.
GUARD_S = 300


@pytest.fixture
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since weeks go by."""
    return own_scene


@pytest.fixture
def deal(scene: Scene) -> Deal:
    """An agreement with a cut-off, under which nothing is charged yet."""
    return scene.agree(late_cut_off_s=CUT_OFF_S)


def check_audits(scene: Scene) -> None:
    for party in (scene.maker, scene.factory):
        report = audit(delivered(scene.consortium, party.name), genesis(scene.consortium), party.msp_id)
        meters = report.verdict("meters")
        assert (tuple(meters.violations), dict(meters.unchecked)) == ((), {})


@pytest.mark.fault(39)
def test_a_reading_from_before_an_amendment_keeps_its_cut_off(scene: Scene, deal: Deal) -> None:
    """Several amendments since then change nothing in that."""
    batch = deal.batch([UNIT])
    deal.amend(late_cut_off_s=2 * SHORT_S)
    deal.amend(late_cut_off_s=SHORT_S)
    scene.consortium.clock.advance(CUT_OFF_S)
    scene.maker.submit(deal, batch)
    check_audits(scene)


@pytest.mark.fault(39)
def test_another_meter_s_reading_from_before_keeps_its_cut_off(scene: Scene, deal: Deal) -> None:
    """By then the account is under the new terms."""
    second = HandMeter(f"{deal.meter.meter_id}-2")
    scene.maker.register(second)
    deal.amend(meter_ids=[deal.meter.meter_id, second.meter_id])
    batch = deal.batch([UNIT])
    deal.amend(late_cut_off_s=SHORT_S)
    scene.maker.submit(deal, deal.batch([UNIT], second))
    scene.consortium.clock.advance(CUT_OFF_S)
    scene.maker.submit(deal, batch)
    assert deal.accrued == 2 * TOKEN
    check_audits(scene)


@pytest.mark.fault(39)
def test_a_batch_announced_before_an_amendment_is_in_time(scene: Scene, deal: Deal) -> None:
    batch = deal.batch([UNIT])
    scene.consortium.clock.advance(CUT_OFF_S)
    scene.maker.announce(batch)
    deal.amend(late_cut_off_s=SHORT_S)
    scene.consortium.clock.advance(MAX_WAIT_US // 10**6)
    scene.maker.submit(deal, batch)
    check_audits(scene)


@pytest.mark.fault(39)
def test_no_date_of_the_customer_s_makes_an_amendment_earlier(scene: Scene, deal: Deal) -> None:
    """By the customer's clock, it accepted before the readings were taken."""
    batch = deal.batch([UNIT])
    terms = deal.terms_in_force()
    terms.version, terms.late_cut_off_s = 2, SHORT_S
    scene.maker.amend(terms)
    scene.maker.share(terms)
    request = AcceptAgreement(agreement_id=deal.agreement_id, terms=refer(terms))
    submit_dated(scene.factory, "agreement.accept", request, -GUARD_S + 1)
    scene.consortium.clock.advance(CUT_OFF_S)
    scene.maker.submit(deal, batch)


def submit_dated(member: Member, name: str, request: AcceptAgreement, by_s: int) -> None:
    consortium = member.consortium
    known = consortium.gateway(member.msp_id, user_for(name))
    dated_us = consortium.clock.now_us + by_s * 10**6
    gateway = Gateway(known.transport, known.identity, channel=known.channel, clock=lambda: dated_us)
    with noted_refusals():
        consortium.catch_up(consortium.run(gateway.submit(name, request)).block_number)


@pytest.mark.fault(39)
def test_a_reading_taken_since_has_the_amended_cut_off(scene: Scene, deal: Deal) -> None:
    """The provider charges no longer than was agreed, also in one batch with earlier readings."""
    clock, maker = scene.consortium.clock, scene.maker
    old = deal.batch([UNIT])
    before_us = clock.now_us
    deal.amend(late_cut_off_s=SHORT_S)
    clock.advance(GUARD_S)
    across = deal.batch([Reading(before_us, UNIT), Reading(clock.now_us, UNIT)])
    clock.advance(SHORT_S + 1)
    scene.refuses(ReadingTooLate, lambda: maker.submit(deal, across))
    clock.advance(CUT_OFF_S - GUARD_S - SHORT_S)
    scene.refuses(ReadingTooLate, lambda: maker.submit(deal, old))


@pytest.mark.fault(39)
def test_nobody_shows_a_cut_off_that_was_never_agreed(scene: Scene, deal: Deal) -> None:
    """The provider proposes terms without a cut-off, which the customer does not accept."""
    batch = deal.batch([UNIT])
    wished = deal.terms(2, tariff=deal.terms_in_force().tariff)
    scene.maker.amend(wished)
    scene.maker.share(wished)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    in_force, other = deal.terms_in_force(), scene.agree().terms_in_force()
    for terms in (wished, in_force, other):
        shown = [serialise(terms)]
        scene.refuses(TermsMismatch, lambda shown=shown: scene.maker.submit(deal, batch, earlier_terms=shown))


@pytest.mark.fault(39)
def test_a_node_submits_readings_from_before_an_amendment(scene: Scene, deal: Deal, tmp_path: Path) -> None:
    """Some readings wait for the customer's peer, and some come in when the amendment is in force."""
    batches = chained(deal, *[UNIT] * 4)
    waiting = batches[:2]

    async def refused(client: NodeClient) -> None:
        assert set(last_states(await send(client, *waiting)).values()) == {BATCH_STATUS_WAITING_FOR_OTHER_PARTY}

    async def charged(client: NodeClient) -> None:
        await check_all_charged(deal, client, batches)

    with lying_customer(deal, Lie("Nonsense: later", 10**6, status=500)) as gateway:
        with_node(deal, tmp_path, refused, gateway)
    deal.amend(late_cut_off_s=SHORT_S)
    scene.consortium.clock.advance(CUT_OFF_S - GUARD_S)
    with_node(deal, tmp_path, charged)


@pytest.mark.fault(53)
def test_nobody_announces_readings_and_keeps_them_back_for_good(scene: Scene, deal: Deal) -> None:
    """The customer may have agreed to other prices by then."""
    batch = deal.batch([UNIT])
    scene.maker.announce(batch)
    scene.consortium.clock.advance(MAX_WAIT_US // 10**6 + CUT_OFF_S + 1)
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(deal, batch))
