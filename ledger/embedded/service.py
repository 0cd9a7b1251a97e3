"""Offers Fabric's Gateway, Deliver and AtomicBroadcast services for an embedded ledger: `zunft ledger serve`.

A client cannot tell it from a peer of its own member: the peer that answers is that of the member that signed the
request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc
from fabric_protos.peer import events_pb2, events_pb2_grpc

from chaincode.limits import MESSAGE_BYTES
from chaincode.shim import ServerTls
from ledger.embedded.ledger import EmbeddedLedger
from ledger.errors import (
    LedgerError,
    TransportError,
)
from ledger.rpc_status import (
    METADATA_KEY,
    encode_details,
)

Context = grpc.aio.ServicerContext[Any, Any]
Answer = TypeVar("Answer")


class PortUnavailable(LedgerError):
    """The server cannot listen on the address."""


class LedgerServer:
    """A started server; it listens on `port`."""

    def __init__(self, server: grpc.aio.Server, port: int) -> None:
        """Only `start` calls this."""
        self._server = server
        self.port = port

    @classmethod
    async def start(cls, ledger: EmbeddedLedger, host: str, port: int, tls: ServerTls) -> LedgerServer:
        """Starts a server; port 0 takes any free port. Raises PortUnavailable."""
        server = grpc.aio.server(options=OPTIONS)
        gateway_pb2_grpc.add_GatewayServicer_to_server(GatewayService(ledger), server)
        events_pb2_grpc.add_DeliverServicer_to_server(DeliverService(ledger), server)
        ab_pb2_grpc.add_AtomicBroadcastServicer_to_server(BroadcastService(ledger), server)
        try:
            bound = server.add_secure_port(f"{host}:{port}", tls.credentials())
        except RuntimeError as error:
            raise PortUnavailable(f"cannot listen on {host}:{port}: choose a free port ({error})") from error
        await server.start()
        return cls(server, bound)

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        await self._server.wait_for_termination()

    async def stop(self, grace_s: float = 1) -> None:
        """Stops the server; calls under way get `grace_s` seconds to end."""
        await self._server.stop(grace_s)


class GatewayService(gateway_pb2_grpc.GatewayServicer):  # type: ignore[misc]
    """Implements gateway.Gateway; the methods' names are the generated ones."""

    def __init__(self, ledger: EmbeddedLedger) -> None:
        self._ledger = ledger

    async def Endorse(  # noqa: N802
        self, request: gateway_pb2.EndorseRequest, context: Context
    ) -> gateway_pb2.EndorseResponse:
        return await answered(self._ledger.endorse(request), context)

    async def Submit(  # noqa: N802
        self, request: gateway_pb2.SubmitRequest, context: Context
    ) -> gateway_pb2.SubmitResponse:
        return await answered(self._ledger.submit(request), context)

    async def CommitStatus(  # noqa: N802
        self, request: gateway_pb2.SignedCommitStatusRequest, context: Context
    ) -> gateway_pb2.CommitStatusResponse:
        return await answered(self._ledger.commit_status(request), context)

    async def Evaluate(  # noqa: N802
        self, request: gateway_pb2.EvaluateRequest, context: Context
    ) -> gateway_pb2.EvaluateResponse:
        return await answered(self._ledger.evaluate(request), context)

    async def ChaincodeEvents(  # noqa: N802
        self, request: gateway_pb2.SignedChaincodeEventsRequest, context: Context
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        async for response in streamed(self._ledger.chaincode_events(request), context):
            yield response


class BroadcastService(ab_pb2_grpc.AtomicBroadcastServicer):  # type: ignore[misc]
    """Implements orderer.AtomicBroadcast, as far as it changes the channel's configuration."""

    def __init__(self, ledger: EmbeddedLedger) -> None:
        self._ledger = ledger

    async def Broadcast(  # noqa: N802
        self, requests: AsyncIterator[common_pb2.Envelope], _context: Context
    ) -> AsyncIterator[ab_pb2.BroadcastResponse]:
        async for request in requests:
            yield await self._ledger.broadcast(request)


class DeliverService(events_pb2_grpc.DeliverServicer):  # type: ignore[misc]
    """Implements protos.Deliver; a stream may hold several requests, which are served one after the other."""

    def __init__(self, ledger: EmbeddedLedger) -> None:
        self._ledger = ledger

    async def Deliver(  # noqa: N802
        self, requests: AsyncIterator[common_pb2.Envelope], context: Context
    ) -> AsyncIterator[events_pb2.DeliverResponse]:
        async for response in delivered(self._ledger.deliver, requests, context):
            yield response

    async def DeliverFiltered(  # noqa: N802
        self, requests: AsyncIterator[common_pb2.Envelope], context: Context
    ) -> AsyncIterator[events_pb2.DeliverResponse]:
        async for response in delivered(self._ledger.deliver_filtered, requests, context):
            yield response

    async def DeliverWithPrivateData(  # noqa: N802
        self, requests: AsyncIterator[common_pb2.Envelope], context: Context
    ) -> AsyncIterator[events_pb2.DeliverResponse]:
        async for response in delivered(self._ledger.deliver_with_private_data, requests, context):
            yield response


async def answered(answer: Awaitable[Answer], context: Context) -> Answer:
    try:
        return await answer
    except TransportError as error:
        await abort(error, context)
        raise AssertionError("abort raises") from error


async def streamed(answers: AsyncIterator[Answer], context: Context) -> AsyncIterator[Answer]:
    try:
        async for answer in answers:
            yield answer
    except TransportError as error:
        await abort(error, context)


async def delivered(
    deliver: Callable[[common_pb2.Envelope], AsyncIterator[events_pb2.DeliverResponse]],
    requests: AsyncIterator[common_pb2.Envelope],
    context: Context,
) -> AsyncIterator[events_pb2.DeliverResponse]:
    async for request in requests:
        async for response in streamed(deliver(request), context):
            yield response
            if response.WhichOneof("Type") == "status" and response.status != common_pb2.SUCCESS:
                return


async def abort(error: TransportError, context: Context) -> None:
    """Ends the call with the error; each peer's answer goes where Fabric's client libraries look for it."""
    details = encode_details(error.code, str(error), error.details)
    await context.abort(error.code, str(error), ((METADATA_KEY, details),))


OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A second server on the port fails instead of sharing it.
    ("grpc.so_reuseport", 0),
    # Clients may ask every minute whether the connection still stands.
    ("grpc.http2.min_ping_interval_without_data_ms", 60_000),
    ("grpc.keepalive_permit_without_calls", 1),
]
