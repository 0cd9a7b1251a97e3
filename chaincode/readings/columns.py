"""The readings of one batch as numpy columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Int64Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings in the order of their sequence; all columns have the same length, one or more.

    The first two are always there. `outcome` holds values of enum Outcome; `step`, `work_item` and `location` index
    the name tuples below (1 = first, 0 = none).
    """

    time_us: Int64Column
    quantity_micro: Int64Column
    utilisation_milli: Int64Column | None = None
    speed_milli: Int64Column | None = None
    outcome: Int64Column | None = None
    step: Int64Column | None = None
    work_item: Int64Column | None = None
    location: Int64Column | None = None
    steps: tuple[str, ...] = ()
    work_items: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.time_us)

    def before(self, end_us: int) -> Columns:
        """The readings whose time is before `end_us`, which may be none."""
        count = int(self.time_us.searchsorted(end_us))
        if count == len(self):
            return self

        def cut(column: Int64Column | None) -> Int64Column | None:
            return None if column is None else column[:count]

        return replace(
            self,
            time_us=self.time_us[:count],
            quantity_micro=self.quantity_micro[:count],
            utilisation_milli=cut(self.utilisation_milli),
            speed_milli=cut(self.speed_milli),
            outcome=cut(self.outcome),
            step=cut(self.step),
            work_item=cut(self.work_item),
            location=cut(self.location),
        )

    @property
    def kind(self) -> tuple[object, ...]:
        """The properties that batches share if they can stand side by side: their columns, and their steps' names."""
        return (
            self.utilisation_milli is None,
            self.speed_milli is None,
            self.outcome is None,
            self.step is None,
            self.steps,
        )


@dataclass(frozen=True, slots=True)
class MeterReadings:
    """A batch's columns and its meter."""

    meter_id: str
    columns: Columns


def side_by_side(batches: Sequence[Columns]) -> Columns:
    """The readings of batches of one kind, one batch after the other, without their work items and locations."""
    first = batches[0]

    def all_of(field: str) -> Int64Column | None:
        present = getattr(first, field) is not None
        return np.concatenate([getattr(columns, field) for columns in batches]) if present else None

    return Columns(
        time_us=np.concatenate([columns.time_us for columns in batches]),
        quantity_micro=np.concatenate([columns.quantity_micro for columns in batches]),
        utilisation_milli=all_of("utilisation_milli"),
        speed_milli=all_of("speed_milli"),
        outcome=all_of("outcome"),
        step=all_of("step"),
        steps=first.steps,
    )
