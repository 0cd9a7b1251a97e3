"""Reads times in CSV files by formats like those of Python's strptime, but ignores no part of the text.

A row's weekday must fit its date, a.m. and p.m. belong to hours up to 12, and names are English on every machine. A
zone's name is refused, because it does not name one offset reliably.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from node.tariff.runs import WEEKDAYS
from node.written_time import WrittenTime, at, microseconds, time_of_day

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TWO = r"\d{1,2}"
# The meaning of each directive, and the pattern of its text.
_DIRECTIVES: Mapping[str, tuple[str, str]] = {
    "Y": ("year", r"\d{4}"),
    "y": ("year", r"\d{2}"),
    "m": ("month", _TWO),
    "b": ("month", "|".join(name[:3] for name in MONTHS)),
    "B": ("month", "|".join(MONTHS)),
    "d": ("day", _TWO),
    "j": ("day of the year", r"\d{1,3}"),
    "a": ("weekday", "|".join(WEEKDAYS)),
    "A": ("weekday", "|".join(_DAYS)),
    "H": ("hour", _TWO),
    "I": ("hour", _TWO),
    "p": ("half of the day", r"[ap]m|[ap]\.m\."),
    "M": ("minute", _TWO),
    "S": ("second", _TWO),
    "f": ("fraction", r"\d{1,6}"),
    "z": ("offset", r"Z|[+-]\d\d(?::?\d\d)?"),
}
_NUMBERS = frozenset("YymdjHIMSf")
_PART = re.compile(r"%(.?)|(\s+)|([^%\s])", re.DOTALL)
# The limit is POSIX's.
_CENTURY_FROM = 69
_UTC_ZONES = ("UTC", "Etc/UTC", "GMT", "Etc/GMT")
_UTC_WORDS = ("z", "utc", "gmt")


class WrongFormat(ValueError):
    """The mapping's format cannot be used; the message has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A format that `time_format` has checked."""

    text: str
    pattern: re.Pattern[str]
    # The meaning of each directive in the format.
    directives: Mapping[str, str]

    def parse(self, text: str) -> WrittenTime:
        """The time in the text. Raises ValueError where the text does not have this format."""
        match = self.pattern.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:40]!r} does not match the format {self.text}")
        said = {self.directives[letter]: (letter, value) for letter, value in match.groupdict().items()}
        day = _day(said)
        if "weekday" in said and WEEKDAYS[day.weekday()] != said["weekday"][1][:3].lower():
            raise ValueError(f"{text[:40]!r} names a weekday that {day} is not")
        if "hour" not in said:
            return WrittenTime(at(day, time_of_day(0, 0, 0, 0)).moment, is_date=True)
        clock = time_of_day(_hour(said), _number(said, "minute"), _number(said, "second"), _fraction(said))
        return at(day, clock, said["offset"][1] if "offset" in said else None)


def time_format(text: str, zone: str) -> TimeFormat:
    """The format of this text, checked. Raises WrongFormat."""
    parts = [(match[1], match[2], match[3]) for match in _PART.finditer(text)]
    letters = [letter for letter, _, _ in parts if letter is not None and letter != "%"]
    directives = _directives(letters)
    _check_literals(re.sub("%.", " ", text), zone)
    _check_sufficient(set(letters), set(directives.values()))
    pattern = "".join(_pattern(parts, index) for index in range(len(parts)))
    return TimeFormat(text, re.compile(pattern, re.ASCII | re.IGNORECASE), directives)


def _directives(letters: list[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for letter in letters:
        if letter == "Z":
            raise WrongFormat(
                "%Z is a zone's name, which is not reliable: use a column with the offset (%z), or rows without "
                "a zone's name and time_zone"
            )
        if letter not in _DIRECTIVES:
            raise WrongFormat(f"%{letter} is not known here: use {', '.join(f'%{known}' for known in _DIRECTIVES)}")
        if _DIRECTIVES[letter][0] in said.values():
            raise WrongFormat(f"it has the {_DIRECTIVES[letter][0]} twice: remove %{letter}")
        said[letter] = _DIRECTIVES[letter][0]
    return said


def _check_sufficient(letters: set[str], said: set[str]) -> None:
    for day in ({"year", "month", "day"}, {"year", "day of the year"}):
        if day <= said and len(said & {"month", "day", "day of the year"}) == len(day) - 1:
            break
    else:
        raise WrongFormat("a day needs the year, the month and the day, such as %d.%m.%Y, or %Y and %j")
    for finer, coarser in (("minute", "hour"), ("second", "minute"), ("fraction", "second"), ("offset", "hour")):
        if finer in said and coarser not in said:
            raise WrongFormat(f"it has the {finer} but not the {coarser}: add the {coarser}")
    if ("I" in letters) != ("p" in letters):
        raise WrongFormat("hours up to 12 (%I) and a.m. or p.m. (%p) need each other; use %H for hours up to 24")


def _check_literals(text: str, zone: str) -> None:
    """Raises WrongFormat for letters between the directives that could mean a time, but not for UTC in a UTC zone."""
    for word in re.findall(r"[A-Za-z]+", text):
        if word.lower() in _UTC_WORDS and zone in _UTC_ZONES:
            continue
        if (word.isupper() and word not in ("T", "H")) or word.lower() in ("am", "pm", *_UTC_WORDS):
            raise WrongFormat(
                f"{word!r} would be ignored: use %p for a.m. and p.m., %z for an offset, and time_zone "
                "UTC where Z or UTC stands in every row"
            )


def _pattern(parts: list[tuple[str | None, str | None, str | None]], index: int) -> str:
    letter, blank, literal = parts[index]
    if letter is None:
        return r"\s+" if blank else re.escape(literal or "")
    if letter == "%":
        return "%"
    form = _DIRECTIVES[letter][1]
    # Numbers that stand side by side have all their digits.
    beside = [parts[at_][0] for at_ in (index - 1, index + 1) if 0 <= at_ < len(parts)]
    if form == _TWO and any(other in _NUMBERS for other in beside if other):
        form = r"\d{2}"
    return f"(?P<{letter}>{form})"


def _day(said: Mapping[str, tuple[str, str]]) -> date:
    letter, digits = said["year"]
    year = int(digits)
    if letter == "y":
        year += 1900 if year >= _CENTURY_FROM else 2000
    if "day of the year" in said:
        number = int(said["day of the year"][1])
        day = date(year, 1, 1) + timedelta(days=number - 1)
        if number < 1 or day.year != year:
            raise ValueError(f"{year} has no day {number}")
        return day
    return date(year, _month(*said["month"]), int(said["day"][1]))


def _month(letter: str, text: str) -> int:
    if letter == "m":
        return int(text)
    return next(number for number, name in enumerate(MONTHS, start=1) if name.startswith(text.lower()))


def _hour(said: Mapping[str, tuple[str, str]]) -> int:
    letter, digits = said["hour"]
    hour = int(digits)
    if letter == "H":
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"{digits} is no hour: with a.m. or p.m. they go from 1 to 12")
    return hour % 12 + (12 if said["half of the day"][1][0] in "pP" else 0)


def _number(said: Mapping[str, tuple[str, str]], name: str) -> int:
    return int(said[name][1]) if name in said else 0


def _fraction(said: Mapping[str, tuple[str, str]]) -> int:
    return microseconds(said["fraction"][1]) if "fraction" in said else 0
