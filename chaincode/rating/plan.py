"""A checked tariff, prepared once for many batches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from chaincode.rating.adjustment import Rule, in_order
from chaincode.rating.check import check_tariff
from chaincode.rating.price import Curve, curve
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, BandTable, Component, Selector, Tariff

# Later in this order is finer.
_COARSE_TO_FINE = (
    tariff_pb2.PERIOD_AGREEMENT,
    tariff_pb2.PERIOD_YEAR,
    tariff_pb2.PERIOD_MONTH,
    tariff_pb2.PERIOD_DAY,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A component: which readings, what of them, over which period, at which price."""

    name: str
    when: Selector
    # None: no deadline.
    deadline_us: int | None
    measure: int
    period: int
    price: Curve


@dataclass(frozen=True, slots=True)
class Plan:
    """What rating needs of a tariff."""

    zone: str
    band_table: BandTable
    # Measured by readings, and by data accesses.
    metered: tuple[Part, ...]
    accessed: tuple[Part, ...]
    adjustments: tuple[Rule, ...]
    finest: int
    uses_bands: bool
    # By name of the component or adjustment.
    periods: dict[str, int]


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
    parts = [_part(component) for component in tariff.components]
    items: list[Component | Adjustment] = [*tariff.components, *tariff.adjustments]
    periods = {item.name: int(item.period) for item in items}
    return Plan(
        zone=tariff.time_zone,
        band_table=tariff.band_table,
        metered=tuple(part for part in parts if part.measure != tariff_pb2.MEASURE_ACCESSES),
        accessed=tuple(part for part in parts if part.measure == tariff_pb2.MEASURE_ACCESSES),
        adjustments=in_order(tariff.adjustments),
        finest=max(periods.values(), key=_COARSE_TO_FINE.index),
        uses_bands=any(part.when.bands for part in parts),
        periods=periods,
    )


def _part(component: Component) -> Part:
    fee = component.WhichOneof("price") == "success_fee"
    return Part(
        name=component.name,
        when=component.when,
        deadline_us=component.success_fee.deadline_us if fee else None,
        measure=component.measure,
        period=component.period,
        price=curve(component),
    )
