"""A client writes the time into its transactions itself; no rule about time may depend on its honesty."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from chaincode.checks import MAX_CLOCK_SKEW_S
from chaincode.errors import ClockSkew
from ledger.gateway import Gateway
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
)
from tests.harness.consortium import noted_refusals
from zunft.v1.account_pb2 import GiveNotice, WithdrawFunds
from zunft.v1.agreement_pb2 import TerminateAgreement

SECOND_US = 10**6
DAY_US = 86_400 * SECOND_US


def client_with_wrong_clock(consortium: Consortium, user: str, by_us: int) -> Gateway:
    """The factory's client, with a clock that is wrong by `by_us`."""
    honest = consortium.gateway("FactoryMSP", user)
    clock = consortium.clock
    return Gateway(honest.transport, honest.identity, channel=honest.channel, clock=lambda: clock.now_us + by_us)


def attempt(scene: Scene, client: Gateway, name: str, request: Message) -> None:
    with noted_refusals():
        scene.consortium.run(client.submit(name, request))


def test_a_notice_cannot_be_given_yesterday(scene: Scene) -> None:
    """The customer would take back at once the funds of usage that is not claimed yet."""
    deal = scene.agree(funds=10 * TOKEN, notice_s=86_400)
    request = GiveNotice(agreement_id=deal.agreement_id, amount_micro=10 * TOKEN)
    treasurer = client_with_wrong_clock(scene.consortium, "treasurer", -DAY_US)
    said = scene.refuses(ClockSkew, lambda: attempt(scene, treasurer, "account.give_notice", request))
    assert " behind the endorser's, more than 5 min" in said


def test_funds_cannot_be_withdrawn_tomorrow(scene: Scene) -> None:
    """The customer would withdraw before the notice has passed."""
    deal = scene.agree(funds=10 * TOKEN, notice_s=86_400)
    deal.use(10 * UNIT)
    scene.factory.give_notice(deal, 10 * TOKEN)
    request = WithdrawFunds(agreement_id=deal.agreement_id)
    treasurer = client_with_wrong_clock(scene.consortium, "treasurer", DAY_US)
    said = scene.refuses(ClockSkew, lambda: attempt(scene, treasurer, "account.withdraw", request))
    assert " ahead of the endorser's, more than 5 min" in said


def test_an_agreement_cannot_be_ended_yesterday(scene: Scene) -> None:
    """The customer would make readings that are under way too late to be charged."""
    deal = scene.agree()
    request = TerminateAgreement(agreement_id=deal.agreement_id)
    operator = client_with_wrong_clock(scene.consortium, "operator", -DAY_US)
    scene.refuses(ClockSkew, lambda: attempt(scene, operator, "agreement.terminate", request))


@pytest.mark.parametrize("sign", [1, -1])
def test_five_minutes_are_borne(scene: Scene, sign: int) -> None:
    request = TerminateAgreement(agreement_id=scene.agree().agreement_id)
    off_us = [sign * (MAX_CLOCK_SKEW_S + margin_s) * SECOND_US for margin_s in (60, -60)]
    beyond, within = (client_with_wrong_clock(scene.consortium, "operator", by_us) for by_us in off_us)
    scene.refuses(ClockSkew, lambda: attempt(scene, beyond, "agreement.terminate", request))
    attempt(scene, within, "agreement.terminate", request)
