"""The worked examples in docs/tariffs.md are the vectors: tariff, readings and bill, computed by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest
import yaml

from chaincode.rating import Cumulative, add_lines, rate, rate_access, rate_correction
from node.meter.reading import Reading, to_columns
from node.tariff.bill import BillLine, make_bill
from node.tariff.file import OUTCOMES
from tests.harness.tariffs import parse_tariff
from tests.reference.rating import zone_of
from zunft.v1.tariff_pb2 import Line, RatingState, Tariff
from zunft.v1.usage_pb2 import CorrectionReading

DOC = Path(__file__).parents[2] / "docs" / "tariffs.md"
HEADING = "name: Example\ncurrency: EUR\nunit: m3\ntime_zone: Europe/Berlin\n"
Row = dict[str, str]


@dataclass(frozen=True)
class Example:
    """One section of the page."""

    title: str
    tariff: Tariff
    readings: list[Row]
    bill: list[Row]


def examples() -> list[Example]:
    sections = re.split(r"^##+ ", DOC.read_text("utf-8"), flags=re.MULTILINE)
    return [example_of(section) for section in sections if "| time |" in section]


def example_of(section: str) -> Example:
    title = section.splitlines()[0]
    (text,) = re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
    given = yaml.safe_load(text)
    heading = "".join(line + "\n" for line in HEADING.splitlines() if line.split(":")[0] not in given)
    readings, bill = (table_of(part) for part in re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE))
    return Example(title, parse_tariff(heading + text, title), readings, bill)


def table_of(text: str) -> list[Row]:
    heading, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def micro(text: str) -> int:
    return int(Decimal(text) * 10**6)


def reading_of(tariff: Tariff, row: Row) -> Reading:
    moment = datetime.fromisoformat(row["time"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(tariff.time_zone))
    utilisation, speed = row.get("utilisation"), row.get("speed")
    return Reading(
        time_us=int(moment.timestamp()) * 10**6,
        quantity_micro=0 if row["quantity"] == "access" else micro(row["quantity"]),
        utilisation_milli=None if utilisation is None else int(Decimal(utilisation.rstrip("%")) * 10),
        speed_milli=None if speed is None else int(Decimal(speed) * 1000),
        outcome=OUTCOMES[row.get("outcome", "unspecified")],
        step=row.get("step", ""),
    )


class Account:
    """An account in which the rows of an example are rated."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.lines: list[Line] = []
        self.streams: dict[str, RatingState] = {}
        self.account = RatingState()

    def rate(self, rows: list[Row]) -> None:
        """Rates rows of one meter and kind."""
        meter_id = rows[0].get("meter", "m")
        before = Cumulative(self.streams.get(meter_id, RatingState()), self.account)
        readings = [reading_of(self.tariff, row) for row in rows]
        if rows[0]["quantity"] == "access":
            rated = rate_access(self.tariff, before, readings[0].time_us, len(rows))
        elif rows[0].get("count"):
            differences = [difference_of(reading, row) for reading, row in zip(readings, rows, strict=True)]
            rated = rate_correction(self.tariff, meter_id, before, differences, 0)
        else:
            rated = rate(self.tariff, meter_id, before, to_columns(readings))
        self.lines = add_lines(self.lines, rated.lines)
        self.streams[meter_id], self.account = rated.cumulative.stream, rated.cumulative.account


def difference_of(reading: Reading, row: Row) -> CorrectionReading:
    return CorrectionReading(
        time_us=reading.time_us, quantity_micro=reading.quantity_micro, reading_count=int(row["count"])
    )


def kind_of(row: Row) -> tuple[str, bool, bool]:
    return row.get("meter", ""), row["quantity"] == "access", bool(row.get("count"))


def rate_example(example: Example, rows_per_batch: int) -> list[Line]:
    """The lines of an example whose rows are rated in their order, in batches of at most `rows_per_batch` of a kind."""
    account = Account(example.tariff)
    for _, rows in groupby(example.readings, kind_of):
        of_a_kind = list(rows)
        for start in range(0, len(of_a_kind), rows_per_batch):
            account.rate(of_a_kind[start : start + rows_per_batch])
    return account.lines


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
@pytest.mark.parametrize("rows_per_batch", [1, 2, 100])
def test_the_bill_is_the_one_on_the_page(example: Example, rows_per_batch: int) -> None:
    bill = make_bill([example.tariff], rate_example(example, rows_per_batch))
    assert [words_of(line, example.bill[0]) for line in bill.lines] == [exact(row) for row in example.bill]


def words_of(line: BillLine, heading: Row) -> Row:
    """The line's cells as the page shows them; a column that an example does not need is left out."""
    shown = {name.replace("_", " "): "" if value is None else str(value) for name, value in line.to_dict().items()}
    shown["quantity"] = f"{shown['quantity']} {shown['unit']}".strip()
    return exact({name: shown[name] for name in heading})


def exact(row: Row) -> Row:
    """The row with its amounts in one form, so that equal amounts are equal texts."""
    return {name: plain(cell) if name in ("unit price", "amount") else cell for name, cell in row.items()}


def plain(amount: str) -> str:
    return f"{Decimal(amount).normalize():f}" if amount else ""


def test_the_page_has_an_example_for_everything() -> None:
    tariffs = [example.tariff for example in examples()]
    components = [component for tariff in tariffs for component in tariff.components]
    assert {component.WhichOneof("price") for component in components} == {
        "per_unit",
        "graduated",
        "volume",
        "package",
        "success_fee",
    }
    assert {component.measure for component in components} == {1, 2, 3, 4, 5}
    selectors = {field.name for component in components for field, _ in component.when.ListFields()}
    assert selectors == {"time_bands", "months", "bands", "outcomes", "steps", "meter_ids"}
    kinds = {item.WhichOneof("kind") for tariff in tariffs for item in tariff.adjustments}
    assert kinds == {"discount", "minimum", "cap"}
