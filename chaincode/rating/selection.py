"""Which readings of a batch a component charges: one boolean per reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chaincode.columns import Columns, Int64Column
from chaincode.errors import MalformedBatch
from chaincode.rating.local_time import DAY_US, Piece, pieces
from chaincode.rating.plan import Part, Plan
from zunft.v1.tariff_pb2 import TimeBand

Mask = NDArray[np.bool_]

# Up to here comparing with every border is faster than searching for the right one.
_COMPARED_BORDERS = 12


class Readings:
    """A batch, and what selecting from it needs, computed once for all components.

    Raises (when first needed):
        MalformedBatch: a column that the band table reads is missing.
    """

    def __init__(self, plan: Plan, columns: Columns) -> None:
        self.plan = plan
        self.columns = columns

    def selected(self, part: Part) -> Mask | None:
        """The readings that the component charges; None: all."""
        masks = list(self._masks(part))
        if not masks:
            return None
        selected = masks[0]
        for mask in masks[1:]:
            selected = selected & mask
        return selected

    @cached_property
    def pieces(self) -> list[Piece]:
        """The batch's time in stretches of constant UTC offset."""
        time_us = self.columns.time_us
        return pieces(self.plan.zone, int(time_us[0]), int(time_us[-1]))

    def _masks(self, part: Part) -> Iterator[Mask]:
        when, columns = part.when, self.columns
        if part.deadline_us is not None and columns.time_us[-1] > part.deadline_us:
            yield columns.time_us <= part.deadline_us
        if when.time_bands:
            yield _in_time_bands(when.time_bands, columns.time_us, self.pieces)
        if when.bands:
            wanted = [name in when.bands for name in self.plan.band_table.bands]
            yield np.array(wanted, dtype=np.bool_)[self._cell]
        if when.outcomes:
            yield self._is_any_of(columns.outcome, [int(outcome) for outcome in when.outcomes])
        if when.steps:
            names = enumerate(columns.steps, start=1)
            yield self._is_any_of(columns.step, [index for index, name in names if name in when.steps])

    def _is_any_of(self, column: Int64Column | None, values: Sequence[int]) -> Mask:
        if column is None:
            # As if every reading said nothing: 0.
            return np.full(len(self.columns), 0 in values, dtype=np.bool_)
        selected = np.zeros(len(self.columns), dtype=np.bool_)
        for value in values:
            selected |= column == value
        return selected

    @cached_property
    def _cell(self) -> NDArray[np.intp]:
        """Index in the band table's cells, per reading."""
        table, columns = self.plan.band_table, self.columns
        row = _interval(table.utilisation_from_milli, columns.utilisation_milli, "utilisation")
        if len(table.speed_from_milli) == 1:
            return row
        column = _interval(table.speed_from_milli, columns.speed_milli, "speed")
        return row * len(table.speed_from_milli) + column


def _interval(borders: Sequence[int], values: Int64Column | None, column: str) -> NDArray[np.intp]:
    """Index of the last border that is not above the value; 0 below all of them."""
    if values is None:
        raise MalformedBatch(
            f"The tariff sorts readings into bands by {column}, but the batch has no {column} column. "
            "Let the meter report it, or agree on a tariff without bands."
        )
    if len(borders) > _COMPARED_BORDERS:
        return np.searchsorted(np.array(borders[1:], dtype=np.int64), values, side="right")
    index = np.zeros(len(values), dtype=np.uint8)
    for border in borders[1:]:
        index += values >= border
    return index.astype(np.intp)


def _in_time_bands(bands: Sequence[TimeBand], time_us: Int64Column, stretches: Sequence[Piece]) -> Mask:
    """Times never go back, so that a band is a slice of the batch per day."""
    selected = np.zeros(len(time_us), dtype=np.bool_)
    for piece in stretches:
        for band in bands:
            _select_band(selected, band, time_us, piece)
    return selected


def _select_band(selected: Mask, band: TimeBand, time_us: Int64Column, piece: Piece) -> None:
    # The day before counts too: its band may run over midnight.
    days = np.arange(piece.local_day(piece.begin_us) - 1, piece.local_day(piece.end_us - 1) + 1, dtype=np.int64)
    if band.weekdays:
        days = days[np.isin((days + 3) % 7 + 1, np.array(band.weekdays, dtype=np.int64))]
    hours = (band.from_s, band.to_s if band.to_s > band.from_s else band.to_s + 86_400)
    borders = (days * DAY_US + hour_s * 1_000_000 - piece.offset_us for hour_s in hours)
    lows, highs = (_positions(time_us, border, piece) for border in borders)
    filled = lows < highs
    for low, high in zip(lows[filled].tolist(), highs[filled].tolist(), strict=True):
        selected[low:high] = True


def _positions(time_us: Int64Column, borders_us: Int64Column, piece: Piece) -> NDArray[np.intp]:
    return np.searchsorted(time_us, np.clip(borders_us, piece.begin_us, piece.end_us))
