"""A steel plant's year: the bill is, to the micro-token, the same as a recomputation in plain Python from the CSV."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chaincode.readings.columns import Columns
from node.meter.csv_readings import read_csv, read_mapping
from node.tariff.bill import Bill, make_bill
from node.tariff.file import read_tariff
from node.tariff.simulate import simulate

pytestmark = pytest.mark.needs_shared_data

EXAMPLES = Path(__file__).parents[2] / "examples"
BERLIN = ZoneInfo("Europe/Berlin")
WINTER_TIME = timezone(timedelta(hours=1))


def micro(price: Fraction) -> int:
    """The price, which is never negative here, rounded to micro-tokens."""
    return int(price * 10**6 + Fraction(1, 2))


def usage_by_month(path: Path) -> dict[tuple[str, str], Fraction]:
    """The usage in kWh, by month and component."""
    usage: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    with path.open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            end = datetime.strptime(row["date"], "%d-%m-%Y %H:%M").replace(tzinfo=WINTER_TIME)
            end += timedelta(days=1) if row["NSM"] == "0" else timedelta(0)
            local = end.astimezone(BERLIN)
            month, by_day = local.strftime("%Y-%m"), local.weekday() < 5 and 6 <= local.hour < 22
            kwh = Fraction(row["Usage_kWh"])
            usage[month, "day" if by_day else "night and weekend"] += kwh
            if row["Load_Type"] != "Light_Load":
                usage[month, row["Load_Type"].lower().replace("_", " ")] += kwh
    return usage


def expected_totals(usage: dict[tuple[str, str], Fraction]) -> dict[str, int]:
    """The amounts in micro-tokens, by component, and their total."""
    totals: dict[str, int] = defaultdict(int)
    for month in sorted({month for month, _ in usage}):
        maximum = usage[month, "maximum load"]
        charges = {
            "day": micro(usage[month, "day"] * Fraction("0.1432")),
            "night and weekend": micro(usage[month, "night and weekend"] * Fraction("0.0987")),
            "medium load": micro(usage[month, "medium load"] * Fraction("0.0125")),
            "maximum load": micro(min(maximum, Fraction(20_000)) * Fraction("0.0333"))
            + micro(max(maximum - 20_000, Fraction(0)) * Fraction("0.0291")),
        }
        charges["monthly cap"] = min(12_000 * 10**6 - sum(charges.values()), 0)
        for component, amount in charges.items():
            totals[component] += amount
    return dict(totals) | {"total": sum(totals.values())}


@pytest.fixture(scope="module")
def columns(steel_csv: Path) -> Columns:
    return read_csv(steel_csv, read_mapping(EXAMPLES / "mappings" / "steel-plant.yaml")).columns


@pytest.fixture(scope="module")
def expected(steel_csv: Path) -> dict[str, int]:
    return expected_totals(usage_by_month(steel_csv))


@pytest.mark.parametrize("readings_per_batch", [13, 96, 2_977, 10_000, 50_000])
def test_the_bill_is_exact_for_any_size_of_batch(
    columns: Columns, expected: dict[str, int], readings_per_batch: int
) -> None:
    tariff = read_tariff(EXAMPLES / "tariffs" / "steel-plant.yaml")

    bill = make_bill([tariff], simulate(tariff, columns, readings_per_batch=readings_per_batch))

    assert len(columns) == 35_040
    assert totals(bill) == expected
    assert sum(bill.subtotals.values()) == bill.total_micro
    assert expected["monthly cap"] < 0


def totals(bill: Bill) -> dict[str, int]:
    """The bill's amounts in micro-tokens, by component, and their total."""
    sums: Counter[str] = Counter()
    for line in bill.lines:
        sums[line.component] += line.amount_micro
    return dict(sums) | {"total": bill.total_micro}
