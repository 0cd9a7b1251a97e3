"""Readings charged per second on a network of three members, and the latency of a single one.

All on one network and with the same accounts, which have a meter for each batch size.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaincode.roles import Role
from tests.bench.fabric.latency import Arrivals, latencies_ms
from tests.bench.fabric.network import Report, RunningNetwork, Shape, start_network
from tests.bench.fabric.processes import CpuUse, rss_mb, watched
from tests.bench.lanes import Lane, charge_all
from tests.bench.workload import sign, three_components
from tests.consortium import TOKEN, Deal, HandMeter

ACCOUNTS = 16
# Transactions of each account, by readings per transaction: five to ten seconds each.
TRANSACTIONS = {1: 60, 1_000: 40, 10_000: 40, 50_000: 24}
# Readings of each account whose latency is measured.
ARRIVALS = 60


@dataclass(frozen=True, slots=True)
class Charging:
    """What one network came to; `cpu` is by readings per transaction, memory that of the largest process of a kind."""

    readings_per_s: Mapping[int, float]
    cpu: Mapping[int, CpuUse]
    rss_mb: Mapping[str, float]
    latencies_ms: Sequence[float]


def charge(divisor: int, report: Report) -> Charging:
    """Everything on one network; `divisor` divides how much is done."""
    with start_network(Shape(), report) as network:
        report(f"opening {ACCOUNTS} accounts")
        accounts = _open(network, ACCOUNTS)
        readings_per_s, cpu = {}, {}
        for readings, count in TRANSACTIONS.items():
            report(f"{readings:,} readings per transaction")
            readings_per_s[readings], cpu[readings] = _load(network, accounts, readings, count // divisor)
        memory_mb = rss_mb(network.fabric)
        arrivals = Arrivals(readings_per_s[1] / 2, ARRIVALS // divisor)
        report(f"latency of {arrivals.readings_per_s:.0f} readings per second")
        gateway, lanes = network.gateway("maker", Role.ERP), _lanes(accounts, "latency", 1, arrivals.each)
        return Charging(readings_per_s, cpu, memory_mb, network.consortium.run(latencies_ms(gateway, lanes, arrivals)))


def _open(network: RunningNetwork, count: int) -> list[Deal]:
    consortium, kinds = network.consortium, [*map(str, TRANSACTIONS), "latency"]
    meters = [tuple(HandMeter(f"drill-{number}-{kind}") for kind in kinds) for number in range(count)]
    network.register("maker", [meter for each in meters for meter in each])
    maker, factory = consortium.member("maker"), consortium.member("factory")
    return [
        consortium.agree(maker, factory, tariff=three_components(), meters=each, funds=10**6 * TOKEN) for each in meters
    ]


def _load(network: RunningNetwork, accounts: Sequence[Deal], readings: int, count: int) -> tuple[float, CpuUse]:
    lanes = _lanes(accounts, str(readings), readings, count)
    gateway = network.gateway("maker", Role.ERP)
    gc.collect()
    with watched(network.fabric, transactions=len(lanes) * count) as cpu:
        taken_s = network.consortium.run(charge_all(gateway, lanes))
    return readings * count * len(lanes) / taken_s, cpu


def _lanes(accounts: Sequence[Deal], kind: str, readings: int, count: int) -> list[Lane]:
    """Each account's meter of that kind signs `count` batches, one for each transaction."""
    lanes = []
    for number, deal in enumerate(accounts):
        [meter] = [meter for meter in deal.meters if meter.meter_id.endswith(f"-{kind}")]
        lanes.append(Lane(deal.agreement_id, [[batch] for batch in sign(deal, meter, number, readings, count)]))
    return lanes
