"""Measures a thousand meters with a few readings each: many meters' batches in a transaction, or one batch in each."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

from chaincode.rights.roles import Role
from tests.bench.fabric.network import Report, RunningNetwork, Shape, start_network
from tests.bench.fabric.processes import CpuUse, watched
from tests.bench.lanes import Lane, charge_all
from tests.bench.wide import READINGS, rounds
from tests.bench.workload import three_components
from tests.harness import (
    TOKEN,
    Deal,
    HandMeter,
)

METERS = 1_000
# The meters belong to so many agreements, whose transactions run side by side.
AGREEMENTS = 10
# A transaction has so many batches of each meter.
ROUNDS_TOGETHER = 10
# Transactions of each agreement: with many batches, and with one.
TOGETHER, ALONE = 4, 40


@dataclass(frozen=True, slots=True)
class Wide:
    """Readings per second with many batches in a transaction and with one, and the CPU time of the former."""

    together_per_s: float
    alone_per_s: float
    cpu: CpuUse


def charge_wide(divisor: int, report: Report) -> Wide:
    """Measures on a network of its own. `divisor` divides the number of transactions."""
    with start_network(Shape(), report) as network:
        report(f"registering {METERS:,} meters, opening {AGREEMENTS} accounts")
        accounts = _open(network)
        report(f"{READINGS} readings of each meter, again and again")
        together, alone = max(TOGETHER // divisor, 2), ALONE // divisor
        lanes = [_lanes(account, together, alone) for account in accounts]
        together_per_s, cpu = _load(network, [many for many, _ in lanes])
        report("one batch in each transaction")
        alone_per_s, _ = _load(network, [single for _, single in lanes])
        return Wide(together_per_s, alone_per_s, cpu)


def _open(network: RunningNetwork) -> list[Deal]:
    consortium, each = network.consortium, METERS // AGREEMENTS
    meters = [HandMeter(f"handheld-{index:04d}") for index in range(METERS)]
    network.register("maker", meters)
    maker, factory = consortium.member("maker"), consortium.member("factory")
    return [
        consortium.agree(
            maker, factory, tariff=three_components(), meters=meters[first : first + each], funds=10**6 * TOKEN
        )
        for first in range(0, METERS, each)
    ]


def _lanes(deal: Deal, together: int, alone: int) -> tuple[Lane, Lane]:
    """A lane of transactions with batches of all the agreement's meters, and one of transactions with one batch."""
    count = together * ROUNDS_TOGETHER
    signed = rounds(deal, count + -(-alone // len(deal.meters)))
    many = [list(chain.from_iterable(islice(signed, ROUNDS_TOGETHER))) for _ in range(together)]
    single = [[batch] for batch in islice(chain.from_iterable(signed), alone)]
    return Lane(deal.agreement_id, many), Lane(deal.agreement_id, single)


def _load(network: RunningNetwork, lanes: Sequence[Lane]) -> tuple[float, CpuUse]:
    transactions = [batches for lane in lanes for batches in lane.transactions]
    gateway = network.gateway("maker", Role.ERP)
    gc.collect()
    with watched(network.fabric, len(transactions)) as cpu:
        taken_s = network.consortium.run(charge_all(gateway, lanes))
    return READINGS * sum(map(len, transactions)) / taken_s, cpu
