"""What each component measures in each span of a batch: exact sums and maxima, vectorised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chaincode.columns import Int64Column
from chaincode.rating.limits import INT64_MAX, READING_QUANTITY_MICRO_MAX, UNIT_MICRO
from chaincode.rating.plan import Part
from chaincode.rating.selection import Mask, Readings
from zunft.v1 import tariff_pb2

# So many readings cannot overflow, whatever their quantities.
_SAFE_LENGTH = INT64_MAX // READING_QUANTITY_MICRO_MAX


def measured(part: Part, readings: Readings, starts: Sequence[int]) -> list[int]:
    """The component's measure in each span, in micro-units; for MEASURE_PERIODS its readings, a unit each.

    Args:
        part: the component.
        readings: the batch.
        starts: index of each span's first reading, ascending from 0.
    """
    selected = readings.selected(part)
    if part.measure == tariff_pb2.MEASURE_QUANTITY:
        return sums(_kept(readings.columns.quantity_micro, selected), starts)
    if part.measure == tariff_pb2.MEASURE_PEAK:
        return _maxima(_kept(readings.columns.quantity_micro, selected), starts)
    counts = lengths(starts, len(readings.columns)) if selected is None else _counts(selected, starts)
    return [count * UNIT_MICRO for count in counts]


def measured_correction(part: Part, readings: Readings, reading_count: Int64Column, starts: Sequence[int]) -> list[int]:
    """By how much the readings of a correction change the component's measure in each span, in micro-units."""
    selected = readings.selected(part)
    if part.measure == tariff_pb2.MEASURE_QUANTITY:
        return sums(_kept(readings.columns.quantity_micro, selected), starts)
    if part.measure == tariff_pb2.MEASURE_PEAK:
        changes = reading_count == 0
        return sums(_kept(readings.columns.quantity_micro, changes if selected is None else selected & changes), starts)
    return [count * UNIT_MICRO for count in sums(_kept(reading_count, selected), starts)]


def sums(values: Int64Column, starts: Sequence[int]) -> list[int]:
    """The sum of each span, exact for all values that a reading may have."""
    if len(values) <= _SAFE_LENGTH or max(int(values.max()), -int(values.min())) * len(values) <= INT64_MAX:
        return _fold(np.add, values, starts)
    highs, lows = (_fold(np.add, half, starts) for half in (values >> 32, values & 0xFFFF_FFFF))
    return [(high << 32) + low for high, low in zip(highs, lows, strict=True)]


def lengths(starts: Sequence[int], length: int) -> list[int]:
    """The number of readings of each span."""
    return [end - start for start, end in zip(starts, [*starts[1:], length], strict=True)]


def _maxima(values: Int64Column, starts: Sequence[int]) -> list[int]:
    return _fold(np.maximum, values, starts)


def _counts(selected: Mask, starts: Sequence[int]) -> list[int]:
    if len(starts) == 1:
        return [int(np.count_nonzero(selected))]
    return _fold(np.add, selected.astype(np.int64), starts)


def _fold(operation: np.ufunc, values: Int64Column, starts: Sequence[int]) -> list[int]:
    if len(starts) == 1:
        return [int(operation.reduce(values))]
    folded: list[int] = operation.reduceat(values, starts).tolist()
    return folded


def _kept(values: Int64Column, selected: Mask | None) -> Int64Column:
    return values if selected is None else values * selected
