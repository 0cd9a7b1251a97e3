"""Waits for other processes, with a time limit and a name for what is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from network.errors import NotInTime

PAUSE_S = 0.2
JOIN_TIMEOUT_S = 60
# The time limit for orderers to have a leader, and for peers to know each other.
AGREE_TIMEOUT_S = 90
# A node that catches up gets blocks all the time, so a minute without one means that something is wrong.
STALL_TIMEOUT_S = 60

Answer = TypeVar("Answer")


async def until(
    attempt: Callable[[], Awaitable[Answer]], what: str, *, timeout_s: float, passing: tuple[type[Exception], ...]
) -> Answer:
    """The result of `attempt`, which is repeated while it fails with one of the `passing` errors.

    Raises NotInTime with `what` and the last error; raises any other error at once.
    """
    loop = asyncio.get_running_loop()
    may_pass: tuple[type[Exception], ...] = (TimeoutError, *passing)
    end_s = loop.time() + timeout_s
    while True:
        try:
            async with asyncio.timeout_at(end_s):
                return await attempt()
        except may_pass as error:
            if loop.time() + PAUSE_S >= end_s:
                reason = str(error) or "no answer"
                raise NotInTime(f"{what} did not happen within {timeout_s:.0f} s: {reason}") from error
        await asyncio.sleep(PAUSE_S)


async def until_caught_up(
    attempt: Callable[[], Awaitable[Answer]],
    what: str,
    *,
    height: Callable[[], Awaitable[int]],
    stall_s: float,
    passing: tuple[type[Exception], ...],
) -> Answer:
    """The result of `attempt` as in `until`, for work that takes longer in longer channels.

    The limit is for a time without a new block. Raises NotInTime; raises any error that is not passing at once.
    """
    before = 0
    while True:
        try:
            return await until(attempt, what, timeout_s=stall_s, passing=passing)
        except NotInTime:
            now = await height()
            if now <= before:
                raise
            before = now
