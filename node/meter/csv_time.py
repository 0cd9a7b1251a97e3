"""Times in CSV files: local or absolute, in a column or counted from a begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from chaincode.rating.local_time import is_zone, zone_info
from node.yaml_tree import Tree

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNIX_UNITS_US = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}


@dataclass(frozen=True, slots=True)
class Clock:
    """How a file tells the time."""

    # Empty: the file tells none, and rows follow each other at equal steps.
    column: str
    # As strptime takes it, or "iso", "unix_s", "unix_ms", "unix_us".
    format: str
    time_zone: str
    # 00:00 is written with the date of the day that it ends.
    midnight_ends_the_day: bool
    begin_us: int
    every_us: int

    def read(self, text: str, row_index: int, previous_us: int) -> int:
        """Microseconds since 1970 UTC.

        An hour that exists twice, when the clocks go back, is taken as the second one where the file goes on.

        Raises:
            ValueError: the text is no such time, or the clocks skipped it.
        """
        if not self.column:
            return self.begin_us + row_index * self.every_us
        if self.format in _UNIX_UNITS_US:
            return _unix_us(text, _UNIX_UNITS_US[self.format])
        moment = datetime.fromisoformat(text) if self.format == "iso" else datetime.strptime(text, self.format)  # noqa: DTZ007
        if self.midnight_ends_the_day and (moment.hour, moment.minute, moment.second) == (0, 0, 0):
            moment += timedelta(days=1)
        return _time_us(moment, self.time_zone, previous_us)


def clock_of(tree: Tree) -> Clock:
    """The mapping's `time`. Raises WrongFile."""
    fields = tree.fields(("column", "format", "time_zone", "midnight_ends_the_day", "begin", "every_s"))
    zone = fields["time_zone"].text() if "time_zone" in fields else "UTC"
    if not is_zone(zone):
        fields["time_zone"].fail(f"{zone!r} is no time zone: write its IANA name, such as Europe/Berlin or UTC.")
    if ("column" in fields) == ("begin" in fields and "every_s" in fields):
        tree.fail("write either a column, or begin and every_s where the file tells no time.")
    midnight = fields.get("midnight_ends_the_day")
    return Clock(
        column=fields["column"].text() if "column" in fields else "",
        format=fields["format"].text() if "format" in fields else "iso",
        time_zone=zone,
        midnight_ends_the_day=bool(midnight.choice({"false": 0, "true": 1})) if midnight else False,
        begin_us=_begin_us(fields["begin"], zone) if "begin" in fields else 0,
        every_us=fields["every_s"].micro() if "every_s" in fields else 0,
    )


def _begin_us(tree: Tree, zone: str) -> int:
    try:
        return _time_us(datetime.fromisoformat(tree.text()), zone, 0)
    except ValueError:
        tree.fail(f"{tree.text()!r} is no time: write it like 2026-05-01 06:00:00.")


def _unix_us(text: str, unit_us: int) -> int:
    try:
        value = Decimal(text) * unit_us
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error
    if not value.is_finite() or value != int(value):
        raise ValueError(f"{text!r} is finer than a microsecond")
    return int(value)


def _time_us(moment: datetime, zone: str, previous_us: int) -> int:
    if moment.tzinfo is not None:
        return (moment - _EPOCH) // _MICROSECOND
    local = moment.replace(tzinfo=zone_info(zone))
    first_us = (local.astimezone(UTC) - _EPOCH) // _MICROSECOND
    if local.astimezone(UTC).astimezone(zone_info(zone)).replace(tzinfo=None) != moment:
        raise ValueError(f"{moment} does not exist in {zone}: the clocks went forward")
    second_us = (local.replace(fold=1).astimezone(UTC) - _EPOCH) // _MICROSECOND
    return second_us if first_us <= previous_us < second_us else first_us
