"""How a client reaches a ledger: Fabric's Gateway, Deliver and AtomicBroadcast services, in this process or over gRPC.

Messages are Fabric's own, so the client above cannot tell which kind of ledger answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2


class LedgerTransport(Protocol):
    """The services of the member's peer. Every method raises `TransportError`."""

    async def evaluate(self, request: gateway_pb2.EvaluateRequest) -> gateway_pb2.EvaluateResponse: ...

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> gateway_pb2.EndorseResponse: ...

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse: ...

    async def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest
    ) -> gateway_pb2.CommitStatusResponse: ...

    def chaincode_events(
        self, request: gateway_pb2.SignedChaincodeEventsRequest
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]: ...

    def deliver(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The blocks that a signed DELIVER_SEEK_INFO envelope asks for."""

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The same blocks, reduced to the transactions' ids, validation codes, and events without their payload."""

    def deliver_with_private_data(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The same blocks, with the private data that the asking member may have."""

    async def broadcast(self, envelope: common_pb2.Envelope) -> ab_pb2.BroadcastResponse:
        """Hands a signed CONFIG_UPDATE envelope to an orderer, whose status says whether and why it refuses.

        The embedded ledger and every orderer offer this service; a Fabric peer answers UNIMPLEMENTED.
        """

    async def close(self) -> None: ...
