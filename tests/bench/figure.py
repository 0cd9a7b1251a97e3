"""A measured figure, with its baseline and its target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A `value` in `unit`. `baseline` is the same by a slower way, measured in the same run, and `target` the aim.

    `remark` gives the reason why there is no value, or its fault.
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
        """The value divided by the baseline, or None without one of them."""
        return self.value / self.baseline if self.value is not None and self.baseline else None

    @property
    def meets_target(self) -> bool | None:
        """Whether the value meets the target, or None without a target or a value."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.less_is_better else self.value >= self.target

    def to_dict(self) -> dict[str, object]:
        """The figure's entry in build/bench.json."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio,
        }


# A function that measures a figure, which may take a minute.
Measure = Callable[[], Figure]
