"""A few signed bytes keep the other party's contract busy for minutes, and fill its memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from chaincode.errors import MalformedRequest, TooCostly
from chaincode.rating import rate_batches
from chaincode.readings.batch import encode_batch
from chaincode.readings.columns import (
    Columns,
    MeterReadings,
)
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    per_unit,
)
from tests.harness.tariffs import tariff as tariff_with
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Component, RatingState, Selector, Tariff, Tier, TimeBand
from zunft.v1.usage_pb2 import CorrectionReading, SignedBatch

DAY_US = 86_400_000_000
# A batch of one meter that reaches back to 1970 where the agreement has no cut-off.
DAYS = 20_400
SIGNED_BYTES = 100_000
MEMORY_MB = 200


def daily(number: int, tiers: int = 1, bands: int = 0, steps: int = 0) -> Component:
    """A component that begins anew every day."""
    component = per_unit(f"c{number}", 1)
    component.period = tariff_pb2.PERIOD_DAY
    if tiers > 1:
        borders = [*range(1, tiers), 0]
        component.graduated.tiers.extend(Tier(up_to_micro=border, unit_price_micro=1) for border in borders)
    weekdays = range(1, 8)
    component.when.CopyFrom(
        Selector(
            time_bands=[TimeBand(weekdays=weekdays, from_s=60 * one, to_s=60 * one + 30) for one in range(bands)],
            steps=[f"s{one}" for one in range(steps)],
        )
    )
    return component


def columns(days: int, readings: int, steps: tuple[str, ...] = ()) -> Columns:
    """Readings of one micro-unit over the last days of these decades."""
    end_us = DAYS * DAY_US - 1
    time_us = np.linspace(end_us - days * DAY_US + 1, end_us, readings).astype(np.int64)
    step = np.ones(readings, dtype=np.int64) if steps else None
    return Columns(time_us, np.full(readings, 8, dtype=np.int64), step=step, steps=steps)


def agreed(*components: Component) -> Tariff:
    return tariff_with(*components)


ATTACKS: dict[str, Callable[[], tuple[Tariff, Columns]]] = {
    "190 daily components since 1970": lambda: (agreed(*map(daily, range(190))), columns(DAYS, DAYS)),
    "20 daily components since 1970": lambda: (agreed(*map(daily, range(20))), columns(DAYS, DAYS)),
    "tiers": lambda: (agreed(*(daily(one, tiers=100) for one in range(190))), columns(200, 400)),
    "time bands, two readings": lambda: (agreed(*(daily(one, bands=100) for one in range(20))), columns(DAYS, 2)),
}
# No allowed batch is costly, in whatever way it is made.
ALLOWED: dict[str, Callable[[], tuple[Tariff, Columns]]] = {
    "a year by the quarter of an hour, 50 daily components": lambda: (
        agreed(*map(daily, range(50))),
        columns(366, 35_136),
    ),
    "all tiers of a day": lambda: (agreed(*(daily(one, tiers=100) for one in range(190))), columns(1, 10_000)),
    "one name ten thousand times": lambda: (
        agreed(*(daily(one, steps=1) for one in range(20))),
        columns(1, 100_000, steps=("s0",) * 10_000),
    ),
    "many names": lambda: (
        agreed(*(daily(one, steps=100) for one in range(200))),
        columns(1, 100_000, steps=tuple(f"s{one}" for one in range(5_000))),
    ),
    "time bands": lambda: (agreed(*(daily(one, bands=100) for one in range(20))), columns(20, 100_000)),
}


def rate_one(case: str) -> None:
    """Rates as a party's contract does, in a process that has done nothing else; prints CPU seconds and megabytes."""
    tariff, readings = {**ALLOWED, **ATTACKS}[case]()
    begun = resource.getrusage(resource.RUSAGE_SELF)
    try:
        rate_batches(tariff, [MeterReadings("m", readings)], {"m": RatingState()}, RatingState())
    except TooCostly:
        print("refused")  # noqa: T201
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime - begun.ru_utime, (used.ru_maxrss - begun.ru_maxrss) / 1024)  # noqa: T201


def cost_of(case: str) -> tuple[bool, float, float]:
    """Whether the case was refused, its seconds of CPU, and its megabytes. It must end within a minute."""
    words = [sys.executable, "-m", "tests.attacks.test_costly_batches", case]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    *refused, figures = done.stdout.splitlines()
    seconds, megabytes = map(float, figures.split())
    return bool(refused), seconds, megabytes


@pytest.mark.fault(17)
@pytest.mark.parametrize("case", ATTACKS)
def test_a_batch_that_would_cost_too_much_is_refused_before_it_is_computed(case: str) -> None:
    refused, _, megabytes = cost_of(case)
    assert refused
    assert megabytes < MEMORY_MB


@pytest.mark.parametrize("case", ALLOWED)
def test_an_allowed_batch_takes_little_memory(case: str) -> None:
    refused, _, megabytes = cost_of(case)
    assert not refused
    assert megabytes < MEMORY_MB
    assert len(encoded(ALLOWED[case]()[1])) < SIGNED_BYTES


def encoded(readings: Columns) -> bytes:
    return encode_batch(
        meter_id="m", agreement_id="A", key_version=1, first_sequence=1, previous_digest=b"", columns=readings
    )


# --- on the ledger ----------------------------------------------------------------------------------------------------


def costly(deal: Deal) -> SignedBatch:
    """The costliest batch, in a few kilobytes."""
    data = encode_batch(
        meter_id=deal.meter.meter_id,
        agreement_id=deal.agreement_id,
        key_version=1,
        first_sequence=1,
        previous_digest=b"",
        columns=columns(DAYS, DAYS),
    )
    assert len(data) < 10_000
    return deal.meter.sign(data)


@pytest.mark.fault(17)
def test_a_party_s_contract_refuses_such_a_batch(scene: Scene) -> None:
    deal = scene.agree(tariff=agreed(*map(daily, range(190))))
    batch = costly(deal)
    scene.refuses(TooCostly, lambda: scene.maker.submit(deal, batch))


@pytest.mark.fault(18)
def test_a_correction_is_as_dear_as_a_batch_and_its_words_are_short(scene: Scene) -> None:
    deal = scene.agree(tariff=agreed(*map(daily, range(190))))
    deal.use(UNIT)
    days = [CorrectionReading(time_us=day * DAY_US, quantity_micro=1) for day in range(5_000)]
    scene.refuses(TooCostly, lambda: scene.maker.correct(deal, "all-days", *days))
    for words in ({"step": "x" * 257}, {"work_item": "x" * 257}, {"step": "\x1b"}):
        wrong = CorrectionReading(time_us=DAY_US, quantity_micro=1, **words)
        scene.refuses(MalformedRequest, lambda wrong=wrong: scene.maker.correct(deal, "wordy", wrong))
    assert deal.accrued < TOKEN


if __name__ == "__main__":
    rate_one(sys.argv[1])
