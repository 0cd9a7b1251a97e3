"""The unit of a line's quantity, in words."""

from __future__ import annotations

from collections.abc import Mapping

from node.tariff.text import decimal
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Component, Tariff

_ONE_MICRO = 10**6
_COUNTED: Mapping[int, str] = {tariff_pb2.MEASURE_READINGS: "reading", tariff_pb2.MEASURE_ACCESSES: "access"}
_PERIODS: Mapping[int, str] = {
    tariff_pb2.PERIOD_AGREEMENT: "agreement",
    tariff_pb2.PERIOD_DAY: "day",
    tariff_pb2.PERIOD_MONTH: "month",
    tariff_pb2.PERIOD_YEAR: "year",
}


def unit_of(component: Component, tariff: Tariff, quantity_micro: int) -> str:
    """The unit of a component's line, as in "3 packages of 100 m3"; empty where the component is not known."""
    price = component.WhichOneof("price")
    if price is None:
        return ""
    if price == "success_fee":
        return _counted("fee", quantity_micro)
    if price == "package":
        size_micro = component.package.size_micro
        packages = _counted("package", quantity_micro)
        return f"{packages} of {decimal(size_micro)} {_measured(component, tariff, size_micro)}"
    return _measured(component, tariff, quantity_micro)


def _measured(component: Component, tariff: Tariff, quantity_micro: int) -> str:
    if component.measure in _COUNTED:
        return component.unit or _counted(_COUNTED[component.measure], quantity_micro)
    if component.measure == tariff_pb2.MEASURE_PERIODS:
        return component.unit or _counted(_PERIODS[component.period], quantity_micro)
    return component.unit or tariff.unit


def _counted(word: str, quantity_micro: int) -> str:
    if abs(quantity_micro) == _ONE_MICRO:
        return word
    return f"{word}es" if word.endswith("ss") else f"{word}s"
