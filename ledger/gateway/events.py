"""Reads the events of committed transactions, in the ledger's order, from the place where the reader stopped."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2

from ledger.gateway.calls import Limits
from ledger.gateway.checkpoint import Checkpoint
from ledger.gateway.streams import reopened
from ledger.transport import LedgerTransport


@dataclass(frozen=True)
class ChaincodeEvent:
    """A transaction's own account of what it did; `name` is the transaction's."""

    block_number: int
    tx_id: str
    chaincode: str
    name: str
    payload: bytes

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of a reader that goes on after this event."""
        return Checkpoint(self.block_number, self.tx_id)


@dataclass(frozen=True)
class EventsRequest:
    """A request for a chaincode's events. `message` is what the reader signs: a gateway.ChaincodeEventsRequest."""

    message: bytes
    signature: bytes = b""

    def with_signature(self, signature: bytes) -> EventsRequest:
        return replace(self, signature=signature)

    @property
    def signed(self) -> gateway_pb2.SignedChaincodeEventsRequest:
        return gateway_pb2.SignedChaincodeEventsRequest(request=self.message, signature=self.signature)

    def to_bytes(self) -> bytes:
        """The request as a serialised gateway.SignedChaincodeEventsRequest, to be signed elsewhere."""
        return bytes(self.signed.SerializeToString())

    @classmethod
    def from_bytes(cls, data: bytes) -> EventsRequest:
        """The request that `to_bytes` has serialised. Raises DecodeError."""
        signed = gateway_pb2.SignedChaincodeEventsRequest.FromString(data)
        return cls(signed.request, signed.signature)


@dataclass
class EventReader:
    """Reads one chaincode's events. `position` moves with each event; None means from the next block on."""

    transport: LedgerTransport
    # The signed request for what comes after `position`.
    request: Callable[[Checkpoint | None], EventsRequest]
    position: Checkpoint | None

    async def events(self, limits: Limits) -> AsyncGenerator[ChaincodeEvent]:
        """The events, without end. Raises StreamError."""
        async with aclosing(events_in(reopened(self._open, limits))) as events:
            async for event in events:
                self.position = event.checkpoint
                yield event

    def _open(self) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        return self.transport.chaincode_events(self.request(self.position).signed)


async def events_in(
    responses: AsyncGenerator[gateway_pb2.ChaincodeEventsResponse],
) -> AsyncGenerator[ChaincodeEvent]:
    """The events in these responses; each response holds those of one block."""
    async with aclosing(responses):
        async for response in responses:
            for event in response.events:
                yield _event(response.block_number, event)


def events_request(channel: str, chaincode: str, creator: bytes, position: Checkpoint | None) -> EventsRequest:
    """A request for the events after `position`, not signed yet."""
    request = gateway_pb2.ChaincodeEventsRequest(
        channel_id=channel, chaincode_id=chaincode, identity=creator, start_position=_start(position)
    )
    if position:
        request.after_transaction_id = position.tx_id
    return EventsRequest(request.SerializeToString())


def _start(position: Checkpoint | None) -> ab_pb2.SeekPosition:
    if position is None:
        return ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=position.block_number))


def _event(block_number: int, event: gateway_pb2.ChaincodeEventsResponse) -> ChaincodeEvent:
    return ChaincodeEvent(block_number, event.tx_id, event.chaincode_id, event.event_name, event.payload)
