"""Times as people and machines write them. Every part of the text is used, or the text is refused.

The result does not depend on this machine's time zone or language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from chaincode.rating import zone_info

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECOND_DIGITS = 6
_END_OF_DAY = 24

# ISO 8601, extended or basic; a blank may stand before the offset.
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d))"
    r"(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?|(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)"
    r"(?: ?(Z|z|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """The content of a text: a day, perhaps a time of day, perhaps an offset from UTC."""

    # Local time, or a time with an offset; 24:00 is 00:00 of the day after.
    moment: datetime
    is_date: bool
    # It was written as 24:00.
    ends_its_day: bool = False


def parse_iso(text: str) -> WrittenTime:
    """A date, or a date and time of day, as in 2026-03-02 08:00+01:00. Raises ValueError."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time like 2026-03-02 08:00")
    year, month, day = match[1], match[2] or match[4], match[3] or match[5]
    hour, minute, second = match[6], match[7] or match[10], match[8] or match[11]
    on = date(int(year), int(month), int(day))
    if hour is None:
        return WrittenTime(datetime.combine(on, time()), is_date=True)
    clock = time_of_day(int(hour), int(minute), int(second or 0), microseconds(match[9] or match[12] or ""))
    return at(on, clock, match[13])


def time_of_day(hour: int, minute: int, second: int, microsecond: int) -> time | None:
    """The time of day; None for 24:00, the end of the day. Raises ValueError."""
    if hour == _END_OF_DAY and not (minute or second or microsecond):
        return None
    return time(hour, minute, second, microsecond)


def at(on: date, clock: time | None, offset: str | None = None) -> WrittenTime:
    """The moment of a day, and its offset where one is written. Raises ValueError, OverflowError."""
    moment = datetime.combine(on, clock or time())
    if clock is None:
        moment += timedelta(days=1)
    if offset:
        moment = moment.replace(tzinfo=parse_offset(offset))
    return WrittenTime(moment, is_date=False, ends_its_day=clock is None)


def microseconds(digits: str) -> int:
    """The digits after a second's point. Raises ValueError for digits finer than a microsecond."""
    if digits[_MICROSECOND_DIGITS:].strip("0"):
        raise ValueError("it is finer than a microsecond")
    return int(digits[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0"))


def parse_offset(text: str) -> timezone:
    """The time zone of an offset written as Z, +01:00, +0100 or +01. Raises ValueError."""
    if text in ("Z", "z"):
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[3] or 0) >= 60:
        raise ValueError(f"{text!r} is no offset from UTC like +01:00")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-offset if match[1] == "-" else offset)


def both_us(moment: datetime, zone: str) -> tuple[int, int]:
    """Microseconds since 1970 UTC, twice; two different ones where the zone's clocks show the moment twice.

    Raises ValueError where the clocks of the zone skip it.
    """
    if moment.tzinfo is not None:
        only_us = (moment - _EPOCH) // _MICROSECOND
        return only_us, only_us
    wall_us = (moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
    local = moment.replace(tzinfo=zone_info(zone))
    first, second = (_offset_us(local.replace(fold=fold)) for fold in (0, 1))
    if first < second:
        raise ValueError(f"{moment} does not exist in {zone}: the clocks went forward")
    return wall_us - first, wall_us - second


def single_us(moment: datetime, zone: str) -> int:
    """Microseconds since 1970 UTC of a moment that a person names. Raises ValueError where the clocks show it twice."""
    first_us, second_us = both_us(moment, zone)
    if first_us != second_us:
        raise ValueError(f"{moment} exists twice in {zone}, when the clocks go back: write its offset, like +01:00")
    return first_us


def is_summer(time_us: int, zone: str) -> bool:
    """Whether the zone's clocks have a larger offset from UTC than at some other time of that year."""
    moment = datetime.fromtimestamp(time_us // 1_000_000, zone_info(zone))
    year = [datetime(moment.year, month, 1, tzinfo=zone_info(zone)) for month in (1, 7)]
    return _offset_us(moment) > min(map(_offset_us, year))


def _offset_us(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else offset // _MICROSECOND
