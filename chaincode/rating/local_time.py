"""Local time from the pinned `tzdata` package: UTC offsets, and the days, months and years of tariffs.

The system's time zones are never used, because both endorsers must compute the same.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np

from chaincode.rating.limits import DAY_US
from chaincode.readings.columns import Int64Column
from zunft.v1 import tariff_pb2

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time with one UTC offset: begin <= time < end, in microseconds since 1970 UTC."""

    begin_us: int
    end_us: int
    offset_us: int

    def local_day(self, time_us: int) -> int:
        """The local date at this time, in days since 1970."""
        return (time_us + self.offset_us) // DAY_US


@dataclass(frozen=True, slots=True)
class Span:
    """The readings from index `start` on that lie in the same day, month or year."""

    start: int
    local_day: int


def is_zone(name: str) -> bool:
    """Whether `tzdata` knows the IANA name."""
    return name in _zone_names()


@cache
def zone_info(name: str) -> ZoneInfo:
    """The time zone with an IANA name that `is_zone` knows."""
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def pieces(zone: str, first_us: int, last_us: int) -> list[Piece]:
    """The stretches of constant UTC offset that cover [first_us, last_us]."""
    years = range(_utc_year(first_us), _utc_year(last_us) + 1)
    changes = [change for year in years for change in _offset_changes(zone, year) if first_us < change[0] <= last_us]
    begins = [(first_us, _offset_us(zone, first_us)), *changes]
    ends = [*(time_us for time_us, _ in changes), last_us + 1]
    return [Piece(begin, end, offset) for (begin, offset), end in zip(begins, ends, strict=True)]


def spans(time_us: Int64Column, stretches: list[Piece], finest: int) -> list[Span]:
    """The spans of times, which never go back, cut where a period of the kind `finest` begins or the offset changes."""
    if finest == tariff_pb2.PERIOD_AGREEMENT:
        return [Span(0, 0)]
    first_us, last_us = int(time_us[0]), int(time_us[-1])
    begin, *later = _within(stretches, first_us, last_us)
    local_day = begin.local_day(first_us)
    if not later and period_indices(local_day)[finest] == period_indices(begin.local_day(last_us))[finest]:
        return [Span(0, local_day)]
    return [span for piece in (begin, *later) for span in _spans_in(piece, time_us, finest)]


@lru_cache(maxsize=4096)
def period_indices(local_day: int) -> tuple[int, int, int, int, int]:
    """The index of the period in which a local day lies, for each value of enum Period."""
    day = date.fromordinal(_EPOCH_ORDINAL + local_day)
    years = day.year - 1970
    return (0, 0, local_day, 12 * years + day.month - 1, years)


def first_day(period: int, index: int) -> int:
    """The first local day of a day, month or year, in days since 1970."""
    if period == tariff_pb2.PERIOD_DAY:
        return index
    year, month = divmod(index, 12) if period == tariff_pb2.PERIOD_MONTH else (index, 0)
    return date(1970 + year, month + 1, 1).toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=4096)
def period_end_us(period: int, index: int) -> int | None:
    """A time at which the period has ended whatever the UTC offset is; None if it never ends."""
    if period == tariff_pb2.PERIOD_AGREEMENT:
        return None
    return (first_day(period, index + 1) + 1) * DAY_US


def _within(stretches: list[Piece], first_us: int, last_us: int) -> list[Piece]:
    """The stretches in which a batch lies, usually one."""
    if len(stretches) == 1:
        return stretches
    low, high = (bisect_right(stretches, time_us, key=attrgetter("begin_us")) for time_us in (first_us, last_us))
    return stretches[low - 1 : high]


def _spans_in(piece: Piece, time_us: Int64Column, finest: int) -> list[Span]:
    low, high = (int(time_us.searchsorted(border)) for border in (piece.begin_us, piece.end_us))
    if low == high:
        return []
    begin_day, last_day = (piece.local_day(int(time_us[index])) for index in (low, high - 1))
    first, last = (period_indices(day)[finest] for day in (begin_day, last_day))
    if first == last:
        return [Span(low, begin_day)]
    days = [first_day(finest, index) for index in range(first + 1, last + 1)]
    borders_us = np.array(days, dtype=np.int64) * DAY_US - piece.offset_us
    starts = np.unique(np.searchsorted(time_us[low:high], borders_us) + low).tolist()
    return [Span(start, piece.local_day(int(time_us[start]))) for start in (low, *starts)]


@lru_cache(maxsize=4096)
def _offset_changes(zone: str, utc_year: int) -> tuple[tuple[int, int], ...]:
    """Every change in a UTC year, as (time in microseconds, new offset).

    Looks at each day's begin: no zone has changed twice within six days since 1970.
    """
    first, after = (date(year, 1, 1).toordinal() - _EPOCH_ORDINAL for year in (utc_year, utc_year + 1))
    days = range(first * DAY_US, after * DAY_US, DAY_US)
    changed = [day for day in days if _offset_us(zone, day) != _offset_us(zone, day + DAY_US)]
    return tuple((change, _offset_us(zone, change)) for change in (_change_after(zone, day) for day in changed))


def _change_after(zone: str, day_us: int) -> int:
    """The first microsecond after `day_us` with another offset, which is a whole second."""
    before_s, after_s = day_us // 1_000_000, (day_us + DAY_US) // 1_000_000
    offset_us = _offset_us(zone, day_us)
    while after_s - before_s > 1:
        middle_s = (before_s + after_s) // 2
        same = _offset_us(zone, middle_s * 1_000_000) == offset_us
        before_s, after_s = (middle_s, after_s) if same else (before_s, middle_s)
    return after_s * 1_000_000


def _offset_us(zone: str, time_us: int) -> int:
    offset = datetime.fromtimestamp(time_us // 1_000_000, zone_info(zone)).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def _utc_year(time_us: int) -> int:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).year


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())
