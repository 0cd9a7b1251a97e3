"""A bill as people check it: its lines in their order, each period's sum, and the total.

Every command, table and JSON shows lines by `make_bill`, so that the same bill looks the same everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from chaincode.rating import in_order
from node.tariff.line_unit import unit_of
from node.tariff.text import LinePeriod, decimal, period_of
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Component, Line, Tariff


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line in words; an adjustment has neither tier nor quantity nor unit price.

    `tier` counts from 1. `unit` is the unit of the quantity: m3, month, packages of 100 m3.
    """

    period: str
    meter: str
    component: str
    is_correction: bool
    tier: int | None
    quantity_micro: int | None
    unit: str
    unit_price_micro: int | None
    amount_micro: int

    def to_dict(self) -> dict[str, object]:
        """The line for JSON, with exact decimals."""
        return {
            "period": self.period,
            "meter": self.meter,
            "component": self.component,
            "correction": self.is_correction,
            "tier": self.tier,
            "quantity": None if self.quantity_micro is None else decimal(self.quantity_micro),
            "unit": self.unit,
            "unit_price": None if self.unit_price_micro is None else decimal(self.unit_price_micro, 2),
            "amount": decimal(self.amount_micro, 2),
        }


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines, ordered by the begin of their periods, then by meter and component; and their sums.

    Adjustments come at the end of their periods, after all lines that they adjust.
    """

    currency: str
    lines: tuple[BillLine, ...]

    @property
    def subtotals(self) -> dict[str, int]:
        """The sums by period in micro-tokens, in the order of the periods' last lines."""
        sums: Counter[str] = Counter()
        for line in self.lines:
            sums[line.period] += line.amount_micro
        return {period: sums[period] for period in self.closing.values()}

    @property
    def total_micro(self) -> int:
        return sum(line.amount_micro for line in self.lines)

    @property
    def closing(self) -> dict[int, str]:
        """The periods by the index of their last lines, after which their sums are shown."""
        last = {line.period: index for index, line in enumerate(self.lines)}
        return {index: period for period, index in sorted(last.items(), key=itemgetter(1))}

    def to_dict(self) -> dict[str, object]:
        """The bill for JSON."""
        subtotals = [{"period": name, "amount": decimal(amount, 2)} for name, amount in self.subtotals.items()]
        return {
            "currency": self.currency,
            "lines": [line.to_dict() for line in self.lines],
            "subtotals": subtotals,
            "total": decimal(self.total_micro, 2),
        }


def make_bill(
    tariffs: Sequence[Tariff],
    lines: Iterable[Line],
    correction_lines: Iterable[Line] = (),
    meter_ids: Sequence[str] = (),
) -> Bill:
    """The bill of these lines.

    Args:
        tariffs: the one in force, then earlier ones, under which some of the lines may have been charged.
        lines, correction_lines: those of usage and of agreed corrections, as rating makes them.
        meter_ids: the agreement's meters in its order; other meters come after them.
    """
    layout = _Layout.of(tariffs, meter_ids)
    flagged = [*((line, False) for line in lines), *((line, True) for line in correction_lines)]
    placed = sorted((layout.place(line, is_correction) for line, is_correction in flagged), key=lambda one: one[0])
    return Bill(tariffs[0].currency if tariffs else "", tuple(line for _, line in placed))


def bill_under(terms: Sequence[Terms], lines: Iterable[Line], correction_lines: Iterable[Line] = ()) -> Bill:
    """The bill of an agreement's lines under its terms: those in force first, then earlier ones."""
    meter_ids = list(dict.fromkeys(meter_id for version in terms for meter_id in version.meter_ids))
    return make_bill([version.tariff for version in terms], lines, correction_lines, meter_ids)


# (when, meter, component, is it a correction, tier, unit price, the names where all else is alike)
_Place = tuple[tuple[int, bool, int], int, int, bool, int, int, str]


@dataclass(frozen=True, slots=True)
class _Layout:
    """The order of lines, and the tariffs that explain them."""

    # By name; where several tariffs have the component, the newest one's.
    components: Mapping[str, tuple[Component, Tariff]]
    # By name: the periods that a component or adjustment has had.
    periods: Mapping[str, frozenset[int]]
    # By name of the component or adjustment, in the order of the bill.
    ranks: Mapping[str, int]
    adjustments: frozenset[str]
    meters: Mapping[str, int]

    @classmethod
    def of(cls, tariffs: Sequence[Tariff], meter_ids: Sequence[str]) -> _Layout:
        items = [(item.name, int(item.period)) for each in tariffs for item in each.components]
        items += [(item.name, int(item.period)) for each in tariffs for item in each.adjustments]
        rules = [rule.name for each in tariffs for rule in in_order(each.adjustments)]
        names = [item.name for each in tariffs for item in each.components] + rules
        return cls(
            components={item.name: (item, each) for each in reversed(tariffs) for item in each.components},
            periods={name: frozenset(period for known, period in items if known == name) for name, _ in items},
            ranks={name: rank for rank, name in enumerate(dict.fromkeys(names))},
            adjustments=frozenset(rules) - {item.name for each in tariffs for item in each.components},
            meters={meter_id: rank for rank, meter_id in enumerate(meter_ids)},
        )

    def place(self, line: Line, is_correction: bool) -> tuple[_Place, BillLine]:
        period = period_of(self.periods.get(line.component, frozenset()), line.period_index)
        is_adjustment = self._is_adjustment(line)
        rank = self.ranks.get(line.component, len(self.ranks))
        when = _when(period, is_adjustment)
        place = (when, self._meter_rank(line), rank, is_correction, line.tier, line.unit_price_micro)
        shown = self._shown(line, period, is_correction, is_adjustment=is_adjustment)
        return (*place, f"{line.meter_id}/{line.component}"), shown

    def _shown(self, line: Line, period: LinePeriod, is_correction: bool, *, is_adjustment: bool) -> BillLine:
        component, tariff = self.components.get(line.component, (Component(), Tariff()))
        return BillLine(
            period=period.name,
            meter=line.meter_id,
            component=line.component,
            is_correction=is_correction,
            tier=None if is_adjustment else line.tier + 1,
            quantity_micro=None if is_adjustment else line.quantity_micro,
            unit="" if is_adjustment else unit_of(component, tariff, line.quantity_micro),
            unit_price_micro=None if is_adjustment else line.unit_price_micro,
            amount_micro=line.amount_micro,
        )

    def _is_adjustment(self, line: Line) -> bool:
        if line.component in self.ranks:
            return line.component in self.adjustments
        return not (line.meter_id or line.quantity_micro or line.unit_price_micro)

    def _meter_rank(self, line: Line) -> int:
        """The meter's place; accesses, which belong to no meter, come after all meters."""
        return self.meters.get(line.meter_id, len(self.meters) + (not line.meter_id))


def _when(period: LinePeriod, is_adjustment: bool) -> tuple[int, bool, int]:
    """The sort key by time.

    Of periods that begin together the longer comes first. Of those that end together the shorter comes first, and both
    before periods that begin then.
    """
    if is_adjustment:
        return period.end_day, False, -period.begin_day
    return period.begin_day, True, -period.end_day
