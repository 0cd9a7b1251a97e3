"""A checked tariff, prepared once for many batches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from chaincode.rating.adjustment import Rule, in_order
from chaincode.rating.check import DAY_S, check_tariff
from chaincode.rating.price import Curve, curve
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, BandTable, Component, Tariff, TimeBand

# Later in this order is finer.
_COARSE_TO_FINE = (
    tariff_pb2.PERIOD_AGREEMENT,
    tariff_pb2.PERIOD_YEAR,
    tariff_pb2.PERIOD_MONTH,
    tariff_pb2.PERIOD_DAY,
)


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time band: [begin, end) in microseconds from midnight, end beyond a day if it runs over midnight."""

    # ISO, 1 = Monday; never empty.
    weekdays: frozenset[int]
    begin_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class When:
    """A selector; None where it makes no choice."""

    times: tuple[TimeOfDay, ...] | None
    # 1 = January.
    months: frozenset[int] | None
    # Indices of the band table's cells.
    cells: tuple[int, ...] | None
    outcomes: tuple[int, ...] | None
    steps: frozenset[str] | None
    meter_ids: frozenset[str] | None
    # Readings are no later than this, microseconds since 1970 UTC.
    deadline_us: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """A component: its selected readings, their measure, the period and the price."""

    name: str
    when: When
    measure: int
    period: int
    price: Curve


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of a tariff that rating needs."""

    zone: str
    band_table: BandTable
    # The components that are measured by readings, and those that are measured by data accesses.
    metered: tuple[Part, ...]
    accessed: tuple[Part, ...]
    adjustments: tuple[Rule, ...]
    finest: int
    # The period by name of the component or adjustment.
    periods: dict[str, int]
    # The meters that a component names; every component treats all others alike.
    named_meters: frozenset[str]
    # The steps of a span, see cost.py: two values of each price curve with all its tiers, and each adjustment.
    span_steps: int
    # Time bands of all components together.
    time_bands: int


def plan_of(tariff: Tariff) -> Plan:
    """The tariff's plan.

    Raises:
        InvalidTariff: the tariff is not one that `check_tariff` accepts.
    """
    return _plan(tariff.SerializeToString(deterministic=True))


@lru_cache(maxsize=256)
def _plan(serialised: bytes) -> Plan:
    tariff = Tariff.FromString(serialised)
    check_tariff(tariff)
    parts = [_part(component, tariff.band_table) for component in tariff.components]
    items: list[Component | Adjustment] = [*tariff.components, *tariff.adjustments]
    periods = {item.name: int(item.period) for item in items}
    return Plan(
        zone=tariff.time_zone,
        band_table=tariff.band_table,
        metered=tuple(part for part in parts if part.measure != tariff_pb2.MEASURE_ACCESSES),
        accessed=tuple(part for part in parts if part.measure == tariff_pb2.MEASURE_ACCESSES),
        adjustments=in_order(tariff.adjustments),
        finest=max(periods.values(), key=_COARSE_TO_FINE.index),
        periods=periods,
        named_meters=frozenset(meter_id for part in parts for meter_id in part.when.meter_ids or ()),
        span_steps=sum(1 + _tier_count(component) for component in tariff.components) + 2 * len(tariff.adjustments),
        time_bands=sum(len(component.when.time_bands) for component in tariff.components),
    )


def _tier_count(component: Component) -> int:
    return max(1, len(component.graduated.tiers), len(component.volume.tiers))


def _part(component: Component, table: BandTable) -> Part:
    return Part(
        name=component.name,
        when=_when(component, table),
        measure=component.measure,
        period=component.period,
        price=curve(component),
    )


def _when(component: Component, table: BandTable) -> When:
    when = component.when
    cells = tuple(cell for cell, name in enumerate(table.bands) if name in when.bands)
    fee = component.WhichOneof("price") == "success_fee"
    return When(
        times=tuple(_time_of_day(band) for band in when.time_bands) or None,
        months=frozenset(when.months) or None,
        cells=cells if when.bands else None,
        outcomes=tuple(int(outcome) for outcome in when.outcomes) or None,
        steps=frozenset(when.steps) or None,
        meter_ids=frozenset(when.meter_ids) or None,
        deadline_us=component.success_fee.deadline_us if fee else None,
    )


def _time_of_day(band: TimeBand) -> TimeOfDay:
    end_s = band.to_s if band.to_s > band.from_s else band.to_s + DAY_S
    return TimeOfDay(frozenset(band.weekdays or range(1, 8)), band.from_s * 1_000_000, end_s * 1_000_000)
