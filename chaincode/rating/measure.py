"""The measure of each component in each span of a batch: exact sums and maxima, vectorised over one or many batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from chaincode.rating.cost import Cost
from chaincode.rating.limits import INT64_MAX, READING_QUANTITY_MICRO_MAX, UNIT_MICRO, check_batches
from chaincode.rating.local_time import period_indices, spans
from chaincode.rating.plan import Part, Plan
from chaincode.rating.selection import Mask, Readings
from chaincode.readings.columns import (
    Columns,
    Int64Column,
    MeterReadings,
)
from zunft.v1 import tariff_pb2

# The sum of so many readings cannot overflow, whatever their quantities.
_SAFE_LENGTH = INT64_MAX // READING_QUANTITY_MICRO_MAX

# The readings that are measured at once: as many as fit a core's cache.
_TOGETHER = 2**15


@dataclass(frozen=True, slots=True)
class Measured:
    """The measures of one batch by span, which is the part of it that lies in one day, month or year."""

    local_days: Sequence[int]
    # For each of the plan's metered components the result of `measured`.
    measures_micro: Sequence[Sequence[int]]
    reading_counts: Sequence[int]


def measure_batches(plan: Plan, batches: Sequence[MeterReadings]) -> list[Measured]:
    """The measures of each batch, in the order of the batches; many small ones cost little more than a large one.

    Raises:
        BackDated, MalformedBatch, QuantityOutOfRange: as `rate` says of a batch.
        TooCostly: all of them together are too much work.
    """
    found: dict[int, Measured] = {}
    cost = Cost(plan)
    for numbers in _alike(plan, batches):
        columns = [batches[number].columns for number in numbers]
        found |= zip(numbers, _measure_alike(plan, batches[numbers[0]].meter_id, columns, cost), strict=True)
    return [found[number] for number in range(len(batches))]


def added_up(plan: Plan, several: Sequence[Measured]) -> Measured:
    """The measures of several batches of one meter together: their spans that lie in the same period are one."""
    if len(several) == 1:
        return several[0]
    days: dict[int, int] = {}
    counts: dict[int, int] = defaultdict(int)
    measures: list[dict[int, int]] = [defaultdict(int) for _ in plan.metered]
    for one in several:
        for span, day in enumerate(one.local_days):
            period = period_indices(day)[plan.finest]
            days.setdefault(period, day)
            counts[period] += one.reading_counts[span]
            for part, sums_micro, in_spans in zip(plan.metered, measures, one.measures_micro, strict=True):
                before, more = sums_micro[period], in_spans[span]
                sums_micro[period] = max(before, more) if part.measure == tariff_pb2.MEASURE_PEAK else before + more
    return Measured([*days.values()], [[*sums_micro.values()] for sums_micro in measures], [*counts.values()])


def _measure_alike(plan: Plan, meter_id: str, batches: Sequence[Columns], cost: Cost) -> Iterator[Measured]:
    """The measures of each batch. All stand in one set of columns, and each batch's spans are spans of the whole.

    Raises TooCostly before the work is done.
    """
    readings = Readings(plan, meter_id, batches)
    check_batches(batches, readings.columns)
    cost.add(0, readings.first_us, readings.last_us, len(readings.columns))
    parts = []
    for columns in batches:
        parts.append(spans(columns.time_us, readings.pieces, plan.finest))
        cost.add(len(parts[-1]), 0, 0, 0)
    offsets = [0, *accumulate(len(columns) for columns in batches)]
    starts = [offset + span.start for offset, within in zip(offsets, parts, strict=False) for span in within]
    measures = [measured(part, readings, starts) for part in plan.metered]
    counts = lengths(starts, offsets[-1])
    end = 0
    for within in parts:
        begin, end = end, end + len(within)
        days = [span.local_day for span in within]
        yield Measured(days, [measure[begin:end] for measure in measures], counts[begin:end])


def _alike(plan: Plan, batches: Sequence[MeterReadings]) -> Iterator[list[int]]:
    """The batches' numbers in groups that can be measured together, as every component treats them alike."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, batch in enumerate(batches):
        named = batch.meter_id if batch.meter_id in plan.named_meters else ""
        groups[named, *batch.columns.kind].append(number)
    for numbers in groups.values():
        begin = size = 0
        for end, number in enumerate(numbers):
            size += len(batches[number].columns)
            if size > _TOGETHER and end > begin:
                yield numbers[begin:end]
                begin, size = end, len(batches[number].columns)
        yield numbers[begin:]


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
    """The change of the component's measure in each span that a correction's readings make, in micro-units."""
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
