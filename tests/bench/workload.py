"""The measured work: meters of a drill, a tariff of three components, and batches that are signed beforehand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chaincode.readings.batch import (
    batch_digest,
    encode_batch,
    sign_batch,
)
from chaincode.readings.columns import Columns
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    HandMeter,
)
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import BandTable, Component, Graduated, PerUnit, Selector, Tariff, Tier, TimeBand
from zunft.v1.usage_pb2 import SignedBatch

# A meter takes a reading every ten milliseconds.
INTERVAL_US = 10_000


def three_components() -> Tariff:
    """A tariff with monthly tiers, a surcharge in peak hours (local time), and one for high load (by utilisation)."""
    tiers = Graduated(tiers=[Tier(up_to_micro=1000 * UNIT, unit_price_micro=2000), Tier(unit_price_micro=1500)])
    peak = Selector(time_bands=[TimeBand(weekdays=range(1, 6), from_s=8 * 3600, to_s=20 * 3600)])
    return Tariff(
        name="drill",
        currency="EUR",
        unit="core-second",
        time_zone="Europe/Berlin",
        band_table=BandTable(
            utilisation_from_milli=[0, 300, 700], speed_from_milli=[0], bands=["low", "medium", "high"]
        ),
        components=[
            Component(
                name="work",
                measure=tariff_pb2.MEASURE_QUANTITY,
                period=tariff_pb2.PERIOD_MONTH,
                graduated=tiers,
            ),
            _surcharge("peak hours", peak, 500),
            _surcharge("high load", Selector(bands=["high"]), 1000),
        ],
    )


def _surcharge(name: str, when: Selector, unit_price_micro: int) -> Component:
    return Component(
        name=name,
        when=when,
        measure=tariff_pb2.MEASURE_QUANTITY,
        period=tariff_pb2.PERIOD_MONTH,
        per_unit=PerUnit(unit_price_micro=unit_price_micro),
    )


@dataclass(frozen=True)
class Account:
    """A confidential agreement, and the batches that its meter has signed."""

    deal: Deal
    batches: list[SignedBatch]


def found(consortium: Consortium) -> None:
    """Founds the consortium today, and gives the factory tokens enough for everything."""
    consortium.clock.now_us = time.time_ns() // 1000
    consortium.found()
    consortium.member("bank").mint("FactoryMSP", 10**9 * TOKEN)


def open_accounts(consortium: Consortium, count: int, readings: int, batches: int) -> list[Account]:
    """Opens `count` accounts of the same two members, each with `batches` batches of `readings`."""
    maker, factory = consortium.member("maker"), consortium.member("factory")
    accounts = []
    for index in range(count):
        meter = HandMeter(f"drill-{index}")
        deal = consortium.agree(maker, factory, tariff=three_components(), meters=(meter,), funds=10**6 * TOKEN)
        signed = list(sign(deal, meter, index, readings, batches))
        accounts.append(Account(deal, signed))
    return accounts


def sign(deal: Deal, meter: HandMeter, seed: int, readings: int, batches: int) -> Iterator[SignedBatch]:
    """Consecutive signed batches of the meter, the last of which ends now."""
    random = np.random.default_rng(seed)
    begin_us = deal.consortium.clock.now_us - readings * batches * INTERVAL_US
    digest, key = b"", meter.key()
    for number in range(batches):
        data = encode_batch(
            meter_id=meter.meter_id,
            agreement_id=deal.agreement_id,
            key_version=1,
            first_sequence=1 + number * readings,
            previous_digest=digest,
            columns=drilling(random, begin_us + number * readings * INTERVAL_US, readings),
        )
        digest = batch_digest(data)
        yield sign_batch(data, key)


def drilling(random: np.random.Generator, begin_us: int, readings: int) -> Columns:
    """The readings of a machine at three loads of ten seconds, whose utilisation and work vary by a few per cent."""
    load: NDArray[np.int64] = np.repeat(random.integers(1, 4, readings // 1000 + 1), 1000)[:readings]
    return Columns(
        time_us=begin_us + np.arange(readings, dtype=np.int64) * INTERVAL_US,
        quantity_micro=load * 3000 + random.integers(0, 128, readings),
        utilisation_milli=load * 300 - 100 + random.integers(0, 16, readings),
    )
