"""A transport to a ledger that fails where a test wants it to fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2

from ledger.errors import TransportError
from ledger.transport import LedgerTransport

AWAY = TransportError(grpc.StatusCode.UNAVAILABLE, "the peer is away")
OVERLOADED = TransportError(
    grpc.StatusCode.UNKNOWN, "too many requests for /gateway.Gateway, exceeding concurrency limit (500)"
)
NOT_OPEN_YET = TransportError(
    grpc.StatusCode.ABORTED,
    "received unsuccessful response from orderer: status=BAD_REQUEST, info=channel does not exist",
)

Answer = TypeVar("Answer")


class UnreliableTransport:
    """A `LedgerTransport`. It raises `failures` before a call reaches the ledger, and `lost` after it has.

    Calls in `hanging` never return.
    """

    def __init__(self, ledger: LedgerTransport) -> None:
        self._ledger = ledger
        self.failures: dict[str, list[TransportError]] = {}
        self.lost: dict[str, list[TransportError]] = {}
        self.hanging: set[str] = set()
        # A stream breaks after so many items, and never if this is None.
        self.items_per_connection: int | None = None
        self.calls: Counter[str] = Counter()
        self.under_way = 0
        self.most_under_way = 0

    async def evaluate(self, request: gateway_pb2.EvaluateRequest) -> gateway_pb2.EvaluateResponse:
        return await self._call("evaluate", lambda: self._ledger.evaluate(request))

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> gateway_pb2.EndorseResponse:
        return await self._call("endorse", lambda: self._ledger.endorse(request))

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse:
        return await self._call("submit", lambda: self._ledger.submit(request))

    async def commit_status(self, request: gateway_pb2.SignedCommitStatusRequest) -> gateway_pb2.CommitStatusResponse:
        return await self._call("commit_status", lambda: self._ledger.commit_status(request))

    def chaincode_events(
        self, request: gateway_pb2.SignedChaincodeEventsRequest
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        return self._stream("chaincode_events", self._ledger.chaincode_events(request))

    def deliver(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        return self._stream("deliver", self._ledger.deliver(request))

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        return self._stream("deliver", self._ledger.deliver_filtered(request))

    def deliver_with_private_data(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        return self._stream("deliver", self._ledger.deliver_with_private_data(request))

    async def broadcast(self, envelope: common_pb2.Envelope) -> ab_pb2.BroadcastResponse:
        return await self._call("broadcast", lambda: self._ledger.broadcast(envelope))

    async def close(self) -> None:
        await self._ledger.close()

    async def _call(self, name: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        self.calls[name] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._fail_if_due(name, self.failures)
            answer = await call()
            await self._fail_if_due(name, self.lost)
            return answer
        finally:
            self.under_way -= 1

    async def _fail_if_due(self, name: str, failures: dict[str, list[TransportError]]) -> None:
        await asyncio.sleep(0)
        if name in self.hanging:
            await asyncio.Event().wait()
        if failures.get(name):
            raise failures[name].pop(0)

    async def _stream(self, name: str, stream: AsyncIterator[Answer]) -> AsyncIterator[Answer]:
        self.calls[name] += 1
        await self._fail_if_due(name, self.failures)
        count = 0
        async for item in stream:
            if count == self.items_per_connection:
                raise AWAY
            yield item
            count += 1
