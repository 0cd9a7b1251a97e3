"""Recorded conversations with a real peer are repeated, message for message. `recorder.py` makes the recordings."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator

import pytest
from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from chaincode.shim.conversation import Chaincode, Conversation
from tests.shim.exercise import exercise
from tests.shim.fabric_peer import MSP_ID
from tests.shim.recording import CHAINCODE, FOLDER, PEER, Line, load

RECORDINGS = ("singly", "in_batches", "impatient")
SILENCE_S = 10


class Player:
    """Plays the peer's part: it sends each message when the chaincode has sent those before it."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._received: dict[tuple[str, str], deque[ChaincodeMessage]] = defaultdict(deque)
        self._to_chaincode: asyncio.Queue[ChaincodeMessage | None] = asyncio.Queue()

    async def play(self) -> None:
        chaincode_id = chaincode_pb2.ChaincodeID.FromString(self._lines[0].message.payload).name
        conversation = Conversation(Chaincode(chaincode_id, exercise, MSP_ID)).run(self._sent())
        for line in self._lines:
            if line.speaker == PEER:
                self._to_chaincode.put_nowait(line.message)
            else:
                assert await self._receive(line.message, conversation) == line.message
        self._to_chaincode.put_nowait(None)
        assert [message async for message in conversation] == []
        assert not any(self._received.values())

    async def _sent(self) -> AsyncGenerator[ChaincodeMessage]:
        while message := await self._to_chaincode.get():
            yield message

    async def _receive(
        self, expected: ChaincodeMessage, conversation: AsyncGenerator[ChaincodeMessage]
    ) -> ChaincodeMessage:
        """The next message of the transaction. Transactions may overtake each other."""
        place = expected.channel_id, expected.txid
        while not self._received[place]:
            message = await asyncio.wait_for(anext(conversation), SILENCE_S)
            self._received[message.channel_id, message.txid].append(message)
        return self._received[place].popleft()


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_recorded_conversation_repeats_itself(name: str) -> None:
    asyncio.run(Player(load(FOLDER / f"{name}.bin")).play())


def test_the_recordings_hold_every_type_of_message() -> None:
    held = {line.message.type for name in RECORDINGS for line in load(FOLDER / f"{name}.bin")}
    # INIT belongs to Fabric's first lifecycle. test_conversation.py has it.
    assert set(ChaincodeMessage.Type.values()) - held == {ChaincodeMessage.UNDEFINED, ChaincodeMessage.INIT}


def test_each_side_speaks_in_the_recordings() -> None:
    assert {line.speaker for name in RECORDINGS for line in load(FOLDER / f"{name}.bin")} == {PEER, CHAINCODE}
