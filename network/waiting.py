"""Waiting for another process, with a limit, and knowing what for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from network.errors import NotInTime

PAUSE_S = 0.2
JOIN_TIMEOUT_S = 60
# Until orderers have a leader, and peers know each other.
AGREE_TIMEOUT_S = 90
# Who catches up gets blocks all the while, from whichever orderer answers.
STALL_TIMEOUT_S = 60

Answer = TypeVar("Answer")


async def until(
    attempt: Callable[[], Awaitable[Answer]], what: str, *, timeout_s: float, passing: tuple[type[Exception], ...]
) -> Answer:
    """Repeats what fails while others start; `passing` are the failures that may be over in a moment.

    Raises NotInTime, which says `what` was waited for and the last failure, and at once whatever is not passing.
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
                raise NotInTime(f"{what} did not come about within {timeout_s:.0f} s: {reason}") from error
        await asyncio.sleep(PAUSE_S)


async def until_caught_up(
    attempt: Callable[[], Awaitable[Answer]],
    what: str,
    *,
    height: Callable[[], Awaitable[int]],
    stall_s: float,
    passing: tuple[type[Exception], ...],
) -> Answer:
    """Like `until` for what takes the longer the longer the channel is: the limit is for a time without a new block.

    Raises NotInTime, and at once whatever is not passing.
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
