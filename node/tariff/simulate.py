"""Simulates the bill of readings under a tariff."""

from __future__ import annotations

from collections.abc import Iterator

from chaincode.errors import TooCostly
from chaincode.rating import Cumulative, add_lines, check_batch_cost, rate
from chaincode.readings.columns import Columns
from zunft.v1.tariff_pb2 import Line, Tariff

READINGS_PER_BATCH = 50_000


def simulate(
    tariff: Tariff, columns: Columns, meter_id: str = "meter", readings_per_batch: int = READINGS_PER_BATCH
) -> list[Line]:
    """The bill's lines for all readings, beginning at zero; the size of the batches makes no difference.

    Raises the errors of `chaincode.rating.rate`.
    """
    lines: list[Line] = []
    cumulative = Cumulative()
    for batch in split(columns, affordable(tariff, columns, readings_per_batch)):
        rated = rate(tariff, meter_id, cumulative, batch)
        lines, cumulative = add_lines(lines, rated.lines), rated.cumulative
    return lines


def affordable(tariff: Tariff, columns: Columns, most: int) -> int:
    """The readings per batch that the contract rates at once, at most `most`. Raises MalformedBatch, TooCostly."""
    for batch in split(columns, most):
        try:
            check_batch_cost(tariff, batch)
        except TooCostly:
            if len(batch) == 1:
                raise
            return affordable(tariff, columns, max(1, most // 2))
    return most


def split(columns: Columns, readings_per_batch: int) -> Iterator[Columns]:
    """The same readings in batches."""
    for start in range(0, len(columns), readings_per_batch):
        yield part(columns, start, start + readings_per_batch)


def part(columns: Columns, start: int, end: int) -> Columns:
    """The readings from `start` to `end` - 1."""
    return Columns(
        time_us=columns.time_us[start:end],
        quantity_micro=columns.quantity_micro[start:end],
        utilisation_milli=None if columns.utilisation_milli is None else columns.utilisation_milli[start:end],
        speed_milli=None if columns.speed_milli is None else columns.speed_milli[start:end],
        outcome=None if columns.outcome is None else columns.outcome[start:end],
        step=None if columns.step is None else columns.step[start:end],
        work_item=None if columns.work_item is None else columns.work_item[start:end],
        location=None if columns.location is None else columns.location[start:end],
        steps=columns.steps,
        work_items=columns.work_items,
        locations=columns.locations,
    )
