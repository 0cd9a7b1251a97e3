"""A party withholds its endorsement to keep the other from its money, from closing, and so from leaving."""

from __future__ import annotations

import pytest

from chaincode import keys
from chaincode.contract import ContractAnswer
from chaincode.errors import InsufficientFunds, NoticePeriod, RefundOwed, WrongStatus
from chaincode.stub import Stub
from tests.attacks.rogue import Rogue
from tests.attacks.silence import silent
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
    per_unit,
)
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED
from zunft.v1.usage_pb2 import CorrectionReading

HOUR = UNIT
DAY_S = 86_400
# How long a customer's own end, and its notice, count against it.
GUARD_S = 300


@pytest.fixture
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since peers are stopped."""
    return own_scene


def agree(scene: Scene, provider: Member, customer: Member, **how: object) -> Deal:
    return scene.consortium.agree(provider, customer, per_unit("hours", TOKEN), **{"funds": 20 * TOKEN, **how})


def take_back(deal: Deal, hours: int) -> None:
    """Both parties agree to a correction that gives these hours back."""
    now_us = deal.consortium.clock.now_us
    deal.customer.correct(deal, "recount", CorrectionReading(time_us=now_us, quantity_micro=-hours * HOUR))
    deal.provider.agree(deal, "recount")


@pytest.mark.fault(29)
@pytest.mark.parametrize("closer", ["maker", "factory"])
def test_either_party_closes_without_the_other_s_peer(scene: Scene, closer: str) -> None:
    """Nothing is claimed; the party whose peer is away also gets the amounts that it had endorsed."""
    deal = agree(scene, scene.maker, scene.factory, notice_s=DAY_S)
    one = scene.consortium.member(closer)
    other = deal.customer if one == deal.provider else deal.provider
    before = (scene.maker.balance, scene.factory.balance)
    deal.use(7 * HOUR)
    with silent(scene, other) as alone:
        scene.refuses(WrongStatus, lambda: one.close(deal, **alone))
        one.terminate(deal, **alone)
        if one == deal.customer:
            scene.refuses(NoticePeriod, lambda: one.close(deal, **alone))
            scene.consortium.clock.advance(DAY_S + 2 * GUARD_S)
        one.close(deal, **alone)
    assert (deal.account.status, deal.escrow) == (ACCOUNT_STATUS_CLOSED, 0)
    assert (scene.maker.balance - before[0], scene.factory.balance - before[1]) == (7 * TOKEN, 13 * TOKEN)
    assert [one.amount_micro for one in deal.invoices] == [7 * TOKEN]


@pytest.mark.fault(7)
def test_a_contract_that_refuses_everything_keeps_no_claim_from_being_paid(scene: Scene) -> None:
    """The customer's peer answers, and endorses no transaction of the provider's."""
    deal = agree(scene, scene.maker, scene.factory)
    deal.use(7 * HOUR)

    async def refuse(_stub: Stub) -> ContractAnswer:
        return ContractAnswer(409, "WrongStatus: not today", b"")

    before = scene.maker.balance
    with Rogue(scene.consortium, "factory").running(refuse):
        scene.refuses(WrongStatus, lambda: scene.maker.claim(deal))
        scene.maker.claim_alone(deal)
        scene.maker.settle(deal)
    assert scene.maker.balance - before == 7 * TOKEN


@pytest.mark.fault(29)
def test_a_provider_that_has_spent_the_refund_keeps_nobody_from_leaving(scene: Scene) -> None:
    """Its debt is noted, and all tokens that it gets pay that first."""
    bank, maker, factory = scene.bank, scene.maker, scene.factory
    deal = agree(scene, bank, factory)
    deal.use(10 * HOUR)
    bank.claim(deal)
    bank.settle(deal)
    take_back(deal, 4)
    bank.transfer(maker, bank.balance)
    factory.terminate(deal)
    before = factory.balance
    factory.claim_alone(deal)
    factory.settle(deal)
    scene.consortium.clock.advance(GUARD_S)
    factory.close(deal)
    assert (factory.balance - before, deal.account.owed_back_micro) == (10 * TOKEN, 4 * TOKEN)
    assert keys.obligation(factory.msp_id, keys.account(deal.agreement_id)).name not in scene.consortium.public

    maker.transfer(bank, 3 * TOKEN)
    other = agree(scene, factory, bank, funds=0)
    for spend in (
        lambda: bank.redeem(TOKEN),
        lambda: bank.transfer(maker, TOKEN),
        lambda: bank.fund(other, TOKEN),
        lambda: bank.credit(1, TOKEN, factory),
    ):
        scene.refuses(RefundOwed, spend)
    factory.settle(deal)
    maker.transfer(bank, 3 * TOKEN)
    bank.settle(deal)
    assert (factory.balance - before, bank.balance, deal.account.owed_back_micro) == (14 * TOKEN, 2 * TOKEN, 0)
    scene.refuses(WrongStatus, lambda: factory.settle(deal))
    bank.transfer(maker, bank.balance)


@pytest.mark.fault(29)
def test_a_customer_that_does_not_pay_its_credit_keeps_the_provider_from_nothing(scene: Scene) -> None:
    """The customer cannot close before it has paid, and the provider need not wait for that."""
    maker, factory = scene.maker, scene.factory
    deal = agree(scene, maker, factory, credit_limit_micro=10 * TOKEN)
    deal.use(25 * HOUR)
    before = maker.balance
    factory.terminate(deal)
    scene.consortium.clock.advance(GUARD_S)
    scene.refuses(InsufficientFunds, lambda: factory.close(deal))
    maker.close(deal)
    assert (maker.balance - before, deal.escrow) == (20 * TOKEN, 0)
    assert deal.account.status == ACCOUNT_STATUS_CLOSED
    assert [one.amount_micro for one in deal.invoices] == [25 * TOKEN]
