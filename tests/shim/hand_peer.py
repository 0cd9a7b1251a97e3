"""A peer played by hand: for what a real one does only in bad luck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import Message

from chaincode.shim import Handler
from chaincode.shim.conversation import Chaincode, Conversation

SILENCE_S = 10
M = ChaincodeMessage


class HandPeer:
    """Says and hears single messages of the transaction "tx"."""

    def __init__(self, handler: Handler, timeout_s: int = 30) -> None:
        self._to_chaincode: asyncio.Queue[M | None] = asyncio.Queue()
        self.conversation = Conversation(Chaincode("label:hash", handler, "AlphaMSP", timeout_s))
        self.outgoing = self.conversation.run(self._said())

    async def _said(self) -> AsyncGenerator[M]:
        while message := await self._to_chaincode.get():
            yield message

    def say(self, kind: int, payload: bytes | Message = b"", tx_id: str = "tx") -> None:
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        self._to_chaincode.put_nowait(M(type=kind, payload=data, txid=tx_id, channel_id="channel"))

    def hang_up(self) -> None:
        self._to_chaincode.put_nowait(None)

    async def hear(self, kind: int) -> M:
        message = await asyncio.wait_for(anext(self.outgoing), SILENCE_S)
        assert M.Type.Name(message.type) == M.Type.Name(kind), message
        return message

    async def greet(self, limits: chaincode_pb2.ChaincodeAdditionalParams | None = None) -> None:
        await self.hear(M.REGISTER)
        self.say(M.REGISTERED, tx_id="")
        self.say(M.READY, limits or b"", tx_id="")

    def call(self, *args: bytes, kind: int = M.TRANSACTION, tx_id: str = "tx") -> None:
        self.say(kind, chaincode_pb2.ChaincodeInput(args=args), tx_id)

    async def hear_response(self) -> proposal_response_pb2.Response:
        return proposal_response_pb2.Response.FromString((await self.hear(M.COMPLETED)).payload)


def with_peer(handler: Handler, play: Callable[[HandPeer], object], timeout_s: int = 30) -> None:
    """Runs what `play` does with a peer that has greeted."""

    async def run() -> None:
        peer = HandPeer(handler, timeout_s)
        await peer.greet()
        await play(peer)  # type: ignore[misc]
        await peer.outgoing.aclose()

    asyncio.run(run())
