"""The limits of the numbers that rating reads and computes, and the checks that refuse a number beyond them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chaincode.checks import format_amount, format_quantity
from chaincode.errors import AmountOutOfRange, BackDated, MalformedBatch, QuantityOutOfRange
from chaincode.readings.columns import Columns

UNIT_MICRO = 1_000_000
DAY_US = 86_400_000_000
INT64_MAX = 2**63 - 1

# A single reading: a thousand million units.
READING_QUANTITY_MICRO_MAX = 10**15

# A unit, package, fee, minimum or cap: a thousand million tokens.
PRICE_MICRO_MAX = 10**15

# 1 January 2200.
TIME_US_MAX = 7_258_118_400_000_000


def checked_measure(name: str, measure_micro: int) -> int:
    """The measure, if it is at least 0 and fits signed 64 bits. Raises QuantityOutOfRange.

    `name` is the component's or the adjustment's, for the error.
    """
    if measure_micro < 0:
        raise QuantityOutOfRange(
            f"{name!r}: the correction takes away {format_quantity(-measure_micro)} more than the period has: "
            "correct at most what was charged"
        )
    if measure_micro > INT64_MAX:
        raise QuantityOutOfRange(
            f"{name!r}: its total would be {format_quantity(measure_micro)}, more than {format_quantity(INT64_MAX)}: "
            "use a larger unit, or a component that starts again every month"
        )
    return measure_micro


def checked_count(name: str, reading_count: int) -> int:
    """The number of readings, if it is at least 0; no account can have 2**63 of them. Raises QuantityOutOfRange."""
    if reading_count < 0:
        raise QuantityOutOfRange(
            f"{name!r}: the correction takes away {-reading_count} readings more than the period has: "
            "correct at most what was charged"
        )
    return reading_count


def checked_amount(name: str, amount_micro: int) -> int:
    """The amount, if it fits signed 64 bits; it may be below 0. Raises AmountOutOfRange."""
    if abs(amount_micro) > INT64_MAX:
        raise AmountOutOfRange(
            f"{name!r}: the amount would be {format_amount(amount_micro)}, beyond {format_amount(INT64_MAX)} tokens: "
            "check the unit price and the quantities, or submit less at once"
        )
    return amount_micro


def check_batches(batches: Sequence[Columns], together: Columns) -> None:
    """Checks each batch as `check_columns` does, and raises the same errors.

    `together` has the readings of all batches, one batch after the other: if all are sound, one look is enough.
    """
    if len(batches) == 1 or not _is_sound(batches, together):
        for columns in batches:
            check_columns(columns)


def check_columns(columns: Columns) -> None:
    """Checks that the readings are in the order of time, and that their times and quantities are within the limits.

    Raises BackDated, MalformedBatch for a time beyond the limits, QuantityOutOfRange.
    """
    times, quantities = columns.time_us, columns.quantity_micro
    backwards = times[1:] < times[:-1]
    if backwards.any():
        index = int(backwards.argmax()) + 1
        raise BackDated(f"reading {index + 1} of the batch is older than the one before it: send readings in order")
    check_times(columns)
    least, most = int(quantities.min()), int(quantities.max())
    if least < 0 or most > READING_QUANTITY_MICRO_MAX:
        raise QuantityOutOfRange(
            f"quantities must lie within 0 … {format_quantity(READING_QUANTITY_MICRO_MAX)} per reading, but the batch "
            f"has {format_quantity(least if least < 0 else most)}: correct the meter, or use a larger unit"
        )


def check_times(columns: Columns) -> None:
    """Checks that the times, which are in order already, lie in the years 1970 to 2199. Raises MalformedBatch."""
    first_us, last_us = int(columns.time_us[0]), int(columns.time_us[-1])
    if first_us < 0 or last_us > TIME_US_MAX:
        raise MalformedBatch(
            f"times must lie within 0 … {TIME_US_MAX} microseconds (the years 1970 to 2199), "
            f"but one is {first_us if first_us < 0 else last_us}: set the meter's clock"
        )


def _is_sound(batches: Sequence[Columns], together: Columns) -> bool:
    """Whether `check_columns` would accept every batch."""
    times, quantities = together.time_us, together.quantity_micro
    begins = np.cumsum([len(columns) for columns in batches])
    backwards = np.flatnonzero(times[1:] < times[:-1]) + 1
    return (
        bool(np.isin(backwards, begins).all())
        and 0 <= int(times.min()) <= int(times.max()) <= TIME_US_MAX
        and 0 <= int(quantities.min()) <= int(quantities.max()) <= READING_QUANTITY_MICRO_MAX
    )
