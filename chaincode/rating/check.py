"""The check whether a tariff can be rated: it is the one place that checks everything that rating relies on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from chaincode.checks import format_quantity
from chaincode.errors import InvalidTariff
from chaincode.rating.limits import PRICE_MICRO_MAX, UNIT_MICRO
from chaincode.rating.local_time import is_zone
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, BandTable, Component, Package, Selector, SuccessFee, Tariff, Tier, TimeBand

COMPONENTS_MAX = 200
TIERS_MAX = 100
# An index of a cell fits one byte.
BAND_CELLS_MAX = 250
SELECTED_MAX = 100
NAME_LENGTH_MAX = 80
DAY_S = 86_400


def check_tariff(tariff: Tariff) -> None:
    """Checks every field that rating relies on.

    Raises:
        InvalidTariff: names the component and the field, and says what to write instead.
    """
    _check_heading(tariff)
    _check_names([*tariff.components, *tariff.adjustments])
    if tariff.HasField("band_table"):
        _check_band_table(tariff.band_table)
    for component in tariff.components:
        _check_component(component, tariff.band_table.bands)
    for adjustment in tariff.adjustments:
        _check_adjustment(adjustment)
    _check_adjustments_together(tariff.adjustments)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise InvalidTariff(problem)


def _check_heading(tariff: Tariff) -> None:
    _check_name("the tariff's name", tariff.name)
    _check_name("the tariff's unit", tariff.unit)
    _require(
        re.fullmatch("[A-Z]{3}", tariff.currency) is not None,
        f"currency {tariff.currency!r} is no ISO 4217 code: write three capital letters, such as EUR",
    )
    _require(
        is_zone(tariff.time_zone),
        f"time_zone {tariff.time_zone!r} is no IANA time zone: write one such as Europe/Berlin or UTC",
    )


def _check_names(items: Sequence[Component | Adjustment]) -> None:
    _require(any(isinstance(item, Component) for item in items), "the tariff has no components: add at least one")
    _require(len(items) <= COMPONENTS_MAX, f"the tariff has more than {COMPONENTS_MAX} components: split it")
    for name, count in Counter(item.name for item in items).items():
        _check_name("the name of a component or adjustment", name)
        _require(count == 1, f"the name {name!r} is used {count} times: give every component and adjustment its own")


def _check_name(what: str, name: str) -> None:
    fits = name.isprintable() and name == name.strip() and 0 < len(name) <= NAME_LENGTH_MAX
    _require(fits, f"{what} is {name!r}: write 1 to {NAME_LENGTH_MAX} printable characters without spaces around them")


def _check_band_table(table: BandTable) -> None:
    for field, borders in (("utilisation_from", table.utilisation_from_milli), ("speed_from", table.speed_from_milli)):
        begins_at_0 = bool(borders) and borders[0] == 0
        _require(begins_at_0, f"band_table: {field} must begin with 0, the lower border of the first band")
        _require(_ascends(borders), f"band_table: {field} must ascend, but is {list(borders)}")
    cells = len(table.utilisation_from_milli) * len(table.speed_from_milli)
    _require(cells <= BAND_CELLS_MAX, f"band_table: {cells} cells are more than {BAND_CELLS_MAX}: use fewer borders")
    _require(
        len(table.bands) == cells,
        f"band_table: {cells} cells need as many band names, but there are {len(table.bands)}",
    )
    for name in table.bands:
        _check_name("band_table: a band's name", name)


def _check_component(component: Component, bands: Sequence[str]) -> None:
    at = f"component {component.name!r}"
    _require(
        component.measure in tariff_pb2.Measure.values() and component.measure != 0,
        f"{at}: measure is missing: write quantity, readings, peak, accesses or periods",
    )
    if component.unit:
        _check_name(f"{at}: its unit", component.unit)
    _check_period(at, component.period)
    _check_selector(at, component.when, bands)
    if component.measure == tariff_pb2.MEASURE_ACCESSES:
        when = component.when
        fits = not (when.bands or when.outcomes or when.steps or when.meter_ids)
        _require(fits, f"{at}: accesses have no band, outcome, step or meter: select them by time_bands or months")
    _check_price(at, component)


def _check_period(at: str, period: int) -> None:
    known = period in tariff_pb2.Period.values() and period != 0
    _require(known, f"{at}: period is missing: write agreement, day, month or year")


def _check_selector(at: str, when: Selector, bands: Sequence[str]) -> None:
    for chosen in (when.time_bands, when.months, when.bands, when.outcomes, when.steps, when.meter_ids):
        _require(len(chosen) <= SELECTED_MAX, f"{at}: `when` lists more than {SELECTED_MAX} values: use fewer")
    for band in when.time_bands:
        _check_time_band(at, band)
    _check_months(at, list(when.months))
    for name in when.bands:
        _require(name in bands, f"{at}: band {name!r} is not in the band_table, which has {sorted(set(bands))}")
    for outcome in when.outcomes:
        known = outcome in tariff_pb2.Outcome.values()
        _require(known, f"{at}: outcome {outcome} is unknown: write passed, failed or unspecified")
    for step in when.steps:
        _check_name(f"{at}: a step's name", step)
    for meter_id in when.meter_ids:
        _check_name(f"{at}: a meter's name", meter_id)


def _check_months(at: str, months: Sequence[int]) -> None:
    _require(
        all(1 <= month <= 12 for month in months) and len(set(months)) == len(months),
        f"{at}: months {months} must be different numbers from 1 (January) to 12 (December)",
    )


def _check_time_band(at: str, band: TimeBand) -> None:
    days = list(band.weekdays)
    _require(
        all(1 <= day <= 7 for day in days) and len(set(days)) == len(days),
        f"{at}: weekdays {days} must be different numbers from 1 (Monday) to 7 (Sunday)",
    )
    _require(
        band.from_s < DAY_S and band.to_s <= DAY_S and band.from_s != band.to_s,
        f"{at}: a time band from second {band.from_s} to {band.to_s} of the day cannot be: "
        "let it begin before 24:00, end by 24:00, and not end where it begins (the whole day is 00:00-24:00)",
    )


def _check_price(at: str, component: Component) -> None:
    kind = component.WhichOneof("price")
    if kind == "per_unit":
        _check_amount(at, "unit_price", component.per_unit.unit_price_micro)
    elif kind == "graduated":
        _check_tiers(at, component.graduated.tiers)
    elif kind == "volume":
        _check_tiers(at, component.volume.tiers)
    elif kind == "package":
        _check_package(at, component.package)
    elif kind == "success_fee":
        _check_success_fee(at, component.success_fee)
    else:
        raise InvalidTariff(f"{at}: price is missing: write per_unit, graduated, volume, package or success_fee")


def _check_tiers(at: str, tiers: Sequence[Tier]) -> None:
    _require(0 < len(tiers) <= TIERS_MAX, f"{at}: it has {len(tiers)} tiers: write 1 to {TIERS_MAX}")
    borders = [tier.up_to_micro for tier in tiers]
    _require(borders[-1] == 0, f"{at}: the last tier has a border: leave up_to out, so that every quantity has a price")
    if not (all(border > 0 for border in borders[:-1]) and _ascends(borders[:-1])):
        shown = ", ".join(map(format_quantity, borders[:-1]))
        raise InvalidTariff(f"{at}: the tiers' up_to must be above 0 and ascend, but are {shown}")
    for tier in tiers:
        _check_amount(at, "a tier's unit_price", tier.unit_price_micro)


def _check_package(at: str, package: Package) -> None:
    _require(package.size_micro > 0, f"{at}: the package's size must be above 0")
    _check_amount(at, "package_price", package.package_price_micro)


def _check_success_fee(at: str, fee: SuccessFee) -> None:
    _require(fee.target_micro > 0, f"{at}: the success fee's target must be above 0")
    _require(fee.deadline_us > 0, f"{at}: the success fee needs a deadline after 1970")
    _check_amount(at, "fee", fee.fee_micro)


def _check_adjustment(adjustment: Adjustment) -> None:
    at = f"adjustment {adjustment.name!r}"
    _check_period(at, adjustment.period)
    kind = adjustment.WhichOneof("kind")
    _require(kind is not None, f"{at}: it has no kind: write discount, minimum or cap")
    if kind == "discount":
        fits = 0 < adjustment.discount.rate_micro <= UNIT_MICRO
        _require(fits, f"{at}: a discount must be above 0 % and at most 100 %")
    elif kind == "minimum":
        _require(adjustment.minimum.amount_micro > 0, f"{at}: the minimum must be above 0: leave it out otherwise")
        _check_amount(at, "minimum", adjustment.minimum.amount_micro)
    else:
        _require(adjustment.cap.amount_micro >= 0, f"{at}: the cap must not be below 0")
        _check_amount(at, "cap", adjustment.cap.amount_micro)


def _check_adjustments_together(adjustments: Iterable[Adjustment]) -> None:
    seen: dict[tuple[int, str], Adjustment] = {}
    for adjustment in adjustments:
        kind = str(adjustment.WhichOneof("kind"))
        other = seen.setdefault((adjustment.period, kind), adjustment)
        _require(
            other is adjustment,
            f"adjustments {other.name!r} and {adjustment.name!r} are both a {kind} of the same period: make them one",
        )
    for (period, kind), adjustment in seen.items():
        cap = seen.get((period, "cap"))
        if kind == "minimum" and cap is not None:
            fits = adjustment.minimum.amount_micro <= cap.cap.amount_micro
            _require(fits, f"adjustment {adjustment.name!r}: the minimum is above the cap {cap.name!r}: lower it")


def _check_amount(at: str, field: str, amount_micro: int) -> None:
    fits = abs(amount_micro) <= PRICE_MICRO_MAX
    _require(fits, f"{at}: {field} must lie within ±{PRICE_MICRO_MAX // UNIT_MICRO:,} tokens")


def _ascends(borders: Sequence[int]) -> bool:
    return all(lower < upper for lower, upper in pairwise(borders))
