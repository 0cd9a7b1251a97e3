"""One reading, as a meter takes it, and several as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from chaincode.readings.columns import (
    Columns,
    Int64Column,
)
from zunft.v1.tariff_pb2 import OUTCOME_UNSPECIFIED, Outcome


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter's count since the reading before. None and empty mean that the meter does not report the field."""

    time_us: int
    quantity_micro: int
    utilisation_milli: int | None = None
    speed_milli: int | None = None
    outcome: Outcome = OUTCOME_UNSPECIFIED
    step: str = ""
    work_item: str = ""
    location: str = ""


def to_columns(readings: Sequence[Reading]) -> Columns:
    """The columns of one or more readings in their order; a column that no reading reports is left out."""
    steps = _distinct(reading.step for reading in readings)
    work_items = _distinct(reading.work_item for reading in readings)
    locations = _distinct(reading.location for reading in readings)
    return Columns(
        time_us=_column(readings, lambda reading: reading.time_us),
        quantity_micro=_column(readings, lambda reading: reading.quantity_micro),
        utilisation_milli=_reported(readings, lambda reading: reading.utilisation_milli),
        speed_milli=_reported(readings, lambda reading: reading.speed_milli),
        outcome=_reported(readings, lambda reading: reading.outcome or None),
        step=_reported(readings, lambda reading: steps.get(reading.step)),
        work_item=_reported(readings, lambda reading: work_items.get(reading.work_item)),
        location=_reported(readings, lambda reading: locations.get(reading.location)),
        steps=tuple(steps),
        work_items=tuple(work_items),
        locations=tuple(locations),
    )


def _column(readings: Sequence[Reading], value: Callable[[Reading], int]) -> Int64Column:
    return np.fromiter(map(value, readings), np.int64, len(readings))


def _reported(readings: Sequence[Reading], value: Callable[[Reading], int | None]) -> Int64Column | None:
    """The column of a value, with 0 where a reading has none; None if no reading has one."""
    if all(value(reading) is None for reading in readings):
        return None
    return _column(readings, lambda reading: value(reading) or 0)


def _distinct(names: Iterable[str]) -> dict[str, int]:
    """The index of each name, from 1 on; the empty name has none."""
    found = dict.fromkeys(name for name in names if name)
    return {name: index for index, name in enumerate(found, start=1)}
