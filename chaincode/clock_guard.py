"""Compares a proposal's time with the endorser's clock.

Contracts have no clock: they take the time that the client wrote into its proposal, and notice periods, cut-offs and
the end of an agreement depend on it. Nothing in Fabric checks it. So every program that runs a contract puts this guard
before it and gives it a clock; the contract itself stays free of clocks.

Two endorsers' clocks differ, so one may refuse a proposal that the other one runs. That cannot make their read sets
differ: a refusal is no endorsement, and no read or write of the contract has happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chaincode.checks import MAX_CLOCK_SKEW_S, format_duration
from chaincode.contract import ContractAnswer, refused
from chaincode.errors import ClockSkew
from chaincode.stub import Stub

Answer = TypeVar("Answer")


def guarded(
    invoke: Callable[[Stub], Awaitable[Answer]], clock_us: Callable[[], int]
) -> Callable[[Stub], Awaitable[Answer | ContractAnswer]]:
    """A handler that runs `invoke` for proposals with the right time, and refuses others.

    `clock_us` gives microseconds since 1970 UTC.
    """

    async def handler(stub: Stub) -> Answer | ContractAnswer:
        try:
            check_time(stub.timestamp_us, clock_us())
        except ClockSkew as error:
            return refused(error)
        return await invoke(stub)

    return handler


def check_time(timestamp_us: int, now_us: int) -> None:
    """Checks that the two times, microseconds since 1970 UTC, are close to each other. Raises ClockSkew."""
    off_us = abs(timestamp_us - now_us)
    if off_us > MAX_CLOCK_SKEW_S * 1_000_000:
        off = format_duration(off_us // 1_000_000)
        way = "ahead of" if timestamp_us > now_us else "behind"
        raise ClockSkew(
            f"the transaction's time is {off} {way} the endorser's, more than {format_duration(MAX_CLOCK_SKEW_S)}:"
            " set the clock of the machine that sent it, then send it again"
        )
