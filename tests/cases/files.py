"""The tariff and the mapping that most tests of inputs need, and files as text."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

from chaincode.readings.columns import Columns
from node.meter.csv_readings import read_csv, read_mapping
from node.tariff.simulate import simulate
from tests.harness.tariffs import parse_tariff

PRICE_1 = """\
name: One price
currency: EUR
unit: kWh
time_zone: Europe/Berlin
components:
  - {name: energy, measure: quantity, unit_price: "1"}
"""
BERLIN = "time: {column: when, time_zone: Europe/Berlin}\nquantity: {column: kwh}\n"


def readings(folder: Path, text: str, mapping: str = BERLIN) -> Columns:
    """The readings of a CSV file with this text. Raises WrongFile."""
    (folder / "readings.csv").write_text(text, encoding="utf-8")
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    return read_csv(folder / "readings.csv", read_mapping(folder / "mapping.yaml")).columns


def rows(*times: str) -> str:
    """The text of a file with 1 kWh at each time."""
    return "when,kwh\n" + "".join(f"{time},1\n" for time in times)


def utc_of(columns: Columns) -> list[str]:
    """The readings' days, hours and minutes in UTC, like "25 01:30"."""
    return [datetime.fromtimestamp(us // 10**6, UTC).strftime("%d %H:%M") for us in columns.time_us.tolist()]


def amount_micro(columns: Columns, tariff: str = PRICE_1) -> int:
    """The price of the readings."""
    return sum(line.amount_micro for line in simulate(parse_tariff(tariff), columns))


def us_of(folder: Path, time: str, text: str) -> int:
    """The time of a row whose column t has this text, by the mapping's `time`. Raises WrongFile."""
    with io.StringIO() as file:
        csv.writer(file).writerows([["t", "n"], [text, "1"]])
        columns = readings(folder, file.getvalue(), f"time: {time}\nquantity: {{column: n}}\n")
    return int(columns.time_us[0])
