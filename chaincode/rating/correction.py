"""Corrections as columns, so that rating selects and sums them like batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chaincode.checks import format_quantity
from chaincode.errors import MalformedBatch, QuantityOutOfRange
from chaincode.rating.limits import READING_QUANTITY_MICRO_MAX
from chaincode.readings.columns import (
    Columns,
    Int64Column,
)
from zunft.v1.usage_pb2 import CorrectionReading


def check_correction(readings: Sequence[CorrectionReading]) -> None:
    """Checks that these can be differences between readings.

    Raises:
        MalformedBatch: there are no readings.
        QuantityOutOfRange: a quantity or a reading_count is beyond its limits.
    """
    if not readings:
        raise MalformedBatch("the correction has no readings: name at least one difference")
    for reading in readings:
        if abs(reading.quantity_micro) > READING_QUANTITY_MICRO_MAX:
            raise QuantityOutOfRange(
                f"a correction's quantity must lie within ±{format_quantity(READING_QUANTITY_MICRO_MAX)}, "
                f"but is {format_quantity(reading.quantity_micro)}: correct the quantity, or use several readings"
            )
        if abs(reading.reading_count) > 1:
            raise QuantityOutOfRange(
                f"a correction's reading_count must be 1, 0 or -1, not {reading.reading_count}: use several readings"
            )


def columns_of(readings: Sequence[CorrectionReading]) -> Columns:
    """The readings, which must be in the order of time, in columns; quantities may be negative."""
    steps = tuple(sorted({reading.step for reading in readings} - {""}))
    index_by_step = {"": 0} | {step: index for index, step in enumerate(steps, start=1)}
    return Columns(
        time_us=_column([reading.time_us for reading in readings]),
        quantity_micro=_column([reading.quantity_micro for reading in readings]),
        utilisation_milli=_column([reading.utilisation_milli for reading in readings]),
        speed_milli=_column([reading.speed_milli for reading in readings]),
        outcome=_column([int(reading.outcome) for reading in readings]),
        step=_column([index_by_step[reading.step] for reading in readings]),
        steps=steps,
    )


def counts_of(readings: Sequence[CorrectionReading]) -> Int64Column:
    """The change of the number of readings that each of these makes."""
    return _column([reading.reading_count for reading in readings])


def _column(values: Sequence[int]) -> Int64Column:
    return np.array(values, dtype=np.int64)
