"""Quantities, amounts and periods as people read them."""

from __future__ import annotations

from datetime import date, timedelta

from chaincode.rating.local_time import first_day
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Tariff

_EPOCH = date(1970, 1, 1)
_DATE_FORMATS: dict[int, str] = {
    tariff_pb2.PERIOD_DAY: "%Y-%m-%d",
    tariff_pb2.PERIOD_MONTH: "%Y-%m",
    tariff_pb2.PERIOD_YEAR: "%Y",
}


def decimal(value_micro: int, places: int = 0) -> str:
    """Millionths as an exact decimal number, with at least so many digits after the point."""
    whole, micro = divmod(abs(value_micro), 10**6)
    digits = f"{micro:06d}".rstrip("0").ljust(places, "0")
    return f"{'-' if value_micro < 0 else ''}{whole}{f'.{digits}' if digits else ''}"


def money(amount_micro: int, currency: str) -> str:
    """An amount with its currency: 12.50 EUR."""
    return f"{decimal(amount_micro, 2)} {currency}"


def percent(rate_micro: int) -> str:
    """A rate in millionths as a percentage: 12.5 %."""
    return f"{decimal(rate_micro * 100)} %"


def period_name(period: int, index: int) -> str:
    """2026, 2026-03 or 2026-03-28; empty for the whole agreement."""
    if period not in _DATE_FORMATS:
        return ""
    return (_EPOCH + timedelta(days=first_day(period, index))).strftime(_DATE_FORMATS[period])


def line_period(tariff: Tariff, component: str, index: int) -> str:
    """The period of a line, by its component's (or adjustment's) name."""
    periods = {item.name: int(item.period) for item in tariff.components}
    periods |= {item.name: int(item.period) for item in tariff.adjustments}
    return period_name(periods.get(component, tariff_pb2.PERIOD_AGREEMENT), index)
