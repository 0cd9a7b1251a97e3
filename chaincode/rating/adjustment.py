"""Discount, minimum and cap: they change a period's total over all components and meters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chaincode.rating.limits import UNIT_MICRO
from chaincode.rating.price import rounded
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment

# Shorter periods first, so that a longer period's total always consists of whole shorter ones.
_PERIOD_ORDER = (
    tariff_pb2.PERIOD_DAY,
    tariff_pb2.PERIOD_MONTH,
    tariff_pb2.PERIOD_YEAR,
    tariff_pb2.PERIOD_AGREEMENT,
)
_KIND_ORDER = ("discount", "minimum", "cap")


@dataclass(frozen=True, slots=True)
class Rule:
    """An adjustment: from a period's total and number of readings it makes the amount that is added to the total."""

    name: str
    period: int
    change: Callable[[int, int], int]


def in_order(adjustments: Iterable[Adjustment]) -> tuple[Rule, ...]:
    """The rules in the order in which they work, whatever their order in the tariff."""
    return tuple(Rule(item.name, item.period, _change(item)) for item in sorted(adjustments, key=_rank))


def _rank(item: Adjustment) -> tuple[int, int]:
    return _PERIOD_ORDER.index(item.period), _KIND_ORDER.index(str(item.WhichOneof("kind")))


def _change(item: Adjustment) -> Callable[[int, int], int]:
    kind = item.WhichOneof("kind")
    if kind == "discount":
        rate_micro = item.discount.rate_micro
        return lambda total, _: -rounded(max(total, 0) * rate_micro, UNIT_MICRO)
    if kind == "minimum":
        least_micro = item.minimum.amount_micro
        return lambda total, readings: max(least_micro - total, 0) if readings else 0
    most_micro = item.cap.amount_micro
    return lambda total, _: min(most_micro - total, 0)
