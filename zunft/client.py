"""A client of a member's node: for its machines, its ERP, and the command line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, NoReturn, Self, TypeVar

import grpc
import grpc.aio

from zunft.connection import RECONNECT_OPTIONS, TlsMaterial
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    AccountBalance,
    AccountPage,
    AlarmPage,
    AuthoriseStartRequest,
    BatchPage,
    BatchProgress,
    DecideBatchRequest,
    GetBalanceRequest,
    GetStatementRequest,
    GetStatusRequest,
    InvoicePage,
    LedgerNotice,
    ListAccountsRequest,
    ListAlarmsRequest,
    ListBatchesRequest,
    ListInvoicesRequest,
    NodeStatus,
    StartAuthorisation,
    StatementPage,
    WatchEventsRequest,
)
from zunft.v1.node_pb2_grpc import NodeStub
from zunft.v1.usage_pb2 import SignedBatch

Answer = TypeVar("Answer")


# The key of the trailing metadata that carries a Refusal.
REFUSAL_KEY = "zunft-refusal-bin"
# The largest message in either direction.
MAX_MESSAGE_BYTES = 16_000_000

# The names in a Refusal that this client makes itself, where the node has not answered, or not with a Refusal.
UNREACHABLE, FAILED = "NodeUnreachable", "NodeError"


class NodeRefusal(Exception):
    """The node's refusal of a call: `error` names the reason, and the text the remedy."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.error = refusal.error


class NodeClient:
    """The client. Every method raises the error that `error_of` makes of the node's refusal."""

    def __init__(self, address: str, tls: TlsMaterial, error_of: Callable[[Refusal], Exception] = NodeRefusal) -> None:
        """A client of the node at `address`, host:port; it connects with the first call."""
        credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
        options = [
            *RECONNECT_OPTIONS,
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ]
        self._address = address
        self._error_of = error_of
        self._channel = grpc.aio.secure_channel(address, credentials, options=options)
        # Generated without annotations.
        self._stub: Any = NodeStub(self._channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._channel.close()

    def submit_batches(
        self, batches: Iterable[SignedBatch] | AsyncIterable[SignedBatch]
    ) -> AsyncGenerator[BatchProgress]:
        """Sends batches, and yields the new states of each, until each is committed, refused, or waits."""
        return self._stream(self._stub.SubmitBatches(batches))

    async def authorise_start(self, agreement_id: str, meter_id: str, wanted_micro: int = 0) -> StartAuthorisation:
        """The node's answer whether the machine may start, and the available amount."""
        request = AuthoriseStartRequest(agreement_id=agreement_id, meter_id=meter_id, wanted_micro=wanted_micro)
        return await self._answer(self._stub.AuthoriseStart(request))

    async def balance(self, agreement_id: str) -> AccountBalance:
        return await self._answer(self._stub.GetBalance(GetBalanceRequest(agreement_id=agreement_id)))

    async def accounts(self, request: ListAccountsRequest) -> AccountPage:
        return await self._answer(self._stub.ListAccounts(request))

    async def statement(self, request: GetStatementRequest) -> StatementPage:
        return await self._answer(self._stub.GetStatement(request))

    async def invoices(self, request: ListInvoicesRequest) -> InvoicePage:
        return await self._answer(self._stub.ListInvoices(request))

    def events(self, request: WatchEventsRequest) -> AsyncGenerator[LedgerNotice]:
        """The past events after the cursor, then the new ones, without an end."""
        return self._stream(self._stub.WatchEvents(request))

    async def alarms(self, request: ListAlarmsRequest) -> AlarmPage:
        """A page of the alarms about records on the ledger that the contract did not write."""
        return await self._answer(self._stub.ListAlarms(request))

    async def status(self, *, reached_height: int = 0) -> NodeStatus:
        """The node's status, as soon as it has this many blocks."""
        return await self._answer(self._stub.GetStatus(GetStatusRequest(reached_height=reached_height)))

    async def batches(self, request: ListBatchesRequest) -> BatchPage:
        """A page of the journal's batches that are not charged."""
        return await self._answer(self._stub.ListBatches(request))

    async def decide(self, request: DecideBatchRequest) -> BatchProgress:
        """Sends a person's decision about a batch, and returns the batch's state after it."""
        return await self._answer(self._stub.DecideBatch(request))

    async def _answer(self, call: Awaitable[Answer]) -> Answer:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            self._raise(error)

    async def _stream(self, call: Any) -> AsyncGenerator[Any]:
        try:
            async for item in call:
                yield item
        except grpc.aio.AioRpcError as error:
            self._raise(error)
        finally:
            # A caller that leaves the loop early ends the call.
            call.cancel()

    def _raise(self, error: grpc.aio.AioRpcError) -> NoReturn:
        raise self._error_of(self._refusal_in(error)) from error

    def _refusal_in(self, error: grpc.aio.AioRpcError) -> Refusal:
        for key, value in error.trailing_metadata() or ():
            if key == REFUSAL_KEY and isinstance(value, bytes):
                return Refusal.FromString(value)
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            return Refusal(error=FAILED, message=f"the node at {self._address}: {error.details()}")
        return Refusal(
            error=UNREACHABLE,
            message=f"the node at {self._address} does not answer ({error.details()}): start it with 'zunft node run', "
            "and use a certificate that this member issued",
        )
