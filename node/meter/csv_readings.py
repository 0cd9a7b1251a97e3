"""Readings from a CSV file; a mapping file says which columns are what. The format is described in docs/tariffs.md."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chaincode.columns import Columns
from node.meter.csv_field import Source, source_of
from node.meter.csv_time import Clock, clock_of
from node.meter.reading import Reading, to_columns
from node.tariff.file import OUTCOMES
from node.yaml_tree import WrongFile, read_yaml

_DELIMITERS = {"comma": ord(","), "semicolon": ord(";"), "tab": ord("\t")}
_POINTS = {"point": ord("."), "comma": ord(",")}
_FIELDS = ("quantity", "utilisation", "speed", "outcome", "step", "work_item", "location")
_OUTCOMES = {int(outcome): outcome for outcome in OUTCOMES.values()}


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """Which columns of a CSV file are what; the sources are by field of Reading."""

    delimiter: str
    clock: Clock
    sources: Mapping[str, Source]


def read_csv(path: Path, mapping: CsvMapping) -> Columns:
    """All readings of a file, which must be in the order of time.

    Raises:
        WrongFile: names the file, the row and the column, and says what is wrong there.
    """
    readings: list[Reading] = []
    for place, row in _rows(path, mapping):
        previous_us = readings[-1].time_us if readings else -1
        readings.append(_reading(place, row, mapping, len(readings), previous_us))
    if not readings:
        raise WrongFile(f"{path} has no rows below its heading: export it again.")
    return to_columns(readings)


def read_mapping(path: Path) -> CsvMapping:
    """A mapping file. Raises WrongFile."""
    fields = read_yaml(path).fields(("delimiter", "decimal", "time", *_FIELDS), required=("time", "quantity"))
    point = chr(fields["decimal"].choice(_POINTS)) if "decimal" in fields else "."
    return CsvMapping(
        delimiter=chr(fields["delimiter"].choice(_DELIMITERS)) if "delimiter" in fields else ",",
        clock=clock_of(fields["time"]),
        sources={name: source_of(name, fields[name], point) for name in _FIELDS if name in fields},
    )


def _rows(path: Path, mapping: CsvMapping) -> Iterator[tuple[str, dict[str, str]]]:
    """("file, row n", values by column) of every row that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=mapping.delimiter, strict=True)
            heading = next(rows, [])
            _check_heading(path, heading, mapping)
            for row in rows:
                place = f"{path}, row {rows.line_num}"
                if len(row) not in (0, len(heading)):
                    raise WrongFile(f"{place}: it has {len(row)} values, the heading has {len(heading)}: mend the row.")
                if row:
                    yield place, dict(zip(heading, row, strict=True))
    except OSError as error:
        raise WrongFile(f"{path} cannot be read ({error.strerror}): check the name and the permissions.") from error
    except UnicodeDecodeError as error:
        raise WrongFile(f"{path} is no text in UTF-8: save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise WrongFile(f"{path} is no CSV ({error}): check its delimiter and quotes.") from error


def _check_heading(path: Path, heading: list[str], mapping: CsvMapping) -> None:
    for column in (mapping.clock.column, *(source.column for source in mapping.sources.values())):
        if column and heading.count(column) != 1:
            problem = "stands twice in" if column in heading else "is not in"
            raise WrongFile(
                f"{path}: the column {column!r} {problem} the heading, which has {', '.join(heading) or 'nothing'}: "
                "correct the mapping, or its delimiter."
            )


def _reading(place: str, row: Mapping[str, str], mapping: CsvMapping, index: int, previous_us: int) -> Reading:
    values = {name: _value(place, source, row) for name, source in mapping.sources.items()}
    return Reading(
        time_us=_time_us(place, row, mapping.clock, index, previous_us),
        quantity_micro=int(values["quantity"]),
        utilisation_milli=_number(values.get("utilisation")),
        speed_milli=_number(values.get("speed")),
        outcome=_OUTCOMES[int(values.get("outcome", 0))],
        step=str(values.get("step", "")),
        work_item=str(values.get("work_item", "")),
        location=str(values.get("location", "")),
    )


def _time_us(place: str, row: Mapping[str, str], clock: Clock, index: int, previous_us: int) -> int:
    text = row[clock.column].strip() if clock.column else ""
    try:
        time_us = clock.read(text, index, previous_us)
    except (ValueError, OverflowError) as error:
        raise WrongFile(f"{place}, column {clock.column}: {error}. Correct the row, or the mapping's time.") from error
    if time_us < previous_us:
        raise WrongFile(f"{place}, column {clock.column}: {text!r} is older than the row before: sort the rows.")
    return time_us


def _value(place: str, source: Source, row: Mapping[str, str]) -> int | str:
    try:
        return source.read(row[source.column].strip() if source.column else "")
    except ValueError as error:
        raise WrongFile(f"{place}, column {source.column}: {error}") from error


def _number(value: int | str | None) -> int | None:
    return None if value is None else int(value)
