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
    """The hostile member; `accomplice` breaks the rules only in the one account that it has with that member."""

    member: str
    accomplice: str
    from_step: int
    # The behaviours of its peer from then on, one after the other.
    tempers: tuple[str, ...]
    begin_us: int = field(default_factory=lambda: begin_us())

    @property
    def honest(self) -> list[str]:
        return [name for name in MEMBERS if name not in (self.member, self.accomplice)]


# The behaviours that take no time on Fabric.
EVERYWHERE = tuple(JUNK_CONTRACTS)
ON_FABRIC = tuple(name for name in JUNK_CONTRACTS if name != SILENCE)


def hostile_of(seed: int, steps: int, tempers: tuple[str, ...] = EVERYWHERE) -> Hostile | None:
    """The hostile member of a script; four scripts of five have none."""
    if seed % ONE_IN:
        return None
    lots = Random(seed)  # noqa: S311
    member, accomplice = lots.sample(MEMBERS, 2)
    return Hostile(member, accomplice, lots.randint(steps // 10 + 1, steps * 2 // 3 + 1), tempers)


@cache
def begin_us() -> int:
    """The begin of every script of this process, so that their records can be compared."""
    return (time.time_ns() // 1000 // MICROS // HOUR_S + 1) * HOUR_S * MICROS
