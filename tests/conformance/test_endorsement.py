"""The ledger's policies, tried on the contracts' keys: too few endorsers can change nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from google.protobuf.message import Message

from chaincode.account.head import DISCLOSURE
from chaincode.errors import HeadMismatch
from chaincode.transaction_context import serialise
from ledger.gateway import (
    CommitError,
    EndorseError,
)
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
)
from zunft.v1.account_pb2 import FundAccount
from zunft.v1.agreement_pb2 import TerminateAgreement
from zunft.v1.token_pb2 import TransferTokens
from zunft.v1.usage_pb2 import SubmitUsage

MAKER, FACTORY, BANK, FORGE = "MakerMSP", "FactoryMSP", "BankMSP", "ForgeMSP"


def usage(scene: Scene) -> tuple[str, Message, dict[str, bytes]]:
    disclosure = scene.maker.disclose(scene.deal)
    disclosure.batches.append(scene.deal.batch([UNIT]))
    request = SubmitUsage(agreement_id=scene.deal.agreement_id)
    return "usage.submit", request, {DISCLOSURE: serialise(disclosure)}


def transfer(_scene: Scene) -> tuple[str, Message, dict[str, bytes]]:
    return "token.transfer", TransferTokens(to_msp_id=FORGE, amount_micro=TOKEN), {}


def fund(scene: Scene) -> tuple[str, Message, dict[str, bytes]]:
    return "account.fund", FundAccount(agreement_id=scene.deal.agreement_id, amount_micro=TOKEN), {}


def terminate(scene: Scene) -> tuple[str, Message, dict[str, bytes]]:
    return "agreement.terminate", TerminateAgreement(agreement_id=scene.deal.agreement_id), {}


@pytest.mark.parametrize(
    ("call", "endorsers"),
    [
        pytest.param(usage, [MAKER], id="usage by the provider alone"),
        pytest.param(usage, [FACTORY], id="usage by the customer alone"),
        pytest.param(usage, [MAKER, BANK, FORGE], id="usage by a majority without the customer"),
        pytest.param(usage, [FACTORY, BANK, FORGE], id="usage by a majority without the provider"),
        pytest.param(transfer, [MAKER], id="a transfer by its sender alone"),
        pytest.param(transfer, [MAKER, FORGE], id="a transfer by half of the members"),
        pytest.param(fund, [MAKER, FACTORY], id="an escrow by the two parties"),
        pytest.param(terminate, [MAKER, FACTORY], id="an agreement's end by the two parties"),
    ],
)
def test_too_few_endorsers_change_nothing(
    scene: Scene, call: Callable[[Scene], tuple[str, Message, dict[str, bytes]]], endorsers: Sequence[str]
) -> None:
    before = scene.consortium.state
    name, request, transient = call(scene)
    who = scene.factory if call is fund else scene.maker

    with pytest.raises(CommitError) as caught:
        who.call(name, request, transient=transient, endorsers=endorsers)

    assert caught.value.code_name == "ENDORSEMENT_POLICY_FAILURE"
    scene.consortium.catch_up(caught.value.block_number)
    assert scene.consortium.transactions[-1].is_valid is False
    assert scene.consortium.state == before


def test_transient_data_never_goes_to_a_member_that_is_not_named(scene: Scene) -> None:
    """The gateway refuses where no endorsers are named, since it cannot know which members may see the data."""
    name, request, transient = usage(scene)
    with pytest.raises(EndorseError):
        scene.maker.call(name, request, transient=transient)


def test_of_two_batches_made_from_the_same_head_one_is_charged(scene: Scene) -> None:
    """Both parties submit at the same moment: the second one finds the head moved on, at once or at its commit."""
    consortium, deal = scene.consortium, scene.agree()
    deal.use(UNIT)
    disclosure = scene.maker.disclose(deal)
    disclosure.batches.append(deal.batch([UNIT]))
    gateway = consortium.gateway(MAKER, "erp")
    request, transient = SubmitUsage(agreement_id=deal.agreement_id), {DISCLOSURE: serialise(disclosure)}
    parties = deal.parties

    async def both() -> CommitError:
        proposals = [
            gateway.new_proposal("usage.submit", request, transient=transient, endorsing_msp_ids=parties)
            for _ in range(2)
        ]
        first, second = [await gateway.endorse(proposal) for proposal in proposals]
        await gateway.commit_status(await gateway.send(first))
        with pytest.raises(CommitError) as caught:
            await gateway.commit_status(await gateway.send(second))
        return caught.value

    conflict = consortium.run(both())
    assert conflict.code_name == "MVCC_READ_CONFLICT"
    consortium.catch_up(conflict.block_number)
    assert deal.accrued == 2 * TOKEN
    scene.refuses(HeadMismatch, lambda: scene.maker.submit(deal, deal.batch([UNIT]), disclosure=disclosure))
