"""The ledger takes some transactions of a rogue member and refuses others: the attacks rest on that."""

from __future__ import annotations

import pytest
from fabric_protos.peer.transaction_pb2 import ENDORSEMENT_POLICY_FAILURE, VALID

from chaincode import keys
from chaincode.contract import ContractAnswer
from chaincode.errors import WrongSignature
from chaincode.stub import Stub, implicit_collection
from ledger.gateway import EndorseError
from tests.attacks.rogue import Rogue, peer_of
from tests.conformance.scene import Scene
from tests.harness import TOKEN
from zunft.v1.token_pb2 import Balance, TransferTokens


def test_its_own_endorsement_is_enough_for_its_own_collection_alone(scene: Scene, rogue: Rogue) -> None:
    assert rogue.send(rogue.draft()).code == VALID
    rich = rogue.draft()
    rich.writes[keys.balance(rogue.msp_id).name] = Balance(amount_micro=10**12).SerializeToString()
    assert rogue.send(rich).code == ENDORSEMENT_POLICY_FAILURE
    foreign = rogue.draft()
    foreign.private = {implicit_collection(scene.maker.msp_id): {"terms/A1/0000000001": b"junk"}}
    assert rogue.send(foreign).code == ENDORSEMENT_POLICY_FAILURE


def test_with_enough_accomplices_anything_is_valid(own_scene: Scene) -> None:
    rogue = Rogue(own_scene.consortium, "forge")
    rich = rogue.draft()
    rich.writes["balance/NobodyMSP"] = Balance(amount_micro=10**12).SerializeToString()
    helpers = [peer_of(own_scene.consortium, member.msp_id) for member in (own_scene.maker, own_scene.bank)]
    assert rogue.send(rich, rogue.peer(), *helpers).code == VALID


def test_more_endorsers_than_needed_do_no_harm_on_the_ledger(scene: Scene, rogue: Rogue) -> None:
    request = TransferTokens(to_msp_id=scene.maker.msp_id, amount_micro=TOKEN)
    endorsed = rogue.endorsed("token.transfer", request, role="treasurer")
    assert rogue.send_endorsed(endorsed, peer_of(scene.consortium, "FactoryMSP"), role="treasurer").code == VALID


def test_a_member_that_runs_its_own_chaincode_answers_as_it_likes(scene: Scene, rogue: Rogue) -> None:
    async def lie(_stub: Stub) -> ContractAnswer:
        return ContractAnswer(400, "WrongSignature: of no batch", b"")

    request = TransferTokens(to_msp_id=scene.maker.msp_id, amount_micro=TOKEN)
    with rogue.running(lie), pytest.raises((EndorseError, WrongSignature), match="of no batch"):
        rogue.endorsed("token.transfer", request, role="treasurer", endorsers=[rogue.msp_id])
