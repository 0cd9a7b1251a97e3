"""Measures the CPU time and the memory of the costliest batches that the contract rates, in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import cache

import numpy as np

from chaincode.rating import check_batch_cost, rate_batches
from chaincode.readings.columns import (
    Columns,
    MeterReadings,
)
from tests.bench.figure import Figure
from tests.harness.tariffs import (
    per_unit,
    tariff,
)
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import RatingState, Tariff, Tier, TimeBand

DAY_US = 86_400_000_000
TARGET_S, TARGET_MB = 1.0, 200.0
# Components, tiers of each, time bands of each, days, readings. Each shape is close to the limit in another way.
SHAPES = {
    "days": (190, 1, 0, 128, 2_000),
    "tiers": (190, 100, 0, 2, 2_000),
    "time bands": (190, 1, 100, 9, 2_000),
    "readings": (200, 1, 0, 80, 100_000),
}


def costliest_s() -> Figure:
    """The CPU time of the costliest shape, in seconds."""
    return Figure("costliest_batch_s", max(s for s, _ in _measured()), "s", target=TARGET_S, less_is_better=True)


def costliest_mb() -> Figure:
    """The most memory by which the process grows, in MB."""
    return Figure("costliest_batch_mb", max(mb for _, mb in _measured()), "MB", target=TARGET_MB, less_is_better=True)


@cache
def _measured() -> list[tuple[float, float]]:
    words = [sys.executable, "-m", "tests.bench.costliest"]
    done = [subprocess.run([*words, shape], capture_output=True, text=True, check=True) for shape in SHAPES]
    return [(float(one.stdout.split()[0]), float(one.stdout.split()[1])) for one in done]


def _case(components: int, tiers: int, bands: int, days: int, readings: int) -> tuple[Tariff, Columns]:
    priced = [per_unit(f"part {number}", 1) for number in range(components)]
    for one in priced:
        one.period = tariff_pb2.PERIOD_DAY
        if tiers > 1:
            one.graduated.tiers.extend(Tier(up_to_micro=up_to, unit_price_micro=1) for up_to in [*range(1, tiers), 0])
        for band in range(bands):
            one.when.time_bands.append(TimeBand(weekdays=range(1, 8), from_s=60 * band, to_s=60 * band + 30))
    time_us = np.linspace(20_000 * DAY_US, (20_000 + days) * DAY_US - 7_200_000_001, readings).astype(np.int64)
    return tariff(*priced), Columns(time_us, np.full(readings, 8, dtype=np.int64))


def _rate(shape: str) -> None:
    price, columns = _case(*SHAPES[shape])
    check_batch_cost(price, columns)
    begun = resource.getrusage(resource.RUSAGE_SELF)
    rate_batches(price, [MeterReadings("m", columns)], {"m": RatingState()}, RatingState())
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime - begun.ru_utime, (used.ru_maxrss - begun.ru_maxrss) / 1024)  # noqa: T201


if __name__ == "__main__":
    _rate(sys.argv[1])
