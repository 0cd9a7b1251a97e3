"""Lines of a bill: lines of the same meter, component, tier, period and unit price are one line."""

from __future__ import annotations

from collections.abc import Iterable

from chaincode.rating.limits import checked_amount
from zunft.v1.tariff_pb2 import Line

# (meter_id, component, tier, period_index, unit_price_micro)
_Key = tuple[str, str, int, int, int]


class LineSums:
    """Adds lines up."""

    def __init__(self) -> None:
        self._sums: dict[_Key, tuple[int, int]] = {}

    def add(self, key: _Key, quantity_micro: int, amount_micro: int) -> None:
        """Adds to the line with this key."""
        quantity, amount = self._sums.get(key, (0, 0))
        self._sums[key] = (quantity + quantity_micro, amount + amount_micro)

    def lines(self) -> list[Line]:
        """Sorted by key, without those whose quantity and amount came to nothing.

        Raises:
            AmountOutOfRange: a line would leave 64 bits.
        """
        return [_line(key, *sums) for key, sums in sorted(self._sums.items()) if sums != (0, 0)]


def add_lines(lines: Iterable[Line], more: Iterable[Line]) -> list[Line]:
    """Both added up, sorted by key, without lines whose quantity and amount are zero.

    Raises:
        AmountOutOfRange: a line would leave 64 bits.
    """
    sums = LineSums()
    for line in (*lines, *more):
        key = (line.meter_id, line.component, line.tier, line.period_index, line.unit_price_micro)
        sums.add(key, line.quantity_micro, line.amount_micro)
    return sums.lines()


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
