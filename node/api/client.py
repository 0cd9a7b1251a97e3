"""A client of a member's node: for its machines, its ERP, and the command line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Iterable
from types import ModuleType
from typing import Any, NoReturn, Self, TypeVar

import grpc
import grpc.aio

import chaincode.errors
import node.errors
from ledger.grpc_transport import (
    RECONNECT_OPTIONS,
    TlsFiles,
)
from node.api.failures import REFUSAL_KEY
from node.api.server import MAX_MESSAGE_BYTES
from node.errors import NodeUnreachable
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


def _leaves(module: ModuleType) -> dict[str, type[Exception]]:
    return {name: kind for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, Exception)}


_ERRORS = _leaves(chaincode.errors) | _leaves(node.errors)


class NodeClient:
    """The client. Every method raises the node's refusal as the class that it names, or NodeUnreachable."""

    def __init__(self, address: str, tls: TlsFiles) -> None:
        """A client of the node at `address`, host:port; it connects with the first call."""
        credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
        options = [
            *RECONNECT_OPTIONS,
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ]
        self._address = address
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
        """Sends batches; the new states of each, until each is committed, refused, or waits."""
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
        """Sends a person's decision about a batch; the batch's state after it."""
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
        for key, value in error.trailing_metadata() or ():
            if key == REFUSAL_KEY and isinstance(value, bytes):
                refusal = Refusal.FromString(value)
                raise _ERRORS.get(refusal.error, node.errors.NodeError)(refusal.message) from error
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise node.errors.NodeError(f"the node at {self._address}: {error.details()}") from error
        raise NodeUnreachable(
            f"the node at {self._address} does not answer ({error.details()}): start it with 'zunft node run', "
            "and use a certificate that this member issued"
        ) from error
