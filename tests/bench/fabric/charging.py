"""Measures the readings that a network of three members charges per second, and the latency of a single reading.

All loads run on one network and with the same accounts, which have a meter for each load.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from chaincode.rights.roles import Role
from tests.bench.fabric.latency import Arrivals, latencies_ms
from tests.bench.fabric.network import Report, RunningNetwork, Shape, start_network
from tests.bench.fabric.processes import CpuUse, rss_mb, watched
from tests.bench.lanes import Lane, charge_all
from tests.bench.workload import sign, three_components
from tests.harness import (
    TOKEN,
    Deal,
    HandMeter,
)


@dataclass(frozen=True, slots=True)
class Load:
    """Readings of a batch, batches of a transaction, and transactions of each account. It takes five to ten seconds."""

    readings: int
    batches: int
    transactions: int

    @property
    def readings_per_transaction(self) -> int:
        return self.readings * self.batches

    def __str__(self) -> str:
        return f"{self.batches} x {self.readings:,} readings in a transaction"


ACCOUNTS = 32
ONE_PER_TX, LATENCY = "one_per_tx", "latency"
# While a transaction is under way, a busy meter seals further batches, and a node sends all of them in its next one.
TOGETHER = 4
TRANSACTIONS = {1_000: 16, 10_000: 16, 50_000: 8}
LOADS = {
    ONE_PER_TX: Load(1, 1, 30),
    **{f"{size}": Load(size, TOGETHER, count) for size, count in TRANSACTIONS.items()},
    **{f"{size}.alone": Load(size, 1, count) for size, count in TRANSACTIONS.items()},
}
# The number of readings of each account for which the latency is measured.
ARRIVALS = 30


@dataclass(frozen=True, slots=True)
class Charging:
    """The figures of one network, by load. Memory is that of the largest process of each kind."""

    readings_per_s: dict[str, float]
    cpu: dict[str, CpuUse]
    rss_mb: dict[str, float]
    latencies_ms: list[float]


def charge(divisor: int, report: Report) -> Charging:
    """Measures all loads on one network. `divisor` divides the number of transactions."""
    with start_network(Shape(), report) as network:
        report(f"opening {ACCOUNTS} accounts")
        accounts = _open(network, ACCOUNTS)
        charging = Charging({}, {}, {}, [])
        for name, load in LOADS.items():
            report(str(load))
            scaled = replace(load, transactions=load.transactions // divisor)
            charging.readings_per_s[name], charging.cpu[name] = _charge(network, accounts, name, scaled)
            if name == ONE_PER_TX:
                arrivals = Arrivals(charging.readings_per_s[name] / 2, ARRIVALS // divisor)
                report(f"latency of {arrivals.readings_per_s:.0f} readings per second")
                charging.latencies_ms.extend(_latencies_ms(network, accounts, arrivals))
        charging.rss_mb.update(rss_mb(network.fabric))
        return charging


def _open(network: RunningNetwork, count: int) -> list[Deal]:
    """Opens the accounts. Each has a meter for each load."""
    consortium, names = network.consortium, [*LOADS, LATENCY]
    meters = [tuple(HandMeter(f"drill-{number}-{name}") for name in names) for number in range(count)]
    network.register("maker", [meter for each in meters for meter in each])
    maker, factory = consortium.member("maker"), consortium.member("factory")
    return [
        consortium.agree(maker, factory, tariff=three_components(), meters=each, funds=10**6 * TOKEN) for each in meters
    ]


def _charge(network: RunningNetwork, accounts: Sequence[Deal], name: str, load: Load) -> tuple[float, CpuUse]:
    """The readings that are charged per second, and the CPU time of a transaction."""
    lanes = _lanes(accounts, name, load)
    gateway, transactions = network.gateway("maker", Role.ERP), len(lanes) * load.transactions
    gc.collect()
    with watched(network.fabric, transactions) as cpu:
        taken_s = network.consortium.run(charge_all(gateway, lanes))
    return load.readings_per_transaction * transactions / taken_s, cpu


def _latencies_ms(network: RunningNetwork, accounts: Sequence[Deal], arrivals: Arrivals) -> list[float]:
    lanes = _lanes(accounts, LATENCY, Load(1, 1, arrivals.each))
    return network.consortium.run(latencies_ms(network.gateway("maker", Role.ERP), lanes, arrivals))


def _lanes(accounts: Sequence[Deal], name: str, load: Load) -> list[Lane]:
    """The accounts' lanes. Each account's meter for the load signs the batches of all its transactions."""
    lanes = []
    for number, deal in enumerate(accounts):
        [meter] = [meter for meter in deal.meters if meter.meter_id.endswith(f"-{name}")]
        batches = sign(deal, meter, number, load.readings, load.batches * load.transactions)
        lanes.append(Lane(deal.agreement_id, [list(islice(batches, load.batches)) for _ in range(load.transactions)]))
    return lanes
