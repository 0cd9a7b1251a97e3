"""One measured figure, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`; `baseline` is the same by the slow way, measured in the same run, and `target` what is wanted.

    `remark` says why there is no value, or what is wrong with it.
    """

    name: str
    value: float | None
    unit: str
    baseline: float | None = None
    target: float | None = None
    less_is_better: bool = False
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        """Value by baseline."""
        return self.value / self.baseline if self.value is not None and self.baseline else None

    @property
    def meets_target(self) -> bool | None:
        """None where there is no target or no value."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.less_is_better else self.value >= self.target

    def to_dict(self) -> dict[str, object]:
        """As build/bench.json has it."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio,
        }


# Takes its time.
Measure = Callable[[], Figure]
