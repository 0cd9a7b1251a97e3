"""The amount of work that rating would be, computed before it is done: a few signed bytes may span decades of days.

The unit is a step of a party's contract. A step takes some ten microseconds, and its results take less than a kilobyte.
docs/scale.md has the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.errors import TooCostly
from chaincode.rating.limits import DAY_US
from chaincode.rating.plan import Plan

# For a whole proposal: half a second, and some fifty megabytes.
STEPS_MAX = 50_000
# So many of these take as long as one step.
_BAND_DAYS_A_STEP = 5
_SELECTIONS_A_STEP = 1_250


@dataclass(slots=True)
class Cost:
    """The steps of one proposal so far."""

    plan: Plan
    steps: int = 0

    def add(self, spans: int, first_us: int, last_us: int, readings: int) -> None:
        """Adds the steps for readings in this number of spans, from a first to a last time. Raises TooCostly."""
        days = (last_us - first_us) // DAY_US + 2
        self.steps += spans * self.plan.span_steps
        self.steps += days * self.plan.time_bands // _BAND_DAYS_A_STEP
        self.steps += readings * len(self.plan.metered) // _SELECTIONS_A_STEP
        if self.steps > STEPS_MAX:
            raise TooCostly(
                f"rating these readings takes {self.steps:,} steps or more, {STEPS_MAX:,} is the most: seal or send "
                "fewer readings, or fewer days, at once, or agree on a tariff with fewer components that begin anew "
                "every day"
            )
