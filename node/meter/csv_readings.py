"""Reads readings from a CSV file by a mapping file, which names the columns. docs/tariffs.md has the format."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np

from chaincode.readings.columns import (
    Columns,
    Int64Column,
)
from consortium.yaml_tree import (
    WrongFile,
    read_yaml,
)
from node.meter.csv_field import Source, source_of
from node.meter.csv_number import notation_of
from node.meter.csv_time import FileTimes, times_of
from node.meter.doubled_hour import resolve
from node.tariff.simulate import part

# With these limits a file takes some 300 MB of memory at most.
ROWS_MAX = 1_000_000
LINE_CHARACTERS_MAX = 1_000_000
NAMES_CHARACTERS_MAX = 50_000_000

_DELIMITERS = {"comma": ord(","), "semicolon": ord(";"), "tab": ord("\t")}
_NUMBERS = ("quantity", "utilisation", "speed")
_NAMES = ("step", "work_item", "location")
_FIELDS = (*_NUMBERS, "outcome", *_NAMES)


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """The meaning of a CSV file's columns; the sources are by field of Reading."""

    delimiter: str
    times: FileTimes
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class CsvReadings:
    """All readings of a file in the order of time, and the line of each."""

    file: Path
    columns: Columns
    lines: Int64Column


def read_csv(path: Path, mapping: CsvMapping) -> CsvReadings:
    """The file's readings. It is read once, so it may be a pipe.

    Raises:
        WrongFile: the error names the file, the row, the column and the problem.
    """
    table = _Table(path, mapping)
    for line, row in _rows(path, mapping):
        table.add(line, row)
    if not len(table.lines):
        raise WrongFile(f"{path} has no rows below its heading: export it again")
    return table.readings()


def read_mapping(path: Path) -> CsvMapping:
    """The mapping in a mapping file. Raises WrongFile."""
    keys = ("delimiter", "decimal", "thousands", "time", *_FIELDS)
    fields = read_yaml(path).fields(keys, required=("time", "quantity"))
    notation = notation_of(fields)
    return CsvMapping(
        delimiter=chr(fields["delimiter"].choice(_DELIMITERS)) if "delimiter" in fields else ",",
        times=times_of(fields["time"]),
        sources={name: source_of(name, fields[name], notation) for name in _FIELDS if name in fields},
    )


@dataclass
class _Table:
    """The rows so far, with a column of numbers for each field; names are numbered by their first rows."""

    path: Path
    mapping: CsvMapping
    lines: array[int] = field(default_factory=lambda: array("q"))
    first_us: array[int] = field(default_factory=lambda: array("q"))
    second_us: array[int] = field(default_factory=lambda: array("q"))
    values: dict[str, array[int]] = field(init=False)
    names: dict[str, dict[str, int]] = field(init=False)
    characters: int = 0

    def __post_init__(self) -> None:
        self.values = {name: array("q") for name in self.mapping.sources}
        self.names = {name: {"": 0} for name in _NAMES}

    def add(self, line: int, row: Mapping[str, str]) -> None:
        """Adds a row. Raises WrongFile."""
        if len(self.lines) == ROWS_MAX:
            raise WrongFile(
                f"{self.path} has more than {ROWS_MAX:,} rows: split it, and import the parts in their order"
            )
        for name, source in self.mapping.sources.items():
            value = self._value(line, source, row)
            self.values[name].append(value if isinstance(value, int) else self._number_of(name, value))
        first_us, second_us = self._moments(line, row)
        self.lines.append(line)
        self.first_us.append(first_us)
        self.second_us.append(second_us)

    def readings(self) -> CsvReadings:
        """The readings; a counter's first row is only its begin and no reading. Raises WrongFile."""
        times_us = self._times_us()
        first = int(self._convert())
        if first == len(self.lines):
            raise WrongFile(f"{self.path} has one row, and a counter needs two: export later ones, too")
        columns = part(self._columns(times_us), first, len(self.lines))
        return CsvReadings(self.path, columns, _column(self.lines)[first:])

    def _convert(self) -> bool:
        """Turns the column's numbers into quantities; returns whether the first row is only a counter's begin."""
        source, numbers = self.mapping.sources["quantity"], self.values["quantity"]
        if source.conversion is None:
            return False
        counter, before = source.conversion.counter, numbers[0]
        for place, number in enumerate(numbers):
            try:
                used = counter.used_micro(before, number) if counter else number
                numbers[place] = source.conversion.quantity_micro(used)
            except ValueError as error:
                self._fail(self.lines[place], source.column, str(error))
            before = number
        return counter is not None

    def _times_us(self) -> Int64Column:
        """The times of the rows. Raises WrongFile where they are not in the order of time."""
        times_us = resolve(_column(self.first_us), _column(self.second_us))
        back = np.flatnonzero(np.diff(times_us) < 0)
        if len(back):
            self._fail(self.lines[int(back[0]) + 1], self._time_columns, "older than the row before: sort the rows")
        return times_us

    def _columns(self, times_us: Int64Column) -> Columns:
        columns = {name: self._reported(name) for name in self.values}
        return Columns(
            time_us=times_us,
            quantity_micro=_column(self.values["quantity"]),
            utilisation_milli=columns.get("utilisation"),
            speed_milli=columns.get("speed"),
            outcome=columns.get("outcome"),
            step=columns.get("step"),
            work_item=columns.get("work_item"),
            location=columns.get("location"),
            steps=tuple(self.names["step"])[1:],
            work_items=tuple(self.names["work_item"])[1:],
            locations=tuple(self.names["location"])[1:],
        )

    def _reported(self, name: str) -> Int64Column | None:
        """The column of a field; None for an outcome or name that no row has."""
        column = _column(self.values[name])
        return column if name in _NUMBERS or column.any() else None

    def _number_of(self, field_name: str, name: str) -> int:
        known = self.names[field_name]
        if name not in known:
            self.characters += len(name)
            if self.characters > NAMES_CHARACTERS_MAX:
                raise WrongFile(f"{self.path} has more names than can be read at once: split it")
            known[name] = len(known)
        return known[name]

    def _moments(self, line: int, row: Mapping[str, str]) -> tuple[int, int]:
        try:
            return self.mapping.times.read(row, len(self.lines))
        except (ValueError, OverflowError) as error:
            self._fail(line, self._time_columns, f"{error}: correct the row, or the mapping's time")

    def _value(self, line: int, source: Source, row: Mapping[str, str]) -> int | str:
        try:
            return source.read(row[source.column].strip() if source.column else "")
        except ValueError as error:
            self._fail(line, source.column, str(error))

    def _fail(self, line: int, column: str, problem: str) -> NoReturn:
        raise WrongFile(f"{self.path}, row {line}, column {column}: {problem}")

    @property
    def _time_columns(self) -> str:
        return " ".join(self.mapping.times.all_columns)


def _rows(path: Path, mapping: CsvMapping) -> Iterator[tuple[int, dict[str, str]]]:
    """The line and the values by column of every row that is not empty. Raises WrongFile."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(_lines(path, file), delimiter=mapping.delimiter, strict=True)
            heading = next(rows, [])
            _check_heading(path, heading, mapping)
            for row in rows:
                if len(row) not in (0, len(heading)):
                    raise WrongFile(
                        f"{path}, row {rows.line_num}: it has {len(row)} values, the heading has {len(heading)}: "
                        "correct the row"
                    )
                if row:
                    yield rows.line_num, dict(zip(heading, row, strict=True))
    except OSError as error:
        raise WrongFile(f"{path} cannot be read ({error.strerror}): check the name and the permissions") from error
    except UnicodeDecodeError as error:
        raise WrongFile(f"{path} is no text in UTF-8: save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise WrongFile(f"{path} is no CSV ({error}): check its delimiter and quotes") from error


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The file's lines; a line that is too long raises WrongFile before it fills the memory."""
    while line := file.readline(LINE_CHARACTERS_MAX + 1):
        if len(line) > LINE_CHARACTERS_MAX:
            raise WrongFile(
                f"{path} has a line of more than {LINE_CHARACTERS_MAX:,} characters and is no CSV: choose another file"
            )
        yield line


def _check_heading(path: Path, heading: list[str], mapping: CsvMapping) -> None:
    for column in (*mapping.times.all_columns, *(source.column for source in mapping.sources.values())):
        if column and heading.count(column) != 1:
            problem = "stands twice in" if column in heading else "is not in"
            raise WrongFile(
                f"{path}: the column {column!r} {problem} the heading, which has {', '.join(heading) or 'nothing'}: "
                "correct the mapping, or its delimiter"
            )


def _column(values: array[int]) -> Int64Column:
    return np.array(values, dtype=np.int64)
