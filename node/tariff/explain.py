"""Explains a tariff in words that a purchaser understands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chaincode.rating import zone_info
from node.tariff.file import OUTCOMES, PERIODS
from node.tariff.runs import show_runs
from node.tariff.text import decimal, money, percent
from node.tariff.time_band import show_time_band
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, Component, Selector, Tariff, Tier

_PERIOD_NAMES = {value: name for name, value in PERIODS.items()}
_OUTCOME_WORDS = dict.fromkeys(OUTCOMES.values(), "says nothing about its outcome") | {
    tariff_pb2.OUTCOME_PASSED: "passed",
    tariff_pb2.OUTCOME_FAILED: "failed",
}
_MONTH_WORDS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ORDER = ("discount", "minimum", "cap")


def explain(tariff: Tariff) -> list[str]:
    """The sentences about a tariff: one about the whole, then one for each component and adjustment."""
    heading = (
        f"{tariff.name}: quantities are in {tariff.unit}, amounts in {tariff.currency}; "
        f"days, months and times of day are those of {tariff.time_zone}."
    )
    adjustments = sorted(tariff.adjustments, key=lambda item: _ORDER.index(str(item.WhichOneof("kind"))))
    sentences = [*_bands(tariff), *(_component(tariff, item) for item in tariff.components)]
    return [heading, *sentences, *(_adjustment(tariff, item) for item in adjustments)]


def _bands(tariff: Tariff) -> list[str]:
    table = tariff.band_table
    if not table.bands:
        return []
    rows = [f"utilisation {decimal(border * 100_000)} %" for border in table.utilisation_from_milli]
    columns = [f"speed {decimal(border * 1_000)}" for border in table.speed_from_milli]
    cells = [
        " and ".join([row] * (len(rows) > 1) + [column] * (len(columns) > 1)) or "any utilisation"
        for row in rows
        for column in columns
    ]
    bands = (f"{name} from {cell}" for name, cell in zip(table.bands, cells, strict=True))
    return [f"A reading's load band is {'; '.join(bands)}."]


def _component(tariff: Tariff, component: Component) -> str:
    what = f"{_measured(tariff, component)}{_selected(component.when)}"
    period = _PERIOD_NAMES[component.period]
    restart = "" if period == "agreement" or not _has_memory(component) else f" Counting starts again every {period}."
    return f"{component.name}: {what}: {_price(tariff, component)}.{restart}"


def _has_memory(component: Component) -> bool:
    """Whether earlier usage changes the price, so that the start of a new count matters."""
    summed = component.measure not in (tariff_pb2.MEASURE_PEAK, tariff_pb2.MEASURE_PERIODS)
    return summed and component.WhichOneof("price") != "per_unit"


def _measured(tariff: Tariff, component: Component) -> str:
    per = _PERIOD_NAMES[component.period]
    unit = component.unit or tariff.unit
    whole = "over the whole agreement" if per == "agreement" else f"in a {per}"
    return {
        tariff_pb2.MEASURE_QUANTITY: f"the quantity in {unit}",
        tariff_pb2.MEASURE_READINGS: "the number of readings",
        tariff_pb2.MEASURE_PEAK: f"the highest quantity in {unit} {whole}",
        tariff_pb2.MEASURE_ACCESSES: "the number of accesses to data",
        tariff_pb2.MEASURE_PERIODS: "once" if per == "agreement" else f"once for every {per} with use",
    }[component.measure]


def _selected(when: Selector) -> str:
    conditions = [
        _one_of("counted by ", list(when.meter_ids)),
        _one_of("in ", [run.replace("-", " to ") for run in show_runs(when.months, _MONTH_WORDS)]),
        _one_of("at ", [show_time_band(band) for band in when.time_bands]),
        _one_of("with load ", list(when.bands)),
        _one_of("whose inspection ", [_OUTCOME_WORDS[outcome] for outcome in when.outcomes]),
        _one_of("of the step ", list(when.steps)),
    ]
    chosen = [condition for condition in conditions if condition]
    return f" ({', '.join(chosen)})" if chosen else ""


def _one_of(words: str, choices: Sequence[str]) -> str:
    return words + " or ".join(choices) if choices else ""


def _price(tariff: Tariff, component: Component) -> str:
    kind = component.WhichOneof("price")
    if kind == "per_unit":
        return f"{_money(tariff, component.per_unit.unit_price_micro)} each"
    if kind == "graduated":
        return "; then ".join(_tier(tariff, tier, "those up to") for tier in component.graduated.tiers)
    if kind == "volume":
        tiers = "; ".join(_tier(tariff, tier, "if there are up to") for tier in component.volume.tiers)
        return f"all at one price: {tiers}"
    if kind == "package":
        package = component.package
        return f"{_money(tariff, package.package_price_micro)} for every started {decimal(package.size_micro)}"
    return _success_fee(tariff, component)


def _tier(tariff: Tariff, tier: Tier, upto: str) -> str:
    price = f"{_money(tariff, tier.unit_price_micro)} each" if tier.unit_price_micro else "included"
    return f"{upto} {decimal(tier.up_to_micro)}: {price}" if tier.up_to_micro else f"beyond: {price}"


def _success_fee(tariff: Tariff, component: Component) -> str:
    fee = component.success_fee
    deadline = datetime.fromtimestamp(fee.deadline_us // 10**6, zone_info(tariff.time_zone))
    target = decimal(fee.target_micro)
    return f"{_money(tariff, fee.fee_micro)} when {target} are reached by {deadline:%Y-%m-%d %H:%M:%S}"


def _money(tariff: Tariff, amount_micro: int) -> str:
    if amount_micro < 0:
        return f"{money(-amount_micro, tariff.currency)} back"
    return money(amount_micro, tariff.currency)


def _adjustment(tariff: Tariff, item: Adjustment) -> str:
    per = _PERIOD_NAMES[item.period]
    whole = "the whole agreement's total" if per == "agreement" else f"each {per}'s total"
    kind = item.WhichOneof("kind")
    if kind == "discount":
        return f"{item.name}: {percent(item.discount.rate_micro)} off {whole}."
    if kind == "minimum":
        return f"{item.name}: {whole} is at least {money(item.minimum.amount_micro, tariff.currency)}, if there is use."
    return f"{item.name}: {whole} is at most {money(item.cap.amount_micro, tariff.currency)}."
