"""Holds a proposal's time against the endorser's clock.

Contracts have no clock: they take the time that the client wrote into its proposal, and notice periods, cut-offs and
the end of an agreement hang on it. Nothing in Fabric checks it. So whoever runs a contract puts this guard before it
and hands in a clock; the contract itself stays free of clocks.

Two endorsers' clocks differ, so one may refuse what the other runs. That cannot make their read sets differ: a refusal
is no endorsement at all, and no read or write of the contract has happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chaincode.checks import MAX_CLOCK_SKEW_S, format_duration
from chaincode.contract import Response, refusal
from chaincode.errors import ClockSkew
from chaincode.stub import Stub

Answer = TypeVar("Answer")


def guarded(
    invoke: Callable[[Stub], Awaitable[Answer]], clock_us: Callable[[], int]
) -> Callable[[Stub], Awaitable[Answer | Response]]:
    """Runs `invoke` for proposals of this time, and refuses others; `clock_us` gives microseconds since 1970 UTC."""

    async def handler(stub: Stub) -> Answer | Response:
        try:
            check_time(stub.timestamp_us, clock_us())
        except ClockSkew as error:
            return refusal(error)
        return await invoke(stub)

    return handler


def check_time(timestamp_us: int, now_us: int) -> None:
    """Both microseconds since 1970 UTC. Raises ClockSkew."""
    off_us = abs(timestamp_us - now_us)
    if off_us > MAX_CLOCK_SKEW_S * 1_000_000:
        off = format_duration(off_us // 1_000_000)
        way = "ahead of" if timestamp_us > now_us else "behind"
        raise ClockSkew(
            f"the transaction's time is {off} {way} the endorser's, more than {format_duration(MAX_CLOCK_SKEW_S)}:"
            " set the clock of the machine that sent it, then send it again"
        )
