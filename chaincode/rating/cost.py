"""How much work rating would be, told before it is done: a few signed bytes may reach over decades of days.

What is counted is what a party's contract would have to do, in steps of some ten microseconds each, whose results take
less than a kilobyte. docs/scale.md has the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.errors import TooCostly
from chaincode.rating.limits import DAY_US
from chaincode.rating.plan import Plan

# Of a whole proposal: half a second, and some fifty megabytes.
STEPS_MAX = 50_000
# So many times a step takes as long.
_BAND_DAYS_A_STEP = 5
_SELECTIONS_A_STEP = 1_250


@dataclass(slots=True)
class Cost:
    """The steps of one proposal so far."""

    plan: Plan
    steps: int = 0

    def add(self, spans: int, first_us: int, last_us: int, readings: int) -> None:
        """Of readings in so many spans, from a first to a last time. Raises TooCostly."""
        days = (last_us - first_us) // DAY_US + 2
        self.steps += spans * self.plan.span_steps
        self.steps += days * self.plan.time_bands // _BAND_DAYS_A_STEP
        self.steps += readings * len(self.plan.metered) // _SELECTIONS_A_STEP
        if self.steps > STEPS_MAX:
            raise TooCostly(
                f"to rate these readings takes {self.steps:,} steps or more, {STEPS_MAX:,} is the most: seal or send "
                "fewer readings, or fewer days, at once, or agree on a tariff with fewer components that begin anew "
                "every day"
            )
