"""The events of committed transactions, in the ledger's order, from wherever the reader stopped."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2

from node.ledger.gateway.calls import Limits
from node.ledger.gateway.checkpoint import Checkpoint
from node.ledger.gateway.identity import SigningIdentity
from node.ledger.gateway.streams import reopened
from node.ledger.transport import LedgerTransport


@dataclass(frozen=True)
class ChaincodeEvent:
    """What a transaction says it did; `name` is the transaction's."""

    block_number: int
    tx_id: str
    chaincode: str
    name: str
    payload: bytes

    @property
    def checkpoint(self) -> Checkpoint:
        """Go on after this event."""
        return Checkpoint(self.block_number, self.tx_id)


@dataclass
class EventReader:
    """Reads one chaincode's events. `position` moves with each event; None means from the next block on."""

    transport: LedgerTransport
    identity: SigningIdentity
    channel: str
    chaincode: str
    position: Checkpoint | None

    async def events(self, limits: Limits) -> AsyncGenerator[ChaincodeEvent]:
        """Without end. Raises StreamError."""
        async with aclosing(reopened(self._open, limits)) as responses:
            async for response in responses:
                for event in response.events:
                    self.position = Checkpoint(response.block_number, event.tx_id)
                    yield _event(response.block_number, event)

    def _open(self) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        request = events_request(self.channel, self.chaincode, self.identity.creator, self.position)
        signature = self.identity.sign(request)
        return self.transport.chaincode_events(
            gateway_pb2.SignedChaincodeEventsRequest(request=request, signature=signature)
        )


def events_request(channel: str, chaincode: str, creator: bytes, position: Checkpoint | None) -> bytes:
    """What the reader signs: a serialised gateway.ChaincodeEventsRequest."""
    request = gateway_pb2.ChaincodeEventsRequest(
        channel_id=channel, chaincode_id=chaincode, identity=creator, start_position=_start(position)
    )
    if position:
        request.after_transaction_id = position.tx_id
    return bytes(request.SerializeToString())


def _start(position: Checkpoint | None) -> ab_pb2.SeekPosition:
    if position is None:
        return ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=position.block_number))


def _event(block_number: int, event: gateway_pb2.ChaincodeEventsResponse) -> ChaincodeEvent:
    return ChaincodeEvent(block_number, event.tx_id, event.chaincode_id, event.event_name, event.payload)
