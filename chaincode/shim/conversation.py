"""One stream with one peer: registration, then any number of transactions at a time.

    chaincode                                   peer
    REGISTER (chaincode id)              ─►
                                         ◄─     REGISTERED, READY (its limits for one message)
                                         ◄─     TRANSACTION or INIT (channel, transaction id)
    GET_STATE, ... one at a time         ─►
                                         ◄─     RESPONSE or ERROR
    WRITE_BATCH_STATE                    ─►
                                         ◄─     RESPONSE
    COMPLETED (response, event)          ─►
    KEEPALIVE                           ◄─►     KEEPALIVE

Source: Fabric's message definitions, peer/chaincode_shim.proto.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass

from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim

from chaincode.shim.errors import InvalidRequest, ProtocolError, StreamEnded
from chaincode.shim.limits import PeerLimits, read_limits
from chaincode.shim.requests import Requests
from chaincode.shim.transaction import Handler, run_transaction

log = logging.getLogger(__name__)

_MESSAGE = shim.ChaincodeMessage
# A peer's own default, chaincode.executetimeout in core.yaml; after it nobody waits for the response.
DEFAULT_TIMEOUT_S = 30
# A peer that does not know the chaincode id never answers, and waits for minutes itself.
GREETING_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Chaincode:
    """The chaincode that a peer calls.

    `chaincode_id` is the installed package's id, label:hash; `msp_id` is the member whose peers it serves. It gives up
    a transaction that takes longer than `timeout_s`, which should be the same as the peer's chaincode.executetimeout.
    """

    chaincode_id: str
    handler: Handler
    msp_id: str
    timeout_s: int = DEFAULT_TIMEOUT_S

    def __post_init__(self) -> None:
        if not self.chaincode_id:
            raise InvalidRequest("the chaincode id is empty: give the installed package's id, label:hash")


class Conversation:
    """The protocol from incoming to outgoing messages, without the transport. An object serves one stream only."""

    def __init__(self, chaincode: Chaincode) -> None:
        self._chaincode = chaincode
        self._limits = PeerLimits()
        self._transactions: dict[tuple[str, str], Requests] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outgoing: asyncio.Queue[shim.ChaincodeMessage | None] = asyncio.Queue()
        self._is_stopping = False
        # The type of the message that may come next: the state of the protocol.
        self._state = _MESSAGE.REGISTERED
        self._greeting = asyncio.timeout(GREETING_TIMEOUT_S)

    async def run(self, incoming: AsyncIterable[shim.ChaincodeMessage]) -> AsyncGenerator[shim.ChaincodeMessage]:
        """The messages to the peer, until the peer ends the stream. Then all transactions that still run are cancelled.

        Raises ProtocolError, and the errors of `incoming`.
        """
        reader = asyncio.create_task(self._read(incoming))
        try:
            yield _register(self._chaincode.chaincode_id)
            while message := await self._outgoing.get():
                yield message
            if not self._is_stopping:
                await reader
        finally:
            await self._end(reader)

    async def stop(self, grace_s: int) -> None:
        """Ends the conversation when all running transactions are answered, or after the grace."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        self._is_stopping = True
        self._outgoing.put_nowait(None)

    # --- from the peer ----------------------------------------------------------------------------------------------

    async def _read(self, incoming: AsyncIterable[shim.ChaincodeMessage]) -> None:
        try:
            async with self._greeting:
                async for message in incoming:
                    self._take(message)
        except TimeoutError as error:
            raise ProtocolError(
                f"the peer did not accept {self._chaincode.chaincode_id} within {GREETING_TIMEOUT_S} s: check that this"
                " is the id of the package that is installed there, label:hash"
            ) from error
        finally:
            self._outgoing.put_nowait(None)

    def _take(self, message: shim.ChaincodeMessage) -> None:
        if message.type == _MESSAGE.KEEPALIVE:
            self._send(message)
        elif self._state != _MESSAGE.TRANSACTION:
            self._take_greeting(message)
        elif message.type in (_MESSAGE.RESPONSE, _MESSAGE.ERROR):
            self._take_answer(message)
        elif message.type in (_MESSAGE.TRANSACTION, _MESSAGE.INIT):
            self._take_call(message)
        else:
            raise _unforeseen(message, "TRANSACTION, INIT, RESPONSE or ERROR")

    def _take_greeting(self, message: shim.ChaincodeMessage) -> None:
        if message.type != self._state:
            raise _unforeseen(message, _MESSAGE.Type.Name(self._state))
        if message.type == _MESSAGE.REGISTERED:
            self._state = _MESSAGE.READY
        else:
            self._limits = read_limits(message.payload)
            self._state = _MESSAGE.TRANSACTION
            self._greeting.reschedule(None)
            log.info("a peer is ready to call %s", self._chaincode.chaincode_id)

    def _take_answer(self, message: shim.ChaincodeMessage) -> None:
        requests = self._transactions.get(_key(message))
        if not requests or not requests.answer(message):
            log.debug("the peer answered what transaction %s did not ask", message.txid)
        self._forget_finished(_key(message))

    def _take_call(self, message: shim.ChaincodeMessage) -> None:
        if _key(message) in self._transactions:
            reason = b"this transaction is still running here: propose it again with a fresh nonce"
            self._send(_MESSAGE(type=_MESSAGE.ERROR, payload=reason, txid=message.txid, channel_id=message.channel_id))
            return
        requests = Requests(message.channel_id, message.txid, self._send)
        self._transactions[_key(message)] = requests
        task = asyncio.create_task(self._run_transaction(message, requests))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- to the peer ------------------------------------------------------------------------------------------------

    def _send(self, message: shim.ChaincodeMessage) -> None:
        self._outgoing.put_nowait(message)

    async def _run_transaction(self, call: shim.ChaincodeMessage, requests: Requests) -> None:
        code = self._chaincode
        try:
            self._send(await run_transaction(call, requests, code.handler, self._limits, code.msp_id, code.timeout_s))
        finally:
            requests.close()
            self._forget_finished(_key(call))

    def _forget_finished(self, key: tuple[str, str]) -> None:
        """Forgets the transaction, if no answer is due to it that a later call of it could take for its own."""
        requests = self._transactions.get(key)
        if requests and requests.is_finished:
            del self._transactions[key]

    async def _end(self, reader: asyncio.Task[None]) -> None:
        ended = StreamEnded("the connection to the peer ended before the transaction did")
        for requests in self._transactions.values():
            requests.close(ended)
        for task in (reader, *self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(reader, *self._tasks, return_exceptions=True)


def _register(chaincode_id: str) -> shim.ChaincodeMessage:
    payload = chaincode_pb2.ChaincodeID(name=chaincode_id).SerializeToString()
    return _MESSAGE(type=_MESSAGE.REGISTER, payload=payload)


def _key(message: shim.ChaincodeMessage) -> tuple[str, str]:
    return message.channel_id, message.txid


def _unforeseen(message: shim.ChaincodeMessage, expected: str) -> ProtocolError:
    try:
        name = _MESSAGE.Type.Name(message.type)
    except ValueError:
        name = f"message type {message.type}"
    return ProtocolError(f"the peer sent {name} where {expected} was due: is it a Fabric peer of version 2 or 3?")
