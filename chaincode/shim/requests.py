"""The requests of one transaction to its peer, sent one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from fabric_protos.peer import chaincode_shim_pb2 as shim
from google.protobuf.message import Message

from chaincode.shim.errors import MessageTooLarge, PeerError, ShimError, StreamEnded, TransactionOver
from chaincode.shim.limits import MAX_MESSAGE_BYTES

Send = Callable[[shim.ChaincodeMessage], None]

# A part of a peer's error after its own time-out has ended the transaction.
_UNKNOWN_TRANSACTION = "no ledger context"


class Requests:
    """The queue of one transaction's requests: peers drop a second request while the first is unanswered.

    If contract code gives up on a request, its answer is still awaited and dropped, so that later answers match.
    """

    def __init__(self, channel_id: str, tx_id: str, send: Send) -> None:
        self.channel_id = channel_id
        self.tx_id = tx_id
        self._send = send
        self._line: deque[tuple[shim.ChaincodeMessage, asyncio.Future[bytes]]] = deque()
        self._is_closed = False

    @property
    def is_finished(self) -> bool:
        """Whether no more requests come, and no answer of the peer is due."""
        return self._is_closed and not self._line

    async def ask(self, kind: int, payload: Message) -> bytes:
        """Sends a request and returns its answer's payload. Raises PeerError, StreamEnded, MessageTooLarge."""
        if self._is_closed:
            raise StreamEnded("the transaction has ended: await all of its requests before the response")
        message = self.message(kind, payload.SerializeToString())
        check_size(message)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._line.append((message, answer))
        if len(self._line) == 1:
            self._send(message)
        return await answer

    def answer(self, reply: shim.ChaincodeMessage) -> bool:
        """Gives RESPONSE or ERROR to the oldest request; returns False if there is no request."""
        if not self._line:
            return False
        request, answer = self._line.popleft()
        if not answer.done():
            _resolve(request, answer, reply)
        self._send_next()
        return True

    def close(self, reason: ShimError | None = None) -> None:
        """Takes no more requests. With a reason (the stream's end), the waiting requests fail with it."""
        self._is_closed = True
        if reason:
            for _, answer in self._line:
                if not answer.done():
                    answer.set_exception(reason)
            self._line.clear()

    def message(self, kind: int, payload: bytes) -> shim.ChaincodeMessage:
        """A message of this transaction."""
        return shim.ChaincodeMessage(type=kind, payload=payload, txid=self.tx_id, channel_id=self.channel_id)

    def _send_next(self) -> None:
        while self._line and self._line[0][1].done():
            self._line.popleft()
        if self._line:
            self._send(self._line[0][0])


def check_size(message: shim.ChaincodeMessage) -> None:
    """Checks that a peer takes a message of this size. Raises MessageTooLarge."""
    size = message.ByteSize()
    if size > MAX_MESSAGE_BYTES:
        kind = shim.ChaincodeMessage.Type.Name(message.type)
        raise MessageTooLarge(
            f"{kind} has {size} bytes and a peer takes {MAX_MESSAGE_BYTES}: split the value or answer with less"
        )


def _resolve(request: shim.ChaincodeMessage, answer: asyncio.Future[bytes], reply: shim.ChaincodeMessage) -> None:
    if reply.type == shim.ChaincodeMessage.RESPONSE:
        answer.set_result(bytes(reply.payload))
        return
    reason = reply.payload.decode(errors="replace")
    refused = TransactionOver if _UNKNOWN_TRANSACTION in reason else PeerError
    answer.set_exception(refused(shim.ChaincodeMessage.Type.Name(request.type), reason))
