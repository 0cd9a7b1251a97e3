"""Writes a tariff as YAML text, which `node.tariff.file` reads back as the same tariff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml

from chaincode.rating import zone_info
from node.tariff.file import MEASURES, OUTCOMES, PERIODS
from node.tariff.runs import MONTHS, show_runs
from node.tariff.text import decimal
from node.tariff.time_band import show_time_band
from zunft.v1.tariff_pb2 import Adjustment, BandTable, Component, Selector, SuccessFee, Tariff, Tier

_MEASURE_NAMES = {value: name for name, value in MEASURES.items()}
_PERIOD_NAMES = {value: name for name, value in PERIODS.items()}
_OUTCOME_NAMES = {value: name for name, value in OUTCOMES.items()}


def write_tariff(tariff: Tariff) -> str:
    """The tariff as YAML text; numbers are quoted, because they are exact decimals."""
    document: dict[str, Any] = {
        "name": tariff.name,
        "currency": tariff.currency,
        "unit": tariff.unit,
        "time_zone": tariff.time_zone,
    }
    if tariff.HasField("band_table"):
        document["band_table"] = _band_table(tariff.band_table)
    document["components"] = [_component(component, tariff.time_zone) for component in tariff.components]
    if tariff.adjustments:
        document["adjustments"] = [_adjustment(adjustment) for adjustment in tariff.adjustments]
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _band_table(table: BandTable) -> dict[str, Any]:
    columns = len(table.speed_from_milli)
    rows = [list(table.bands[start : start + columns]) for start in range(0, len(table.bands), columns)]
    return {
        "utilisation_from": [f"{decimal(border * 100_000)}%" for border in table.utilisation_from_milli],
        "speed_from": [decimal(border * 1_000) for border in table.speed_from_milli],
        "bands": rows,
    }


def _component(component: Component, zone: str) -> dict[str, Any]:
    when = _selector(component.when)
    return {
        "name": component.name,
        **({"unit": component.unit} if component.unit else {}),
        **({"when": when} if when else {}),
        "measure": _MEASURE_NAMES[component.measure],
        "period": _PERIOD_NAMES[component.period],
        **_price(component, zone),
    }


def _selector(when: Selector) -> dict[str, Any]:
    lists = {
        "time_bands": [show_time_band(band) for band in when.time_bands],
        "months": show_runs(when.months, MONTHS),
        "bands": list(when.bands),
        "outcomes": [_OUTCOME_NAMES[outcome] for outcome in when.outcomes],
        "steps": list(when.steps),
        "meters": list(when.meter_ids),
    }
    return {name: items for name, items in lists.items() if items}


def _price(component: Component, zone: str) -> dict[str, Any]:
    kind = component.WhichOneof("price")
    if kind == "per_unit":
        return {"unit_price": decimal(component.per_unit.unit_price_micro)}
    if kind == "graduated":
        return {"graduated": [_tier(tier) for tier in component.graduated.tiers]}
    if kind == "volume":
        return {"volume": [_tier(tier) for tier in component.volume.tiers]}
    if kind == "package":
        package = component.package
        return {"package": {"size": decimal(package.size_micro), "package_price": decimal(package.package_price_micro)}}
    return {"success_fee": _success_fee(component.success_fee, zone)}


def _tier(tier: Tier) -> dict[str, str]:
    border = {"up_to": decimal(tier.up_to_micro)} if tier.up_to_micro else {}
    return border | {"unit_price": decimal(tier.unit_price_micro)}


def _success_fee(fee: SuccessFee, zone: str) -> dict[str, str]:
    seconds, micros = divmod(fee.deadline_us, 10**6)
    deadline = datetime.fromtimestamp(seconds, zone_info(zone)).replace(microsecond=micros)
    return {"target": decimal(fee.target_micro), "deadline": deadline.isoformat(), "fee": decimal(fee.fee_micro)}


def _adjustment(adjustment: Adjustment) -> dict[str, str]:
    kind = str(adjustment.WhichOneof("kind"))
    value = {
        "discount": f"{decimal(adjustment.discount.rate_micro * 100)}%",
        "minimum": decimal(adjustment.minimum.amount_micro),
        "cap": decimal(adjustment.cap.amount_micro),
    }[kind]
    return {"name": adjustment.name, "period": _PERIOD_NAMES[adjustment.period], kind: value}
