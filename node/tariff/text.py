"""Writes quantities, amounts and periods for people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from chaincode.rating import first_day
from zunft.v1 import tariff_pb2

_EPOCH = date(1970, 1, 1)
# Readings lie before 2200, by the clock in London.
_AFTER_ALL_DAYS = (date(2201, 1, 1) - _EPOCH).days
_INDEX_MAX: dict[int, int] = {
    tariff_pb2.PERIOD_DAY: _AFTER_ALL_DAYS,
    tariff_pb2.PERIOD_MONTH: 12 * 231,
    tariff_pb2.PERIOD_YEAR: 231,
}
_DATE_FORMATS: dict[int, str] = {
    tariff_pb2.PERIOD_DAY: "%Y-%m-%d",
    tariff_pb2.PERIOD_MONTH: "%Y-%m",
    tariff_pb2.PERIOD_YEAR: "%Y",
}


def decimal(value_micro: int, places: int = 0) -> str:
    """A number of millionths as an exact decimal, with at least `places` digits after the point."""
    whole, micro = divmod(abs(value_micro), 10**6)
    digits = f"{micro:06d}".rstrip("0").ljust(places, "0")
    return f"{'-' if value_micro < 0 else ''}{whole}{f'.{digits}' if digits else ''}"


def money(amount_micro: int, currency: str) -> str:
    """An amount with its currency: 12.50 EUR."""
    return f"{decimal(amount_micro, 2)} {currency}"


def percent(rate_micro: int) -> str:
    """A rate in millionths as a percentage: 12.5 %."""
    return f"{decimal(rate_micro * 100)} %"


@dataclass(frozen=True, slots=True, order=True)
class LinePeriod:
    """A period as a line names it, from its first day up to the one after its last, in days since 1970."""

    begin_day: int
    end_day: int
    name: str


def period_of(kinds: Collection[int], index: int) -> LinePeriod:
    """The period of a line, named like 2026-03-28, 2026-03, 2026 or "agreement".

    `kinds` are those of its component: more than one where the tariff was amended, none where it is not known. Without
    one kind the period is the latest that the index can mean, since the index of a month of 2026 is also that of a day
    of 1971.
    """
    candidates = (_line_period(kind, index) for kind in kinds or (tariff_pb2.PERIOD_AGREEMENT, *_DATE_FORMATS))
    return max((period for period in candidates if period), default=_NO_PERIOD)


def _line_period(kind: int, index: int) -> LinePeriod | None:
    """The period of this kind and index; None if the calendar has none."""
    if kind == tariff_pb2.PERIOD_AGREEMENT:
        return None if index else _AGREEMENT
    if not 0 <= index < _INDEX_MAX[kind]:
        return None
    begin_day = first_day(kind, index)
    name = (_EPOCH + timedelta(days=begin_day)).strftime(_DATE_FORMATS[kind])
    return LinePeriod(begin_day, first_day(kind, index + 1), name)


# It begins before all other periods and ends after them.
_AGREEMENT = LinePeriod(-1, _AFTER_ALL_DAYS, "agreement")
_NO_PERIOD = LinePeriod(-1, -1, "")
