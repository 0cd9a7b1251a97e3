"""One call of the ledger: how many at once, how long, and what is tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc

from node.ledger.errors import TransportError
from node.ledger.gateway.errors import GatewayError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Limits:
    """Seconds to wait for each step, and how hard to try.

    A Fabric peer answers at most 500 calls at once and refuses what comes on top, so fewer are under way.
    """

    evaluate_s: float = 30
    endorse_s: float = 30
    submit_s: float = 30
    commit_status_s: float = 60
    in_flight: int = 400
    attempts: int = 8
    first_pause_s: float = 0.05
    longest_pause_s: float = 2
    # How long a broken stream is tried to be opened again.
    reconnect_s: float = 120


class Calls:
    """Makes calls within the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._free = asyncio.Semaphore(limits.in_flight)

    async def run(
        self, call: Callable[[], Awaitable[Answer]], timeout_s: float, error: type[GatewayError], tx_id: str = ""
    ) -> Answer:
        """Raises `error`, with the ledger's reason or for lack of an answer in time."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._try(call)
        except TransportError as refusal:
            raise error.refused(refusal, tx_id) from refusal
        except TimeoutError as late:
            raise error.timed_out(timeout_s, tx_id) from late

    async def _try(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        for attempt in range(self.limits.attempts - 1):
            try:
                async with self._free:
                    return await call()
            except TransportError as error:
                if not is_passing(error):
                    raise
            await asyncio.sleep(pause_s(self.limits, attempt))
        async with self._free:
            return await call()


def is_passing(error: TransportError) -> bool:
    """The peer is away or overloaded: the same call may succeed a little later, and can do no harm if made twice."""
    return error.code is grpc.StatusCode.UNAVAILABLE or "too many requests" in str(error)


def pause_s(limits: Limits, attempt: int) -> float:
    """Twice as long each time, and never the same for all clients."""
    longest_s = min(limits.longest_pause_s, limits.first_pause_s * 2.0**attempt)
    # Nothing secret depends on it.
    return longest_s * random.uniform(0.5, 1)  # noqa: S311
