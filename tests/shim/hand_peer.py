"""A peer whose messages a test sends one by one, for cases that a real peer shows only by chance."""

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
    """Sends and receives single messages, of the transaction "tx" unless another one is named."""

    def __init__(self, handler: Handler, timeout_s: int = 30) -> None:
        self._to_chaincode: asyncio.Queue[M | None] = asyncio.Queue()
        self.conversation = Conversation(Chaincode("label:hash", handler, "AlphaMSP", timeout_s))
        self.outgoing = self.conversation.run(self._sent())

    async def _sent(self) -> AsyncGenerator[M]:
        while message := await self._to_chaincode.get():
            yield message

    def send(self, kind: int, payload: bytes | Message = b"", tx_id: str = "tx") -> None:
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        self._to_chaincode.put_nowait(M(type=kind, payload=data, txid=tx_id, channel_id="channel"))

    def hang_up(self) -> None:
        self._to_chaincode.put_nowait(None)

    async def receive(self, kind: int) -> M:
        """The chaincode's next message, which must be of this kind."""
        message = await asyncio.wait_for(anext(self.outgoing), SILENCE_S)
        assert M.Type.Name(message.type) == M.Type.Name(kind), message
        return message

    async def greet(self, limits: chaincode_pb2.ChaincodeAdditionalParams | None = None) -> None:
        await self.receive(M.REGISTER)
        self.send(M.REGISTERED, tx_id="")
        self.send(M.READY, limits or b"", tx_id="")

    def call(self, *args: bytes, kind: int = M.TRANSACTION, tx_id: str = "tx") -> None:
        self.send(kind, chaincode_pb2.ChaincodeInput(args=args), tx_id)

    async def receive_response(self) -> proposal_response_pb2.Response:
        return proposal_response_pb2.Response.FromString((await self.receive(M.COMPLETED)).payload)


def with_peer(handler: Handler, play: Callable[[HandPeer], object], timeout_s: int = 30) -> None:
    """Runs `play` with a peer that has greeted the chaincode."""

    async def run() -> None:
        peer = HandPeer(handler, timeout_s)
        await peer.greet()
        await play(peer)  # type: ignore[misc]
        await peer.outgoing.aclose()

    asyncio.run(run())
