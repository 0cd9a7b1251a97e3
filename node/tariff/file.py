"""Reads tariff files, which people write in YAML, as `zunft.v1.Tariff`. docs/tariffs.md describes the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import yaml

from chaincode.errors import InvalidTariff
from chaincode.rating import check_tariff, is_zone
from consortium.yaml_tree import (
    Tree,
    WrongFile,
    read_yaml,
)
from node.tariff.runs import MONTHS, parse_runs
from node.tariff.time_band import parse_time_band
from node.written_time import parse_iso, single_us
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import (
    Adjustment,
    BandTable,
    Cap,
    Component,
    Discount,
    Graduated,
    Measure,
    Minimum,
    Outcome,
    Package,
    Period,
    PerUnit,
    Selector,
    SuccessFee,
    Tariff,
    Tier,
    Volume,
)

MEASURES: Mapping[str, Measure] = {
    "quantity": tariff_pb2.MEASURE_QUANTITY,
    "readings": tariff_pb2.MEASURE_READINGS,
    "peak": tariff_pb2.MEASURE_PEAK,
    "accesses": tariff_pb2.MEASURE_ACCESSES,
    "periods": tariff_pb2.MEASURE_PERIODS,
}
PERIODS: Mapping[str, Period] = {
    "agreement": tariff_pb2.PERIOD_AGREEMENT,
    "day": tariff_pb2.PERIOD_DAY,
    "month": tariff_pb2.PERIOD_MONTH,
    "year": tariff_pb2.PERIOD_YEAR,
}
OUTCOMES: Mapping[str, Outcome] = {
    "unspecified": tariff_pb2.OUTCOME_UNSPECIFIED,
    "passed": tariff_pb2.OUTCOME_PASSED,
    "failed": tariff_pb2.OUTCOME_FAILED,
}
KINDS = ("discount", "minimum", "cap")


def read_tariff(path: Path) -> Tariff:
    """The tariff in a YAML file, checked.

    Raises:
        WrongFile: the error names the line, the key and the remedy.
    """
    return tariff_of(read_yaml(path))


def tariff_of(tree: Tree) -> Tariff:
    """The tariff at a place in a YAML file, checked. Raises WrongFile."""
    heading = ("name", "currency", "unit", "time_zone", "components")
    fields = tree.fields((*heading, "band_table", "adjustments"), required=heading)
    zone = fields["time_zone"].text()
    if not is_zone(zone):
        fields["time_zone"].fail(f"{zone!r} is no time zone: write its IANA name, such as Europe/Berlin or UTC")
    tariff = Tariff(
        name=fields["name"].text(),
        currency=fields["currency"].text(),
        unit=fields["unit"].text(),
        time_zone=zone,
        band_table=_band_table(fields["band_table"]) if "band_table" in fields else None,
        components=[_component(item, zone) for item in fields["components"].items()],
        adjustments=[_adjustment(item) for item in fields["adjustments"].items()] if "adjustments" in fields else [],
    )
    try:
        check_tariff(tariff)
    except InvalidTariff as error:
        raise WrongFile(f"{tree.file}: {error}") from error
    return tariff


def _band_table(tree: Tree) -> BandTable:
    fields = tree.fields(("utilisation_from", "speed_from", "bands"), required=("bands",))
    utilisation = fields["utilisation_from"].items() if "utilisation_from" in fields else []
    speed = fields["speed_from"].items() if "speed_from" in fields else []
    return BandTable(
        utilisation_from_milli=[_utilisation(item) for item in utilisation] or [0],
        speed_from_milli=[item.milli() for item in speed] or [0],
        bands=[name for row in fields["bands"].items() for name in _band_row(row)],
    )


def _utilisation(tree: Tree) -> int:
    return 0 if tree.text() == "0" else tree.percent(3)


def _band_row(tree: Tree) -> list[str]:
    """The names of a row: a list, or one name where the speed does not matter."""
    return [tree.text()] if isinstance(tree.node, yaml.ScalarNode) else [name.text() for name in tree.items()]


def _component(tree: Tree, zone: str) -> Component:
    prices = ("unit_price", *_PRICES, "success_fee")
    fields = tree.fields(("name", "unit", "when", "measure", "period", *prices), required=("name", "measure"))
    component = Component(
        name=fields["name"].text(),
        unit=fields["unit"].text() if "unit" in fields else "",
        when=_selector(fields["when"]) if "when" in fields else None,
        measure=Measure.Name(fields["measure"].choice(MEASURES)),
        period=Period.Name(fields["period"].choice(PERIODS) if "period" in fields else tariff_pb2.PERIOD_AGREEMENT),
    )
    chosen = [name for name in prices if name in fields]
    if len(chosen) != 1:
        tree.fail(f"a component has one price, this has {len(chosen)}: write one of {', '.join(prices)}")
    _set_price(component, chosen[0], fields[chosen[0]], zone)
    return component


def _set_price(component: Component, kind: str, tree: Tree, zone: str) -> None:
    if kind == "unit_price":
        component.per_unit.CopyFrom(PerUnit(unit_price_micro=tree.micro()))
    elif kind == "success_fee":
        component.success_fee.CopyFrom(_success_fee(tree, zone))
    else:
        getattr(component, kind).CopyFrom(_PRICES[kind](tree))


def _tier(tree: Tree) -> Tier:
    fields = tree.fields(("up_to", "unit_price"), required=("unit_price",))
    border = fields["up_to"].micro() if "up_to" in fields else 0
    if "up_to" in fields and border <= 0:
        fields["up_to"].fail("a tier ends above 0: write a larger number, or leave up_to out in the last tier")
    return Tier(up_to_micro=border, unit_price_micro=fields["unit_price"].micro())


def _graduated(tree: Tree) -> Graduated:
    return Graduated(tiers=[_tier(item) for item in tree.items()])


def _volume(tree: Tree) -> Volume:
    return Volume(tiers=[_tier(item) for item in tree.items()])


def _package(tree: Tree) -> Package:
    keys = ("size", "package_price")
    fields = tree.fields(keys, required=keys)
    return Package(size_micro=fields["size"].micro(), package_price_micro=fields["package_price"].micro())


_PRICES: Mapping[str, Callable[[Tree], Graduated | Volume | Package]] = {
    "graduated": _graduated,
    "volume": _volume,
    "package": _package,
}


def _success_fee(tree: Tree, zone: str) -> SuccessFee:
    keys = ("target", "deadline", "fee")
    fields = tree.fields(keys, required=keys)
    return SuccessFee(
        target_micro=fields["target"].micro(),
        deadline_us=_deadline_us(fields["deadline"], zone),
        fee_micro=fields["fee"].micro(),
    )


def _deadline_us(tree: Tree, zone: str) -> int:
    """The end of a local date, or a local date and time of day, in microseconds since 1970 UTC."""
    text = tree.text()
    try:
        written = parse_iso(text)
        if written.is_date:
            return single_us(written.moment + timedelta(days=1), zone) - 1
        return single_us(written.moment, zone)
    except (ValueError, OverflowError) as error:
        tree.fail(f"{error}: write a date like 2026-12-31, or with a time of day 2026-12-31 18:00")


def _selector(tree: Tree) -> Selector:
    fields = tree.fields(("meters", "time_bands", "months", "bands", "outcomes", "steps"))
    lists = {name: _some(field) for name, field in fields.items()}
    return Selector(
        time_bands=[parse_time_band(item) for item in lists.get("time_bands", [])],
        months=_months(lists.get("months", [])),
        bands=[item.text() for item in lists.get("bands", [])],
        outcomes=[Outcome.Name(item.choice(OUTCOMES)) for item in lists.get("outcomes", [])],
        steps=[item.text() for item in lists.get("steps", [])],
        meter_ids=[item.text() for item in lists.get("meters", [])],
    )


def _some(tree: Tree) -> list[Tree]:
    """The items of a list that is not empty, since an empty one could mean all or nothing. Raises WrongFile."""
    return tree.items() or tree.fail("the list is empty: write at least one, or leave the key out to select all")


def _months(items: Sequence[Tree]) -> list[int]:
    return sorted({month for item in items for month in parse_runs(item, item.text(), MONTHS, "months")})


def _adjustment(tree: Tree) -> Adjustment:
    fields = tree.fields(("name", "period", *KINDS), required=("name", "period"))
    adjustment = Adjustment(name=fields["name"].text(), period=Period.Name(fields["period"].choice(PERIODS)))
    chosen = [kind for kind in KINDS if kind in fields]
    if len(chosen) != 1:
        tree.fail(f"an adjustment is one of {', '.join(KINDS)}, this has {len(chosen)}: write exactly one")
    if "discount" in fields:
        adjustment.discount.CopyFrom(Discount(rate_micro=fields["discount"].percent(6)))
    elif "minimum" in fields:
        adjustment.minimum.CopyFrom(Minimum(amount_micro=fields["minimum"].micro()))
    else:
        adjustment.cap.CopyFrom(Cap(amount_micro=fields["cap"].micro()))
    return adjustment
