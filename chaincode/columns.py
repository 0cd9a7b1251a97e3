"""The readings of one batch as numpy columns."""

from __future__ import annotations

from dataclasses import dataclass

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
