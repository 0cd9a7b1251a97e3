"""Reads times in CSV files: local or absolute ones, in one or several columns, or equal steps from a begin."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

from chaincode.rating import TIME_US_MAX, is_zone
from consortium.yaml_tree import Tree
from node.meter.csv_format import WrongFormat, time_format
from node.meter.excel_time import EXCEL_BEGINS, excel_time, is_excel_time
from node.written_time import WrittenTime, both_us, is_summer, parse_iso, single_us

# A row's moment twice; two different ones where the clocks show its time twice and the row does not tell them apart.
Moments = tuple[int, int]

_UNIX_UNITS_US = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
# All digits are needed: a spreadsheet's 1.77E+09 has lost the last ones.
_UNIX_TIME = re.compile(r"(-?[0-9]{1,17})(?:\.([0-9]{1,9}))?")
_YES_NO = {"yes": 1, "no": 0}
_BOOLEANS = {"false": 0, "true": 1}


@dataclass(frozen=True, slots=True)
class SummerTime:
    """The column with the words that say whether a row's clock is on summer time."""

    column: str
    values: Mapping[str, int]

    def chosen(self, moments: Moments, row: Mapping[str, str], zone: str) -> Moments:
        """The moment, twice, that fits the row's word. Raises ValueError where none does."""
        word = row[self.column].strip()
        if word not in self.values:
            raise ValueError(f"{word!r} is not among the mapping's values of summer_time")
        wanted = bool(self.values[word])
        fitting = [time_us for time_us in moments if is_summer(time_us, zone) == wanted]
        if not fitting:
            raise ValueError(
                f"the clocks of {zone} are {'not ' if wanted else ''}on summer time then, but the row says {word!r}"
            )
        return fitting[0], fitting[0]


@dataclass(frozen=True, slots=True)
class FileTimes:
    """The way in which a file states times."""

    # The columns of a time, joined by a blank. Without any the file has no times, and its rows have equal steps.
    columns: tuple[str, ...] = ()
    # Reads a time; raises ValueError and OverflowError. None for a Unix time, whose unit is `unix_unit_us`.
    written: Callable[[str], WrittenTime] | None = None
    unix_unit_us: int = 0
    time_zone: str = "UTC"
    # Whether 00:00 is written with the date of the day that it ends.
    midnight_ends_the_day: bool = False
    summer_time: SummerTime | None = None
    begin_us: int = 0
    every_us: int = 0

    def read(self, row: Mapping[str, str], row_index: int) -> Moments:
        """The row's moments in microseconds since 1970 UTC.

        Raises ValueError, OverflowError where there is no such time, or the clocks skipped it.
        """
        moments = self._moments(row, row_index)
        if not 0 <= moments[0] <= moments[1] <= TIME_US_MAX:
            raise ValueError("it lies beyond the years 1970 to 2199")
        return moments

    def text(self, row: Mapping[str, str]) -> str:
        """The text of the row's time columns, joined by blanks."""
        return " ".join(row[column].strip() for column in self.columns).strip()

    @property
    def all_columns(self) -> tuple[str, ...]:
        """All columns that the heading must have."""
        return (*self.columns, *([self.summer_time.column] if self.summer_time else ()))

    def _moments(self, row: Mapping[str, str], row_index: int) -> Moments:
        if not self.columns:
            time_us = self.begin_us + row_index * self.every_us
            return time_us, time_us
        if self.written is None:
            time_us = _unix_us(self.text(row), self.unix_unit_us)
            return time_us, time_us
        moments = both_us(self._moment(_named(self.written, self.text(row))), self.time_zone)
        return self.summer_time.chosen(moments, row, self.time_zone) if self.summer_time else moments

    def _moment(self, written: WrittenTime) -> datetime:
        ends_here = self.midnight_ends_the_day and written.moment.time() == time() and not written.ends_its_day
        return written.moment + timedelta(days=1) if ends_here else written.moment


def times_of(tree: Tree) -> FileTimes:
    """The way in which the file states its times, from the mapping's `time`. Raises WrongFile."""
    keys = ("column", "columns", "format", "time_zone", "midnight_ends_the_day", "summer_time", "begin", "every_s")
    fields = tree.fields(keys)
    zone = fields["time_zone"].text() if "time_zone" in fields else "UTC"
    if not is_zone(zone):
        fields["time_zone"].fail(f"{zone!r} is no time zone: write its IANA name, such as Europe/Berlin or UTC")
    given = fields.keys() - {"time_zone"}
    if given == {"begin", "every_s"}:
        return FileTimes(
            time_zone=zone, begin_us=_begin_us(fields["begin"], zone), every_us=_every_us(fields["every_s"])
        )
    if len(given & {"column", "columns"}) != 1 or given & {"begin", "every_s"}:
        tree.fail("write column or columns, or begin and every_s where the file has no times")
    return _column_times(fields, zone)


def _column_times(fields: Mapping[str, Tree], zone: str) -> FileTimes:
    midnight, summer = fields.get("midnight_ends_the_day"), fields.get("summer_time")
    form = fields["format"].text() if "format" in fields else "iso"
    times = FileTimes(
        columns=_columns(fields),
        written=_written(fields["format"], form, zone) if "format" in fields else parse_iso,
        unix_unit_us=_UNIX_UNITS_US.get(form, 0),
        time_zone=zone,
        midnight_ends_the_day=bool(midnight.choice(_BOOLEANS)) if midnight else False,
        summer_time=_summer_time(summer) if summer else None,
    )
    if form in EXCEL_BEGINS and len(times.columns) > 1:
        fields["format"].fail(f"{form} is one number: write column, and no columns")
    if times.unix_unit_us and (len(times.columns) > 1 or midnight or summer):
        fields["format"].fail(f"{form} is one number, an absolute time: leave out columns and the keys of local times")
    return times


def _columns(fields: Mapping[str, Tree]) -> tuple[str, ...]:
    if "column" in fields:
        return (fields["column"].text(),)
    columns = tuple(item.text() for item in fields["columns"].items())
    if not columns or len(set(columns)) < len(columns):
        fields["columns"].fail("write the columns that a time consists of, each once, like [Date, Time]")
    return columns


def _written(tree: Tree, form: str, zone: str) -> Callable[[str], WrittenTime] | None:
    """The function that reads a local or absolute time; None where the time is a Unix time."""
    if form in _UNIX_UNITS_US:
        return None
    if form == "iso":
        return parse_iso
    if form in EXCEL_BEGINS:
        return partial(excel_time, form)
    try:
        return time_format(form, zone).parse
    except WrongFormat as error:
        tree.fail(f"the format {form!r} cannot be used: {error}")


def _named(written: Callable[[str], WrittenTime], text: str) -> WrittenTime:
    """The time in the text. Raises ValueError; it names the format excel for a spreadsheet's number."""
    try:
        return written(text)
    except ValueError as error:
        if not isinstance(written, partial) and is_excel_time(text):
            raise ValueError(f"{text!r} looks like a spreadsheet's count of days: write format: excel") from error
        raise


def _summer_time(tree: Tree) -> SummerTime:
    keys = ("column", "values")
    fields = tree.fields(keys, required=keys)
    values = {word: value.choice(_YES_NO) for word, value in fields["values"].entries().items()}
    return SummerTime(fields["column"].text(), values)


def _begin_us(tree: Tree, zone: str) -> int:
    try:
        return single_us(parse_iso(tree.text()).moment, zone)
    except (ValueError, OverflowError) as error:
        tree.fail(f"{error}: write it like 2026-05-01 06:00:00")


def _every_us(tree: Tree) -> int:
    every_us = tree.micro()
    if every_us < 0:
        tree.fail("the step between rows cannot be negative: write seconds, 0 or more")
    return every_us


def _unix_us(text: str, unit_us: int) -> int:
    match = _UNIX_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no whole time: write all its digits")
    fraction = (match[2] or "").rstrip("0")
    parts, rest = divmod(int(fraction or 0) * unit_us, int(10 ** len(fraction)))
    if rest:
        raise ValueError(f"{text!r} is finer than a microsecond")
    whole_us = int(match[1]) * unit_us
    return whole_us - parts if text.startswith("-") else whole_us + parts
