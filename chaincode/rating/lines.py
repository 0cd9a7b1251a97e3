"""Lines of a bill: lines of the same meter, component, tier, period and unit price are one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chaincode.rating.limits import checked_amount
from zunft.v1.tariff_pb2 import Line

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

# (meter_id, component, tier, period_index, unit_price_micro)
_Key = tuple[str, str, int, int, int]


class LineSums:
    """The sums of lines, by meter, component, tier, period and unit price."""

    def __init__(self) -> None:
        self._sums: dict[_Key, tuple[int, int]] = {}

    def add(self, key: _Key, quantity_micro: int, amount_micro: int) -> None:
        """Adds to the line with this key."""
        quantity, amount = self._sums.get(key, (0, 0))
        self._sums[key] = (quantity + quantity_micro, amount + amount_micro)

    def include(self, other: LineSums) -> int:
        """Adds all lines of another and returns the sum of their amounts.

        Raises:
            AmountOutOfRange: one of them, or their sum, would leave 64 bits.
        """
        total_micro = 0
        for key, (quantity_micro, amount_micro) in other._sums.items():
            checked_amount(key[1], quantity_micro)
            total_micro += checked_amount(key[1], amount_micro)
            self.add(key, quantity_micro, amount_micro)
        return checked_amount("the bill", total_micro)

    def lines(self) -> list[Line]:
        """The lines, sorted by key, without those that have quantity 0 and amount 0.

        Raises:
            AmountOutOfRange: a line would leave 64 bits.
        """
        return [_line(key, *sums) for key, sums in sorted(self._sums.items()) if sums != (0, 0)]


def add_lines(lines: Iterable[Line], more: Iterable[Line]) -> list[Line]:
    """The sums of both, sorted by key, without lines that have quantity 0 and amount 0.

    Raises:
        AmountOutOfRange: a line would leave 64 bits.
    """
    sums = LineSums()
    for line in (*lines, *more):
        sums.add(_key(line), line.quantity_micro, line.amount_micro)
    return sums.lines()


def add_in_place(lines: RepeatedCompositeFieldContainer[Line], more: Iterable[Line]) -> None:
    """Adds lines to the first ones, which are sorted, like `add_lines`; cheap where most of them are there already.

    Raises:
        AmountOutOfRange: a line would leave 64 bits.
    """
    known = {_key(line): line for line in lines}
    known_before, emptied = len(known), False
    for line in more:
        same = known.get(key := _key(line))
        if same is None:
            known[key] = lines.add()
            known[key].CopyFrom(line)
        else:
            same.quantity_micro = checked_amount(line.component, same.quantity_micro + line.quantity_micro)
            same.amount_micro = checked_amount(line.component, same.amount_micro + line.amount_micro)
            emptied = emptied or not (same.quantity_micro or same.amount_micro)
    if len(known) > known_before:
        lines.sort(key=_key)
    if emptied:
        kept = add_lines(lines, ())
        del lines[:]
        lines.extend(kept)


def _key(line: Line) -> _Key:
    return line.meter_id, line.component, line.tier, line.period_index, line.unit_price_micro


def _line(key: _Key, quantity_micro: int, amount_micro: int) -> Line:
    meter_id, component, tier, period_index, unit_price_micro = key
    return Line(
        meter_id=meter_id,
        component=component,
        tier=tier,
        period_index=period_index,
        unit_price_micro=unit_price_micro,
        quantity_micro=checked_amount(component, quantity_micro),
        amount_micro=checked_amount(component, amount_micro),
    )
