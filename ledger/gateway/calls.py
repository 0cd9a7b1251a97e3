"""Makes calls of the ledger: limits their number and time, and repeats those that failed for a passing reason."""

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

# How often a transaction that somebody waits for is proposed afresh, if another one came in between or a peer is
# behind. With the pauses between them these tries take five seconds.
RETRIES = 8


@dataclass(frozen=True)
class Limits:
    """How many seconds to wait for each step, how many calls to make at once and how often to try.

    A Fabric peer answers at most 500 calls at once and refuses further ones, so `in_flight` stays below. It gives an
    endorser 30 s (core.yaml, peer.gateway.endorsementTimeout) and then names the one that did not answer, so
    `endorse_s` is longer.
    """

    evaluate_s: float = 40
    endorse_s: float = 40
    submit_s: float = 30
    commit_status_s: float = 60
    # When a transaction that is not committed yet is sent once more; the pause doubles with each time.
    resend_s: float = 5
    in_flight: int = 400
    attempts: int = 8
    first_pause_s: float = 0.05
    longest_pause_s: float = 2
    # How long to try to open a broken stream again.
    reconnect_s: float = 120


class Calls:
    """Makes calls within the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._free = asyncio.Semaphore(limits.in_flight)

    async def run(
        self, call: Callable[[], Awaitable[Answer]], timeout_s: float, error: type[GatewayError], tx_id: str = ""
    ) -> Answer:
        """The call's answer. Raises `error` if the ledger refuses the call or does not answer in time."""
        passed: list[TransportError] = []
        try:
            async with asyncio.timeout(timeout_s):
                return await self._try(call, passed)
        except TransportError as refusal:
            raise error.refused(refusal, tx_id) from refusal
        except TimeoutError as late:
            raise error.timed_out(timeout_s, tx_id, passed[-1] if passed else None) from late

    async def _try(self, call: Callable[[], Awaitable[Answer]], passed: list[TransportError]) -> Answer:
        """The answer of the first try that succeeds; adds the refusals of the earlier ones to `passed`."""
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
    """The pause after a failed attempt: doubles with each, and is random so that clients do not return together."""
    longest_s = min(limits.longest_pause_s, limits.first_pause_s * 2.0**attempt)
    # Nothing secret depends on this random number.
    return longest_s * random.uniform(0.5, 1)  # noqa: S311
