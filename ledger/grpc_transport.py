"""A ledger on the other end of a TLS connection: a Fabric peer or orderer, or `zunft ledger serve`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import TypeVar

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc
from fabric_protos.peer import events_pb2, events_pb2_grpc

from chaincode.limits import MESSAGE_BYTES
from ledger.errors import TransportError
from ledger.rpc_status import decode_details
from zunft.connection import RECONNECT_OPTIONS, TlsMaterial

Answer = TypeVar("Answer")

# The beginning of the message when no process listens at the address.
NO_LEDGER = "no ledger answers at"


class GrpcTransport:
    """Implements `LedgerTransport`. One connection carries hundreds of calls at once."""

    def __init__(self, address: str, tls: TlsMaterial) -> None:
        """`address` is host:port. Connects with the first call."""
        credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
        self._address = address
        self._channel = grpc.aio.secure_channel(address, credentials, options=_options(tls.server_name))
        self._gateway = gateway_pb2_grpc.GatewayStub(self._channel)
        self._deliver = events_pb2_grpc.DeliverStub(self._channel)
        self._orderer = ab_pb2_grpc.AtomicBroadcastStub(self._channel)

    async def evaluate(self, request: gateway_pb2.EvaluateRequest) -> gateway_pb2.EvaluateResponse:
        return await self._answer(self._gateway.Evaluate(request))

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> gateway_pb2.EndorseResponse:
        return await self._answer(self._gateway.Endorse(request))

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse:
        return await self._answer(self._gateway.Submit(request))

    async def commit_status(self, request: gateway_pb2.SignedCommitStatusRequest) -> gateway_pb2.CommitStatusResponse:
        return await self._answer(self._gateway.CommitStatus(request))

    def chaincode_events(
        self, request: gateway_pb2.SignedChaincodeEventsRequest
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        return self._stream(self._gateway.ChaincodeEvents(request))

    def deliver(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        return self._stream(self._deliver.Deliver(_once(request)))

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        return self._stream(self._deliver.DeliverFiltered(_once(request)))

    def deliver_with_private_data(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        return self._stream(self._deliver.DeliverWithPrivateData(_once(request)))

    async def broadcast(self, envelope: common_pb2.Envelope) -> ab_pb2.BroadcastResponse:
        async with aclosing(self._stream(self._orderer.Broadcast(_once(envelope)))) as answers:
            async for answer in answers:
                return answer
        raise TransportError(grpc.StatusCode.UNAVAILABLE, f"{self._address} hung up without an answer")

    async def close(self) -> None:
        await self._channel.close()

    async def _answer(self, call: Awaitable[Answer]) -> Answer:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise transport_error(error, self._address) from error

    async def _stream(self, call: grpc.aio.UnaryStreamCall[object, Answer]) -> AsyncGenerator[Answer]:
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise transport_error(error, self._address) from error
        finally:
            call.cancel()


def transport_error(error: grpc.aio.AioRpcError, address: str) -> TransportError:
    """The same failure in our words, with what each peer said."""
    details = decode_details(error.trailing_metadata() or ())
    text = error.details() or error.code().name
    if "failed to connect" in text:
        text = f"{NO_LEDGER} {address}: check the address and that it is running ({text})"
    return TransportError(error.code(), text, details)


def _options(server_name: str) -> list[tuple[str, str | int]]:
    options: list[tuple[str, str | int]] = [
        *RECONNECT_OPTIONS,
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
        # Finds a dead connection; a Fabric peer closes the connection of a client that pings more than once a minute.
        ("grpc.keepalive_time_ms", 120_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    return options


async def _once(request: common_pb2.Envelope) -> AsyncGenerator[common_pb2.Envelope]:
    yield request
