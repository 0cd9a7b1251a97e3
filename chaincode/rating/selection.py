"""Selection of the readings of a batch that a component charges: one boolean per reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaincode.errors import MalformedBatch
from chaincode.rating.limits import DAY_US
from chaincode.rating.local_time import Piece, first_day, period_indices, pieces
from chaincode.rating.plan import Part, Plan, TimeOfDay, When
from chaincode.readings.columns import (
    Columns,
    Int64Column,
    side_by_side,
)
from zunft.v1 import tariff_pb2

Mask = NDArray[np.bool_]

# Up to here comparing with every border is faster than searching for the right one.
_COMPARED_BORDERS = 12
# Up to here comparing with every value is faster than looking each reading up in a table.
_COMPARED_VALUES = 8


class Readings:
    """One batch or several that have the same columns, and everything that selecting from them needs, computed once.

    If there are several, a component names the meters of all batches or of none; `meter_id` is any of them.

    Raises (when first needed):
        MalformedBatch: a column that the band table reads is missing.
    """

    def __init__(self, plan: Plan, meter_id: str, batches: Sequence[Columns]) -> None:
        self.plan = plan
        self.meter_id = meter_id
        self.columns = batches[0] if len(batches) == 1 else side_by_side(batches)
        self._in_order = len(batches) == 1
        self.first_us = min(int(columns.time_us[0]) for columns in batches)
        self.last_us = max(int(columns.time_us[-1]) for columns in batches)

    def selected(self, part: Part) -> Mask | None:
        """The readings that the component charges; None: all."""
        if part.when.meter_ids is not None and self.meter_id not in part.when.meter_ids:
            # Not a mask among others: another meter need not have the columns that the component asks for.
            return np.zeros(len(self.columns), dtype=np.bool_)
        masks = list(self._masks(part.when))
        if not masks:
            return None
        selected = masks[0]
        for mask in masks[1:]:
            selected = selected & mask
        return selected

    @cached_property
    def pieces(self) -> list[Piece]:
        """The readings' time in stretches of constant UTC offset."""
        return pieces(self.plan.zone, self.first_us, self.last_us)

    def _masks(self, when: When) -> Iterator[Mask]:
        time_us = self.columns.time_us
        if when.deadline_us is not None and self.last_us > when.deadline_us:
            yield time_us <= when.deadline_us
        if when.times is not None:
            yield self._within(
                border for piece in self.pieces for band in when.times for border in _borders_us(band, piece)
            )
        if when.months is not None:
            yield self._within(border for piece in self.pieces for border in _month_borders_us(when.months, piece))
        if when.cells is not None:
            yield _is_any_of(self._cell, when.cells)
        if when.outcomes is not None:
            yield _is_any_of(self._or_nothing(self.columns.outcome), when.outcomes)
        if when.steps is not None:
            steps = [index for name in sorted(when.steps) for index in self._indices_by_step.get(name, ())]
            yield _is_any_of(self._or_nothing(self.columns.step), steps)

    def _within(self, borders_us: Iterable[int]) -> Mask:
        """The readings in any of the stretches that begin at every other border and end at the next."""
        borders = [*borders_us]
        select = _between if self._in_order else _between_unordered
        return select(self.columns.time_us, borders[::2], borders[1::2])

    def _or_nothing(self, column: Int64Column | None) -> Int64Column:
        """The column; a missing one is as if every reading said nothing there."""
        return np.zeros(len(self.columns), dtype=np.int64) if column is None else column

    @cached_property
    def _indices_by_step(self) -> Mapping[str, Sequence[int]]:
        """The indices of each step by its name; a batch may name a step more than once."""
        indices: dict[str, list[int]] = defaultdict(list)
        for index, name in enumerate(self.columns.steps, start=1):
            indices[name].append(index)
        return indices

    @cached_property
    def _cell(self) -> NDArray[np.uint8]:
        """The index of each reading in the band table's cells."""
        table, columns = self.plan.band_table, self.columns
        row = _interval(table.utilisation_from_milli, columns.utilisation_milli, "utilisation", len(columns))
        column = _interval(table.speed_from_milli, columns.speed_milli, "speed", len(columns))
        return row * np.uint8(len(table.speed_from_milli)) + column


def _is_any_of(column: NDArray[np.integer[Any]], values: Sequence[int]) -> Mask:
    if len(values) > _COMPARED_VALUES:
        # Both are small numbers, counted from 0.
        chosen = np.zeros(int(max(column.max(), max(values))) + 1, dtype=np.bool_)
        chosen[np.array(values)] = True
        looked_up: Mask = chosen[column]
        return looked_up
    selected = np.zeros(len(column), dtype=np.bool_)
    for value in values:
        selected |= column == value
    return selected


def _interval(borders: Sequence[int], values: Int64Column | None, column: str, length: int) -> NDArray[np.uint8]:
    """The index of the last border that is not above the value; 0 below all of them."""
    if len(borders) == 1:
        return np.zeros(length, dtype=np.uint8)
    if values is None:
        raise MalformedBatch(
            f"the tariff sorts readings into bands by {column}, but the batch has no {column} column: "
            "let the meter report it, or agree on a tariff without bands"
        )
    if len(borders) > _COMPARED_BORDERS:
        return np.searchsorted(np.array(borders[1:], dtype=np.int64), values, side="right").astype(np.uint8)
    index = np.zeros(len(values), dtype=np.uint8)
    for border in borders[1:]:
        index += values >= border
    return index


def _between(time_us: Int64Column, begins_us: Sequence[int], ends_us: Sequence[int]) -> Mask:
    """The times in any stretch. They never go back, so that each day's band is a slice of the batch."""
    selected = np.zeros(len(time_us), dtype=np.bool_)
    for low, high in zip(time_us.searchsorted(begins_us).tolist(), time_us.searchsorted(ends_us).tolist(), strict=True):
        selected[low:high] = True
    return selected


def _between_unordered(time_us: Int64Column, begins_us: Sequence[int], ends_us: Sequence[int]) -> Mask:
    """The same for times of several batches: a reading is in a band if more bands have begun by then than ended."""
    begun, ended = (np.searchsorted(sorted(borders), time_us, side="right") for borders in (begins_us, ends_us))
    return begun > ended


def _borders_us(band: TimeOfDay, piece: Piece) -> Iterator[int]:
    """The begin and the end of the band on each of its days, within the piece."""
    # The day before counts too: its band may run over midnight.
    for day in range(piece.local_day(piece.begin_us) - 1, piece.local_day(piece.end_us - 1) + 1):
        if (day + 3) % 7 + 1 in band.weekdays:
            midnight_us = day * DAY_US - piece.offset_us
            for hour_us in (band.begin_us, band.end_us):
                yield min(max(midnight_us + hour_us, piece.begin_us), piece.end_us)


def _month_borders_us(months: frozenset[int], piece: Piece) -> Iterator[int]:
    """The begin and the end of each of the months, within the piece."""
    first, last = (_month_index(piece.local_day(time_us)) for time_us in (piece.begin_us, piece.end_us - 1))
    for index in range(first, last + 1):
        if index % 12 + 1 in months:
            for border in (index, index + 1):
                midnight_us = first_day(tariff_pb2.PERIOD_MONTH, border) * DAY_US - piece.offset_us
                yield min(max(midnight_us, piece.begin_us), piece.end_us)


def _month_index(local_day: int) -> int:
    return period_indices(local_day)[tariff_pb2.PERIOD_MONTH]
