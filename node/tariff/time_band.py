"""Reads and writes time bands in words: "mon-fri 06:00-22:00", "sat,sun 00:00-24:00", "22:00-06:00"."""

from __future__ import annotations

import re

from consortium.yaml_tree import Tree
from node.tariff.runs import WEEKDAYS, parse_runs, show_runs
from zunft.v1.tariff_pb2 import TimeBand

_CLOCK = r"([0-2][0-9]):([0-5][0-9])(?::([0-5][0-9]))?"
_HOURS = re.compile(f"{_CLOCK}-{_CLOCK}")


def parse_time_band(tree: Tree) -> TimeBand:
    """A time band; one that ends before it begins runs over midnight. Raises WrongFile."""
    words = tree.text().split()
    hours = _HOURS.fullmatch(words[-1]) if 1 <= len(words) <= 2 else None
    if hours is None:
        tree.fail(f"{tree.text()!r} is no time band: write it like 'mon-fri 06:00-22:00' or '22:00-06:00'")
    begin, end = hours.groups()[:3], hours.groups()[3:]
    weekdays = parse_runs(tree, words[0], WEEKDAYS, "weekdays") if len(words) == 2 else []
    return TimeBand(weekdays=weekdays, from_s=_seconds(begin), to_s=_seconds(end))


def show_time_band(band: TimeBand) -> str:
    """The time band in the words that `parse_time_band` reads."""
    hours = f"{_clock(band.from_s)}-{_clock(band.to_s)}"
    return f"{','.join(show_runs(band.weekdays, WEEKDAYS))} {hours}" if band.weekdays else hours


def _seconds(clock: tuple[str | None, ...]) -> int:
    hour, minute, second = (int(part or 0) for part in clock)
    return (hour * 60 + minute) * 60 + second


def _clock(time_s: int) -> str:
    minutes, seconds = divmod(time_s, 60)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{clock}:{seconds:02d}" if seconds else clock
