"""A customer whose peer refuses in invented words what the provider has charged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from fabric_protos.gateway import gateway_pb2

from chaincode.contract import Response, invoke
from chaincode.stub import Stub
from node.api.client import NodeClient
from node.ledger.errors import TransportError
from node.ledger.gateway import Gateway
from tests.attacks.rogue import Rogue
from tests.consortium import Deal
from tests.consortium.ledgers import Embedded
from tests.node.nodes import last_states, send
from zunft.v1.node_pb2 import BATCH_STATUS_WAITING_FOR_OTHER_PARTY, BatchProgress
from zunft.v1.usage_pb2 import SignedBatch


@dataclass
class Lie:
    """What the customer's peer says of the next transactions of this kind; `times` counts down."""

    words: str
    times: int
    kind: str = "usage.submit"
    status: int = 400

    def is_told(self, name: str) -> bool:
        told = name == self.kind and self.times > 0
        self.times -= told
        return told


class Lied:
    """On the embedded ledger: what the provider's own peer passes on of the other's answer, as Fabric's does."""

    def __init__(self, honest: Any, deal: Deal, lie: Lie) -> None:
        self._honest = honest
        self._deal = deal
        self._lie = lie

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> gateway_pb2.EndorseResponse:
        called = self._lie.kind.encode() in request.proposed_transaction.proposal_bytes
        if called and self._lie.is_told(self._lie.kind):
            words = f"chaincode response {self._lie.status}, {self._lie.words}"
            said = gateway_pb2.ErrorDetail(address="factory", msp_id=self._deal.customer.msp_id, message=words)
            raise TransportError(grpc.StatusCode.ABORTED, "failed to collect enough transaction endorsements", [said])
        return await self._honest.endorse(request)


@contextmanager
def told(deal: Deal, lie: Lie) -> Iterator[Gateway]:
    """The provider's gateway while the customer's peer lies: its own chaincode, or what is heard of it."""
    known = deal.consortium.gateway(deal.provider.msp_id, "erp")
    if isinstance(deal.consortium.ledger, Embedded):
        lied: Any = Lied(known.transport, deal, lie)
        yield Gateway(lied, known.identity, channel=known.channel, clock=lambda: deal.consortium.clock.now_us)
        return

    async def answer(stub: Stub) -> Response:
        honest = await invoke(stub)
        return Response(lie.status, lie.words, b"") if lie.is_told(stub.args[0].decode()) else honest

    with Rogue(deal.consortium, deal.customer.name).running(answer):
        yield known


async def until_charged(client: NodeClient, batches: list[SignedBatch]) -> list[BatchProgress]:
    """Sends them again until they do not wait any more."""
    async with asyncio.timeout(30):
        while True:
            states = await send(client, *batches)
            if BATCH_STATUS_WAITING_FOR_OTHER_PARTY not in last_states(states).values():
                return states
            await asyncio.sleep(0.2)
