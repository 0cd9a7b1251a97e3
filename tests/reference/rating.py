"""A second computation of bills: one reading at a time, in fractions, straight from the definition in tariff.proto.

It shares nothing with chaincode/rating but the messages, and is slow and simple on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, Component, Tariff

# (meter_id, component, tier, period_index, unit_price_micro) -> (quantity_micro, amount_micro)
Bill = dict[tuple[str, str, int, int, int], tuple[int, int]]


@dataclass(frozen=True)
class Reading:
    """A reading, with names instead of indices."""

    time_us: int
    quantity_micro: int
    utilisation_milli: int = 0
    speed_milli: int = 0
    outcome: int = 0
    step: str = ""


@dataclass
class Reference:
    """The bill of an account, from all its meters' readings."""

    tariff: Tariff
    measures: dict[tuple[str, str, int], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    booked: list[tuple[datetime, int]] = field(default_factory=list)

    def read(self, meter_id: str, readings: Iterable[Reading]) -> None:
        for reading in readings:
            local = local_time(self.tariff.time_zone, reading.time_us)
            charged = 0
            for component in self.tariff.components:
                if counts(component, meter_id) and selects(self.tariff, component, reading, local):
                    charged += self._measure(meter_id, component, local, Fraction(reading.quantity_micro, 10**6))
            self.booked.append((local, charged))

    def access(self, time_us: int) -> None:
        local = local_time(self.tariff.time_zone, time_us)
        charged = 0
        for component in self.tariff.components:
            if component.measure == tariff_pb2.MEASURE_ACCESSES and in_time(component, time_us, local):
                charged += self._measure("", component, local, Fraction(1))
        self.booked.append((local, charged))

    def bill(self) -> Bill:
        lines: Bill = {}
        for (meter_id, name, period_index), measure in self.measures.items():
            (component,) = (item for item in self.tariff.components if item.name == name)
            for (tier, unit_price), (quantity, amount) in price(component, measure).items():
                if quantity or amount:
                    lines[meter_id, name, tier, period_index, unit_price] = (quantity, amount)
        return lines | self._adjustments()

    def _measure(self, meter_id: str, component: Component, local: datetime, quantity: Fraction) -> int:
        key = (meter_id, component.name, index_of(component.period, local))
        before = self.measures[key]
        if component.measure == tariff_pb2.MEASURE_QUANTITY:
            self.measures[key] += quantity
        elif component.measure == tariff_pb2.MEASURE_PEAK:
            self.measures[key] = max(before, quantity)
        elif component.measure == tariff_pb2.MEASURE_PERIODS:
            self.measures[key] = Fraction(1)
        else:
            self.measures[key] += 1
        return total(price(component, self.measures[key])) - total(price(component, before))

    def _adjustments(self) -> Bill:
        """The adjustments of all totals: of days, months, years, the agreement; each time discount, minimum, cap."""
        lines: Bill = {}
        booked = list(self.booked)
        periods = [tariff_pb2.PERIOD_DAY, tariff_pb2.PERIOD_MONTH, tariff_pb2.PERIOD_YEAR, tariff_pb2.PERIOD_AGREEMENT]
        kinds = ["discount", "minimum", "cap"]
        for period in periods:
            for kind in kinds:
                for rule in self.tariff.adjustments:
                    if rule.period == period and rule.WhichOneof("kind") == kind:
                        booked += self._adjust(rule, booked, lines)
        return lines

    def _adjust(self, rule: Adjustment, booked: list[tuple[datetime, int]], lines: Bill) -> list[tuple[datetime, int]]:
        totals: dict[int, int] = defaultdict(int)
        any_moment: dict[int, datetime] = {}
        for local, amount in booked:
            totals[index_of(rule.period, local)] += amount
            any_moment[index_of(rule.period, local)] = local
        changes = {index: adjusted(rule, amount) - amount for index, amount in totals.items()}
        for index, change in changes.items():
            if change:
                lines["", rule.name, 0, index, 0] = (0, change)
        return [(any_moment[index], change) for index, change in changes.items()]


def adjusted(rule: Adjustment, amount: int) -> int:
    kind = rule.WhichOneof("kind")
    if kind == "discount":
        return amount - nearest(Fraction(max(amount, 0)) * Fraction(rule.discount.rate_micro, 10**6))
    return max(amount, rule.minimum.amount_micro) if kind == "minimum" else min(amount, rule.cap.amount_micro)


def price(component: Component, measure: Fraction) -> dict[tuple[int, int], tuple[int, int]]:
    """The whole measure's quantity (micro-units) and amount (micro-tokens), by tier and unit price."""
    kind = component.WhichOneof("price")
    if kind == "per_unit":
        return {(0, component.per_unit.unit_price_micro): line(measure, component.per_unit.unit_price_micro)}
    if kind == "package":
        packages, rest = divmod(measure, Fraction(component.package.size_micro, 10**6))
        each = component.package.package_price_micro
        return {(0, each): line(Fraction(packages + (rest > 0)), each)}
    if kind == "success_fee":
        fee = component.success_fee.fee_micro
        return {(0, fee): line(Fraction(1), fee)} if measure * 10**6 >= component.success_fee.target_micro else {}
    tiers = component.graduated.tiers if kind == "graduated" else component.volume.tiers
    lines = {}
    rest = measure
    lower = Fraction(0)
    for index, tier in enumerate(tiers):
        upper = Fraction(tier.up_to_micro, 10**6)
        here = rest if not tier.up_to_micro else min(rest, upper - lower)
        if kind == "graduated":
            lines[index, tier.unit_price_micro] = line(here, tier.unit_price_micro)
        elif not tier.up_to_micro or measure <= upper:
            return {(index, tier.unit_price_micro): line(measure, tier.unit_price_micro)}
        rest, lower = rest - here, upper
    return lines


def line(quantity: Fraction, unit_price_micro: int) -> tuple[int, int]:
    return nearest(quantity * 10**6), nearest(quantity * unit_price_micro)


def nearest(value: Fraction) -> int:
    """The nearest integer. Half is rounded away from zero."""
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def total(lines: dict[tuple[int, int], tuple[int, int]]) -> int:
    return sum(amount for _, amount in lines.values())


def counts(component: Component, meter_id: str) -> bool:
    of_meter = not component.when.meter_ids or meter_id in component.when.meter_ids
    return component.measure != tariff_pb2.MEASURE_ACCESSES and of_meter


def selects(tariff: Tariff, component: Component, reading: Reading, local: datetime) -> bool:
    when = component.when
    return (
        in_time(component, reading.time_us, local)
        and (not when.bands or band_of(tariff, reading) in when.bands)
        and (not when.outcomes or reading.outcome in when.outcomes)
        and (not when.steps or (reading.step != "" and reading.step in when.steps))
    )


def in_time(component: Component, time_us: int, local: datetime) -> bool:
    if component.WhichOneof("price") == "success_fee" and time_us > component.success_fee.deadline_us:
        return False
    if component.when.months and local.month not in component.when.months:
        return False
    clock_us = ((local.hour * 60 + local.minute) * 60 + local.second) * 10**6 + local.microsecond
    today, yesterday = local.isoweekday(), (local.isoweekday() - 2) % 7 + 1
    for band in component.when.time_bands:
        begin_us, end_us = band.from_s * 10**6, band.to_s * 10**6
        days = band.weekdays or range(1, 8)
        if begin_us < end_us and today in days and begin_us <= clock_us < end_us:
            return True
        if begin_us > end_us and (
            (today in days and clock_us >= begin_us) or (yesterday in days and clock_us < end_us)
        ):
            return True
    return not component.when.time_bands


def band_of(tariff: Tariff, reading: Reading) -> str:
    table = tariff.band_table
    row = max(
        [i for i, border in enumerate(table.utilisation_from_milli) if border <= reading.utilisation_milli] or [0]
    )
    column = max([i for i, border in enumerate(table.speed_from_milli) if border <= reading.speed_milli] or [0])
    return table.bands[row * len(table.speed_from_milli) + column]


def index_of(period: int, local: datetime) -> int:
    return {
        tariff_pb2.PERIOD_AGREEMENT: 0,
        tariff_pb2.PERIOD_DAY: local.date().toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal(),
        tariff_pb2.PERIOD_MONTH: (local.year - 1970) * 12 + local.month - 1,
        tariff_pb2.PERIOD_YEAR: local.year - 1970,
    }[tariff_pb2.Period.ValueType(period)]


def local_time(zone: str, time_us: int) -> datetime:
    seconds, micros = divmod(time_us, 10**6)
    return datetime.fromtimestamp(seconds, zone_of(zone)).replace(microsecond=micros)


@cache
def zone_of(name: str) -> ZoneInfo:
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
