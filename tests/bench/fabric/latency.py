"""Measures the time from a reading to its committed debit, when readings come one by one and at random."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ledger.gateway import Gateway
from tests.bench.heads import Heads, followed_heads
from tests.bench.lanes import Lane, OpenLane

SEED = 1


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The arrivals of `each` readings per account. All accounts' readings together are a Poisson process."""

    readings_per_s: float
    each: int

    def of(self, lane: int, lanes: int) -> Sequence[float]:
        """The seconds after the start at which the account's readings arrive."""
        random = np.random.default_rng([SEED, lane])
        return list(np.cumsum(random.exponential(lanes / self.readings_per_s, self.each)))


async def latencies_ms(gateway: Gateway, lanes: Sequence[Lane], arrivals: Arrivals) -> list[float]:
    """The latency of every reading. `lanes` have a transaction per reading, as if none had to wait for another."""
    opened = [await OpenLane.begin(gateway, lane.agreement_id) for lane in lanes]
    async with followed_heads(gateway) as heads:
        began = time.perf_counter()
        schedules = [arrivals.of(number, len(lanes)) for number in range(len(lanes))]
        answers = await asyncio.gather(
            *(
                _charge(account, lane, [began + due_s for due_s in schedule], heads)
                for account, lane, schedule in zip(opened, lanes, schedules, strict=True)
            )
        )
    return [latency_ms for answer in answers for latency_ms in answer]


async def _charge(account: OpenLane, lane: Lane, due_s: Sequence[float], heads: Heads) -> list[float]:
    """Charges as a node does: the next transaction has all readings that arrive while one is under way."""
    latencies: list[float] = []
    while len(latencies) < len(due_s):
        first = len(latencies)
        await asyncio.sleep(max(due_s[first] - time.perf_counter(), 0))
        now_s = time.perf_counter()
        arrived = [number for number in range(first, len(due_s)) if due_s[number] <= now_s]
        block_number = await account.charge([lane.transactions[number][0] for number in arrived])
        latencies += [(time.perf_counter() - due_s[number]) * 1000 for number in arrived]
        await account.follow_head(heads, block_number)
    return latencies
