"""A client writes the time into its transactions itself; what depends on time must not depend on its honesty."""

from __future__ import annotations

import pytest

from chaincode.errors import ContractError
from node.ledger.gateway import Gateway, GatewayError
from tests.conformance.scene import Scene
from tests.consortium import TOKEN, UNIT, Consortium
from zunft.v1.account_pb2 import GiveNotice, WithdrawFunds
from zunft.v1.agreement_pb2 import TerminateAgreement

DAY_US = 86_400 * 10**6


def lying(consortium: Consortium, user: str, by_us: int) -> Gateway:
    """The factory's client with a clock that is wrong by this much."""
    honest = consortium.gateway("FactoryMSP", user)
    clock = consortium.clock
    return Gateway(honest.transport, honest.identity, channel=honest.channel, clock=lambda: clock.now_us + by_us)


def test_a_notice_cannot_be_given_yesterday(scene: Scene) -> None:
    """The customer would take back at once what readings have used up that are not claimed yet."""
    deal = scene.agree(funds=10 * TOKEN, notice_s=86_400)
    request = GiveNotice(agreement_id=deal.agreement_id, amount_micro=10 * TOKEN)
    with pytest.raises((ContractError, GatewayError)):
        scene.consortium.run(lying(scene.consortium, "treasurer", -DAY_US).submit("account.give_notice", request))


def test_funds_cannot_be_withdrawn_tomorrow(scene: Scene) -> None:
    """The same from the other side."""
    deal = scene.agree(funds=10 * TOKEN, notice_s=86_400)
    deal.use(10 * UNIT)
    scene.factory.give_notice(deal, 10 * TOKEN)
    request = WithdrawFunds(agreement_id=deal.agreement_id)
    with pytest.raises((ContractError, GatewayError)):
        scene.consortium.run(lying(scene.consortium, "treasurer", DAY_US).submit("account.withdraw", request))


def test_an_agreement_cannot_be_ended_yesterday(scene: Scene) -> None:
    """The customer would make readings that are under way too late to be charged."""
    deal = scene.agree()
    request = TerminateAgreement(agreement_id=deal.agreement_id)
    with pytest.raises((ContractError, GatewayError)):
        scene.consortium.run(lying(scene.consortium, "operator", -DAY_US).submit("agreement.terminate", request))
