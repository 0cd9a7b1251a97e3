"""Converts a column's numbers to quantities: they may be quantities, a counter's values, or averages over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import yaml

from chaincode.rating import READING_QUANTITY_MICRO_MAX
from consortium.exact import (
    NotANumber,
    TooFine,
    scaled,
)
from consortium.yaml_tree import Tree
from node.tariff.text import decimal

KEYS = ("counter", "factor", "per", "over_s")
_PER_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_COUNTERS = {"yes": 0, "reset": 1}
_FACTOR_PLACES = 12


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter, whose number only grows: the quantity is the difference to the row before."""

    # Whether it has begun at zero again when its number falls.
    resets: bool = False
    # The number at which it begins at zero again; 0 if it never does.
    rollover_micro: int = 0

    def used_micro(self, before_micro: int, now_micro: int) -> int:
        """The usage between two rows. Raises ValueError where the counter fell, or cannot show such a number."""
        if now_micro >= before_micro and self._can_show(now_micro):
            return now_micro - before_micro
        if self.resets:
            return now_micro
        # A step of more than half the rollover is more likely a reading error.
        used_micro = now_micro + self.rollover_micro - before_micro
        if self._can_show(max(before_micro, now_micro)) and 0 < used_micro <= self.rollover_micro // 2:
            return used_micro
        raise ValueError(self._why_not(before_micro, now_micro))

    def _why_not(self, before_micro: int, now_micro: int) -> str:
        fell = f"the counter falls from {decimal(before_micro)} to {decimal(now_micro)}"
        top = decimal(self.rollover_micro)
        if not self.rollover_micro:
            return (
                f"{fell}: correct the row. If it began again at zero, write counter: reset; if it is at zero again "
                "after its highest number, as 99999, write counter: {rollover: 100000}"
            )
        if not self._can_show(max(before_micro, now_micro)):
            shown = decimal(max(before_micro, now_micro))
            return (
                f"the counter shows {shown}, but with rollover {top} it is at zero there: correct the row or rollover"
            )
        return f"{fell}, which is more than half of rollover {top}: correct the row or rollover"

    def _can_show(self, value_micro: int) -> bool:
        return not self.rollover_micro or value_micro < self.rollover_micro


@dataclass(frozen=True, slots=True)
class Conversion:
    """The conversion of a column's numbers to quantities."""

    counter: Counter | None = None
    factor: Fraction = Fraction(1)

    def quantity_micro(self, number_micro: int) -> int:
        """The number times the factor, half a millionth rounded away from zero. Raises ValueError beyond the limit."""
        product = number_micro * self.factor
        quantity_micro = int(abs(product) + Fraction(1, 2)) * (1 if product >= 0 else -1)
        if abs(quantity_micro) > READING_QUANTITY_MICRO_MAX:
            most = READING_QUANTITY_MICRO_MAX // 10**6
            raise ValueError(f"{decimal(quantity_micro)} is beyond {most:,}: correct it, or use a larger unit")
        return quantity_micro


def conversion_of(fields: Mapping[str, Tree]) -> Conversion:
    """The conversion of the mapping's `quantity`. Raises WrongFile."""
    counter = _counter(fields["counter"]) if "counter" in fields else None
    factor = _fraction(fields["factor"]) if "factor" in fields else Fraction(1)
    if ("per" in fields) != ("over_s" in fields):
        place = fields["per"] if "per" in fields else fields["over_s"]
        place.fail("an average needs both: per: hour, and over_s with the seconds that each row stands for")
    if "per" in fields:
        if counter:
            fields["per"].fail("a counter is no average: write one of counter and per")
        factor *= _fraction(fields["over_s"]) / fields["per"].choice(_PER_S)
    return Conversion(counter, factor)


def _counter(tree: Tree) -> Counter:
    if isinstance(tree.node, yaml.ScalarNode):
        return Counter(resets=bool(tree.choice(_COUNTERS)))
    rollover = tree.fields(("rollover",), required=("rollover",))["rollover"]
    rollover_micro = rollover.micro()
    if rollover_micro <= 0:
        rollover.fail("write the number at which the counter is at zero again, above 0")
    return Counter(rollover_micro=rollover_micro)


def _fraction(tree: Tree) -> Fraction:
    try:
        number = Fraction(scaled(tree.text(), _FACTOR_PLACES), 10**_FACTOR_PLACES)
    except (NotANumber, TooFine) as error:
        tree.fail(f"{error}: write a number above 0, with up to {_FACTOR_PLACES} digits after the point")
    if number <= 0:
        tree.fail("write a number above 0")
    return number
