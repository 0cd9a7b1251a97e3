"""The hostile member of a script: from a step on it endorses nothing, or junk, and makes transactions by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache
from random import Random

from tests.attacks.junk_contracts import JUNK_CONTRACTS, SILENCE
from tests.simulation.script import MEMBERS

ONE_IN = 5
HOUR_S = 3600
# Certificates are valid from today on, and audits look at that.
MICROS = 10**6


@dataclass(frozen=True)
class Hostile:
    """`accomplice` keeps to the rules but in the one account that it has with the hostile member for that."""

    member: str
    accomplice: str
    from_step: int
    # What its peer does from then on, one thing after the other.
    tempers: tuple[str, ...]
    begin_us: int = field(default_factory=lambda: begin_us())

    @property
    def honest(self) -> list[str]:
        return [name for name in MEMBERS if name not in (self.member, self.accomplice)]


# What can be played on Fabric in no time.
EVERYWHERE = tuple(JUNK_CONTRACTS)
ON_FABRIC = tuple(name for name in JUNK_CONTRACTS if name != SILENCE)


def hostile_of(seed: int, steps: int, tempers: tuple[str, ...] = EVERYWHERE) -> Hostile | None:
    """In one script of five."""
    if seed % ONE_IN:
        return None
    lots = Random(seed)  # noqa: S311
    member, accomplice = lots.sample(MEMBERS, 2)
    return Hostile(member, accomplice, lots.randint(steps // 10 + 1, steps * 2 // 3 + 1), tempers)


@cache
def begin_us() -> int:
    """The same for every script of this process, whose records can then be compared."""
    return (time.time_ns() // 1000 // MICROS // HOUR_S + 1) * HOUR_S * MICROS
