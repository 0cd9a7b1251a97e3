"""One call of the ledger: how many at once, how long, and what is tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from ledger.errors import TransportError
from ledger.fabric_answers import is_passing
from ledger.gateway.errors import GatewayError

Answer = TypeVar("Answer")

# How often a transaction is proposed afresh that somebody waits for: another one came in between, or a peer is behind.
# With the pauses between them they take five seconds.
RETRIES = 8


@dataclass(frozen=True)
class Limits:
    """Seconds to wait for each step, and how hard to try.

    A Fabric peer answers at most 500 calls at once and refuses what comes on top, so fewer are under way. It gives an
    endorser 30 s (core.yaml, peer.gateway.endorsementTimeout) and then says which one did not answer: wait for that.
    """

    evaluate_s: float = 40
    endorse_s: float = 40
    submit_s: float = 30
    commit_status_s: float = 60
    # When a transaction that is not committed is sent once more, and then after twice as long.
    resend_s: float = 5
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
        passed: list[TransportError] = []
        try:
            async with asyncio.timeout(timeout_s):
                return await self._try(call, passed)
        except TransportError as refusal:
            raise error.refused(refusal, tx_id) from refusal
        except TimeoutError as late:
            raise error.timed_out(timeout_s, tx_id, passed[-1] if passed else None) from late

    async def _try(self, call: Callable[[], Awaitable[Answer]], passed: list[TransportError]) -> Answer:
        """`passed` takes the refusals after which it tried again."""
        for attempt in range(self.limits.attempts - 1):
            try:
                async with self._free:
                    return await call()
            except TransportError as error:
                if not is_passing(error):
                    raise
                passed.append(error)
            await asyncio.sleep(pause_s(self.limits, attempt))
        async with self._free:
            return await call()


def pause_s(limits: Limits, attempt: int) -> float:
    """Twice as long each time, and never the same for all clients."""
    longest_s = min(limits.longest_pause_s, limits.first_pause_s * 2.0**attempt)
    # Nothing secret depends on it.
    return longest_s * random.uniform(0.5, 1)  # noqa: S311
