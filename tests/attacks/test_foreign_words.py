"""Other members' peers send commands to a terminal in the words of their answers."""

from __future__ import annotations

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2

from chaincode.contract import ContractAnswer
from chaincode.errors import ContractError
from chaincode.stub import Stub
from ledger.errors import TransportError
from ledger.gateway import (
    EndorseError,
    GatewayError,
)
from tests.attacks.rogue import Rogue
from tests.conformance.scene import Scene
from tests.harness import TOKEN
from zunft.v1.token_pb2 import TransferTokens

# This clears the screen, renames the window, begins the line again, and turns the text around.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\rall is well\u202e\n" + "a" * 100_000


@pytest.mark.fault(29)
@pytest.mark.parametrize("words", [f"WrongSignature: {HOSTILE}", HOSTILE], ids=["a refusal", "anything"])
def test_a_peer_s_answer_is_printable(scene: Scene, words: str) -> None:
    async def answer(_stub: Stub) -> ContractAnswer:
        return ContractAnswer(400, words, b"")

    request = TransferTokens(to_msp_id=scene.maker.msp_id, amount_micro=TOKEN)
    rogue = Rogue(scene.consortium, "forge")
    with rogue.running(answer), pytest.raises((GatewayError, ContractError)) as caught:
        rogue.endorsed("token.transfer", request, role="treasurer", endorsers=[rogue.msp_id])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 10_000


@pytest.mark.fault(29)
def test_every_answer_of_a_ledger_is_printable() -> None:
    detail = gateway_pb2.ErrorDetail(address=HOSTILE, msp_id=HOSTILE, message=HOSTILE)
    error = EndorseError.refused(TransportError(grpc.StatusCode.ABORTED, HOSTILE, (detail,)))
    assert str(error).isprintable()
    assert all(one.message.isprintable() and one.msp_id.isprintable() for one in error.details)
