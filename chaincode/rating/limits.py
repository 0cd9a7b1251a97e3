"""The limits that rating refuses to leave, each with its refusal."""

from __future__ import annotations

from chaincode.errors import AmountOutOfRange, QuantityOutOfRange

UNIT_MICRO = 1_000_000
INT64_MAX = 2**63 - 1

# A single reading: a thousand million units.
READING_QUANTITY_MICRO_MAX = 10**15

# A unit, package, fee, minimum or cap: a thousand million tokens.
PRICE_MICRO_MAX = 10**15

# 1 January 2200.
TIME_US_MAX = 7_258_118_400_000_000


def checked_measure(name: str, measure_micro: int) -> int:
    """The measure, if it is neither below zero nor beyond signed 64 bits.

    Raises:
        QuantityOutOfRange: names the component and the limit.
    """
    if measure_micro < 0:
        raise QuantityOutOfRange(
            f"{name!r}: the correction takes away {-measure_micro} micro-units more than the period has. "
            "Correct at most what was charged."
        )
    if measure_micro > INT64_MAX:
        raise QuantityOutOfRange(
            f"{name!r}: its total would be {measure_micro} micro-units, more than {INT64_MAX}. "
            "Use a larger unit, or a component that starts again every month."
        )
    return measure_micro


def checked_amount(name: str, amount_micro: int) -> int:
    """The amount, if it fits signed 64 bits.

    Raises:
        AmountOutOfRange: names the component and the limit.
    """
    if abs(amount_micro) > INT64_MAX:
        raise AmountOutOfRange(
            f"{name!r}: the amount would be {amount_micro} micro-tokens, beyond {INT64_MAX}. "
            "Check the unit price and the quantities, or submit less at once."
        )
    return amount_micro
