"""Milled parts: a price per finished part, a malus for a failed inspection, and the cost of every part."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from chaincode.rating import Cumulative
from chaincode.readings.columns import Columns
from node.meter.csv_readings import read_csv, read_mapping
from node.tariff.file import read_tariff
from node.tariff.simulate import simulate, split
from node.tariff.work_item_cost import cost_by_work_item
from zunft.v1.tariff_pb2 import Tariff

pytestmark = pytest.mark.needs_shared_data

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPERIMENTS = ["01", "05", "07", "16", "23"]


def tariff_of(name: str) -> Tariff:
    return read_tariff(EXAMPLES / "tariffs" / f"{name}.yaml")


def columns_of(name: str, path: Path) -> Columns:
    return read_csv(path, read_mapping(EXAMPLES / "mappings" / f"{name}.yaml")).columns


def expected_part_costs(path: Path) -> dict[str, int]:
    """Each part's cost in micro-tokens, by part number, recomputed from the file."""
    costs = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            cost = 14_900_000 if row["machining_finalized"] == "yes" else 0
            cost += {"yes": 850_000 + 333_333, "no": 850_000 - 11_175_000, "": 0}[row["passed_visual_inspection"]]
            costs[row["No"]] = cost
    return costs


@pytest.mark.parametrize("readings_per_batch", [1, 4, 25])
def test_every_parts_cost_follows_from_its_outcome(cnc_folder: Path, readings_per_batch: int) -> None:
    expected = expected_part_costs(cnc_folder / "train.csv")
    tariff, columns = tariff_of("cnc-parts"), columns_of("cnc-parts", cnc_folder / "train.csv")

    costs: dict[str, int] = {}
    cumulative = Cumulative()
    for batch in split(columns, readings_per_batch):
        traced = cost_by_work_item(tariff, "mill", cumulative, batch)
        costs, cumulative = costs | traced.amounts_micro, traced.cumulative

    assert len(costs) == 25
    assert costs == expected
    bill = simulate(tariff, columns, readings_per_batch=readings_per_batch)
    assert sum(line.amount_micro for line in bill) == sum(expected.values())


@pytest.mark.parametrize("readings_per_batch", [1, 50, 50_000])
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_machine_time_is_exact_by_feed_rate(cnc_folder: Path, experiment: str, readings_per_batch: int) -> None:
    path = cnc_folder / f"experiment_{experiment}.csv"
    with path.open() as file:
        rates = [Fraction(row["M_CURRENT_FEEDRATE"]) for row in csv.DictReader(file)]
    samples = [
        sum(rate < 1 for rate in rates),
        sum(1 <= rate < 25 for rate in rates),
        sum(rate >= 25 for rate in rates),
    ]
    prices = [Fraction("0.0017"), Fraction("0.0213"), Fraction("0.0057")]
    expected = [count * price / 10 for count, price in zip(samples, prices, strict=True)]

    lines = simulate(
        tariff_of("cnc-machine-time"), columns_of("cnc-machine-time", path), readings_per_batch=readings_per_batch
    )

    assert sum(line.amount_micro for line in lines) == sum(expected) * 10**6
