"""Measures CPU time and memory of a network's processes, by kind. The bench itself is the client."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

import psutil

from network.network import FabricNetwork

CLIENT = "client"
MB = 2**20


@dataclass(slots=True)
class CpuUse:
    """The CPU time per transaction of all processes of a kind together."""

    ms_per_transaction: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{kind} {spent_ms:.1f}" for kind, spent_ms in self.ms_per_transaction.items()]
        return f"{sum(self.ms_per_transaction.values()):.1f} ms of CPU per transaction: {', '.join(parts)}"


@contextmanager
def watched(network: FabricNetwork, transactions: int) -> Iterator[CpuUse]:
    """Yields the CPU use of the block, which is filled in at its end."""
    use, before_s = CpuUse(), _cpu_s(network)
    yield use
    for kind, after_s in _cpu_s(network).items():
        use.ms_per_transaction[kind] = (after_s - before_s[kind]) * 1000 / transactions


def rss_mb(network: FabricNetwork) -> dict[str, float]:
    """The resident memory of the largest process of each kind."""
    largest: dict[str, float] = {}
    for kind, process in _processes(network):
        largest[kind] = max(largest.get(kind, 0), process.memory_info().rss / MB)
    return largest


def total_rss_mb(networks: Sequence[FabricNetwork]) -> dict[str, tuple[int, float]]:
    """The number of processes of each kind, and their resident memory together."""
    total: dict[str, tuple[int, float]] = {}
    for kind, process in chain.from_iterable(map(_fabric_processes, networks)):
        count, rss_mb = total.get(kind, (0, 0.0))
        total[kind] = count + 1, rss_mb + process.memory_info().rss / MB
    return total


def _cpu_s(network: FabricNetwork) -> Mapping[str, float]:
    spent: dict[str, float] = {}
    for kind, process in _processes(network):
        times = process.cpu_times()
        spent[kind] = spent.get(kind, 0) + times.user + times.system
    return spent


def _processes(network: FabricNetwork) -> Iterator[tuple[str, psutil.Process]]:
    yield from _fabric_processes(network)
    yield CLIENT, psutil.Process(os.getpid())


def _fabric_processes(network: FabricNetwork) -> Iterator[tuple[str, psutil.Process]]:
    for process in network.processes():
        running = network.runtime_of(process).running(process)
        if running:
            yield str(process.kind), psutil.Process(running.pid)
