"""A client of a node's API, for the command line, the demo and whoever writes Python."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import grpc

from node.api.failures import REFUSAL_KEY
from node.api.server import MAX_MESSAGE_BYTES
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    AccountBalance,
    AccountPage,
    AuthoriseStartRequest,
    BatchProgress,
    EventCursor,
    GetBalanceRequest,
    GetStatementRequest,
    GetStatusRequest,
    InvoicePage,
    LedgerNotice,
    ListAccountsRequest,
    ListInvoicesRequest,
    NodeStatus,
    StartAuthorisation,
    StatementPage,
    WatchEventsRequest,
)
from zunft.v1.node_pb2_grpc import NodeStub
from zunft.v1.usage_pb2 import SignedBatch

Answer = TypeVar("Answer")


class NodeCallError(Exception):
    """A node did not do what it was asked.

    `code` is the gRPC status, `error` the name of the node's or the contract's error class, empty where there is none.
    """

    def __init__(self, code: grpc.StatusCode, error: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.error = error


@dataclass(frozen=True, slots=True)
class ClientTls:
    """PEM: the member's TLS root, the user's key and certificate. `server_name`, if given, stands for the address."""

    roots: bytes
    key: bytes
    certificate: bytes
    server_name: str = ""


class NodeClient:
    """One connection. Calls raise NodeCallError; without a `timeout_s` in seconds they wait as long as it takes."""

    def __init__(self, address: str, tls: ClientTls) -> None:
        """`address` is host:port. Connects with the first call."""
        credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
        self._address = address
        self._channel = grpc.aio.secure_channel(address, credentials, options=_options(tls.server_name))
        self._stub: Any = NodeStub(self._channel)  # type: ignore[no-untyped-call]  # generated

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all calls."""
        await self._channel.close()

    # --- machines -----------------------------------------------------------------------------------------------------

    def submit_batches(
        self, batches: Iterable[SignedBatch] | AsyncIterable[SignedBatch]
    ) -> AsyncGenerator[BatchProgress]:
        """Every new state of every batch, until all are committed, refused or wait for funds."""
        return self._stream(self._stub.SubmitBatches(batches))

    async def authorise_start(
        self, agreement_id: str, meter_id: str, *, wanted_micro: int = 0, timeout_s: float | None = None
    ) -> StartAuthorisation:
        """May the machine start, and for how much?"""
        request = AuthoriseStartRequest(agreement_id=agreement_id, meter_id=meter_id, wanted_micro=wanted_micro)
        return await self._answer(self._stub.AuthoriseStart(request, timeout=timeout_s))

    # --- people -------------------------------------------------------------------------------------------------------

    async def balance(self, agreement_id: str, *, timeout_s: float | None = None) -> AccountBalance:
        """Where the account stands."""
        return await self._answer(
            self._stub.GetBalance(GetBalanceRequest(agreement_id=agreement_id), timeout=timeout_s)
        )

    async def accounts(self, *, after: str = "", limit: int = 0, timeout_s: float | None = None) -> AccountPage:
        """The member's accounts, by agreement_id."""
        request = ListAccountsRequest(after_agreement_id=after, limit=limit)
        return await self._answer(self._stub.ListAccounts(request, timeout=timeout_s))

    async def statement(
        self, agreement_id: str, *, after_sequence: int = 0, limit: int = 0, timeout_s: float | None = None
    ) -> StatementPage:
        """The account's transactions in their order."""
        request = GetStatementRequest(agreement_id=agreement_id, after_sequence=after_sequence, limit=limit)
        return await self._answer(self._stub.GetStatement(request, timeout=timeout_s))

    async def invoices(
        self,
        agreement_id: str = "",
        *,
        after: tuple[str, int] = ("", 0),
        limit: int = 0,
        timeout_s: float | None = None,
    ) -> InvoicePage:
        """Invoices after a provider's MSP id and number; of one agreement or (empty) of all."""
        provider_msp_id, number = after
        request = ListInvoicesRequest(
            agreement_id=agreement_id, after_provider_msp_id=provider_msp_id, after_number=number, limit=limit
        )
        return await self._answer(self._stub.ListInvoices(request, timeout=timeout_s))

    def events(self, *, after: EventCursor | None = None, agreement_id: str = "") -> AsyncGenerator[LedgerNotice]:
        """The ledger's events after a cursor, past ones first; never ends by itself."""
        return self._stream(self._stub.WatchEvents(WatchEventsRequest(after=after, agreement_id=agreement_id)))

    async def status(self, *, reached_height: int = 0, timeout_s: float | None = None) -> NodeStatus:
        """How the node does, once it knows this many blocks."""
        request = GetStatusRequest(reached_height=reached_height)
        return await self._answer(self._stub.GetStatus(request, timeout=timeout_s))

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _answer(self, call: Awaitable[Answer]) -> Answer:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise _explain(error, self._address) from error

    async def _stream(self, call: AsyncIterator[Answer]) -> AsyncGenerator[Answer]:
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise _explain(error, self._address) from error
        finally:
            call.cancel()  # type: ignore[attr-defined]  # grpc's calls can be cancelled


def _explain(error: grpc.aio.AioRpcError, address: str) -> NodeCallError:
    for key, value in error.trailing_metadata() or ():
        if key == REFUSAL_KEY and isinstance(value, bytes):
            refusal = Refusal.FromString(value)
            return NodeCallError(error.code(), refusal.error, refusal.message)
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        remedy = "is it running, and is the certificate one of this member's?"
        return NodeCallError(error.code(), "", f"the node at {address} does not answer: {remedy}")
    return NodeCallError(error.code(), "", f"the node at {address}: {error.details()}")


def _options(server_name: str) -> list[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    return [*options, ("grpc.ssl_target_name_override", server_name)] if server_name else options
