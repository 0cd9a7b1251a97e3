"""Price curves: the whole price of a measure, as the sums that stand on the bill's lines.

A curve knows nothing of before and after. The charge for a step from one measure to the next is the difference of two
of its values, so however a stream is cut into steps, the steps add up to the same line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chaincode.rating.limits import UNIT_MICRO
from zunft.v1.tariff_pb2 import Component, Tier

# (tier, unit price in micro-tokens)
LineKey = tuple[int, int]
# (quantity in micro-units, amount in micro-tokens)
LineSum = tuple[int, int]
# From the measure in micro-units to the sums of the lines.
Curve = Callable[[int], dict[LineKey, LineSum]]


def curve(component: Component) -> Curve:
    """The component's price as a function of its measure."""
    kind = component.WhichOneof("price")
    if kind == "per_unit":
        return _per_unit(component.per_unit.unit_price_micro)
    if kind == "graduated":
        return _graduated(component.graduated.tiers)
    if kind == "volume":
        return _volume(component.volume.tiers)
    if kind == "package":
        return _package(component.package.size_micro, component.package.package_price_micro)
    return _success_fee(component.success_fee.target_micro, component.success_fee.fee_micro)


def step(price: Curve, before_micro: int, after_micro: int) -> Iterator[tuple[LineKey, LineSum]]:
    """The change of each line when the measure goes from one value to another, without lines that do not change."""
    before, after = price(before_micro), price(after_micro)
    for key in before | after:
        quantity_before, amount_before = before.get(key, (0, 0))
        quantity_after, amount_after = after.get(key, (0, 0))
        change = (quantity_after - quantity_before, amount_after - amount_before)
        if change != (0, 0):
            yield key, change


def amount_of(quantity_micro: int, unit_price_micro: int) -> int:
    """Quantity times unit price in micro-tokens, rounded."""
    return rounded(quantity_micro * unit_price_micro, UNIT_MICRO)


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number, a half away from zero (commercial rounding), so a malus mirrors the same bonus."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


def _per_unit(unit_price_micro: int) -> Curve:
    key = (0, unit_price_micro)
    return lambda measure: {key: (measure, amount_of(measure, unit_price_micro))}


def _graduated(tiers: Sequence[Tier]) -> Curve:
    borders = [0, *(tier.up_to_micro for tier in tiers)]
    steps = [(index, tier.unit_price_micro, borders[index], tier.up_to_micro) for index, tier in enumerate(tiers)]

    def price(measure: int) -> dict[LineKey, LineSum]:
        lines: dict[LineKey, LineSum] = {}
        for index, unit_price, lower, upper in steps:
            if measure <= lower:
                break
            quantity = (min(measure, upper) if upper else measure) - lower
            lines[index, unit_price] = (quantity, amount_of(quantity, unit_price))
        return lines

    return price


def _volume(tiers: Sequence[Tier]) -> Curve:
    steps = [((index, tier.unit_price_micro), tier.up_to_micro) for index, tier in enumerate(tiers)]

    def price(measure: int) -> dict[LineKey, LineSum]:
        key = next(key for key, upper in steps if not upper or measure <= upper)
        return {key: (measure, amount_of(measure, key[1]))}

    return price


def _package(size_micro: int, package_price_micro: int) -> Curve:
    def price(measure: int) -> dict[LineKey, LineSum]:
        packages = -(-measure // size_micro)
        return {(0, package_price_micro): (packages * UNIT_MICRO, packages * package_price_micro)}

    return price


def _success_fee(target_micro: int, fee_micro: int) -> Curve:
    # The measure has only the readings up to the deadline, so that reaching the target is reaching it in time.
    due = {(0, fee_micro): (UNIT_MICRO, fee_micro)}
    return lambda measure: due if measure >= target_micro else {}
