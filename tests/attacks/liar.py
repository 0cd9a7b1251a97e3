"""A customer whose peer refuses the provider's usage with invented sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chaincode.contract import ContractAnswer, invoke
from chaincode.stub import Stub
from ledger.gateway import Gateway
from tests.attacks.rogue import Rogue
from tests.harness import Deal
from tests.node.nodes import last_states, send
from zunft.client import NodeClient
from zunft.v1.node_pb2 import (
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
    BatchProgress,
)
from zunft.v1.usage_pb2 import SignedBatch


@dataclass
class Lie:
    """The invented refusal of the next transactions of this kind; `times` counts down."""

    words: str
    times: int
    kind: str = "usage.submit"
    status: int = 400

    def counts_for(self, name: str) -> bool:
        counts = name == self.kind and self.times > 0
        self.times -= counts
        return counts


@contextmanager
def lying_customer(deal: Deal, lie: Lie) -> Iterator[Gateway]:
    """The provider's gateway while the customer's peer lies."""

    async def answer(stub: Stub) -> ContractAnswer:
        honest = await invoke(stub)
        return ContractAnswer(lie.status, lie.words, b"") if lie.counts_for(stub.args[0].decode()) else honest

    with Rogue(deal.consortium, deal.customer.name).running(answer):
        yield deal.consortium.gateway(deal.provider.msp_id, "erp")


WAITING = {
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
}


async def until_charged(client: NodeClient, batches: list[SignedBatch]) -> list[BatchProgress]:
    """The states of the batches, which are sent again until none of them waits any more."""
    async with asyncio.timeout(30):
        while True:
            states = await send(client, *batches)
            if WAITING.isdisjoint(last_states(states).values()):
                return states
            await asyncio.sleep(0.2)
