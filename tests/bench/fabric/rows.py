"""The rows of the benchmark on Fabric: name, how it is measured, what it is compared with, what is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from network.topology import OrderingKind
from tests.bench.fabric.charging import LOADS, ONE_PER_TX, Charging, charge
from tests.bench.fabric.failover import failover_s
from tests.bench.fabric.members import Endorsed, look_at_blocks
from tests.bench.fabric.network import Report, Shape
from tests.bench.fabric.processes import CLIENT
from tests.bench.fabric.wide import AGREEMENTS, METERS, ROUNDS_TOGETHER, Wide, charge_wide
from tests.bench.figure import Figure, Measure
from tests.consortium.fabric import why_no_fabric

QUICK_DIVISOR = 4
MEMBERS = (3, 5, 8)
KINDS = ("peer", "orderer", "chaincode", CLIENT)
BFT = Shape(members=4, orderers=4, ordering=OrderingKind.BFT)

READINGS_TARGETS = {"50000": 3e6}
WIDE_TARGET = 40_000
LATENCY_TARGETS_MS = {50: 120, 95: 250}
ENDORSERS_TARGET, LEDGER_BYTES_TARGET = 2, 5_000
FAILOVER_TARGET_S = 10


@dataclass
class FabricBench:
    """Measures each thing once, when it is first asked for; `profile` reports what transactions cost."""

    quick: bool
    profile: bool
    report: Report
    _endorsed: dict[int, Endorsed] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """What this machine lacks, or nothing."""
        return why_no_fabric()

    def rows(self) -> dict[str, Measure]:
        """By name, in the order of the table."""
        rows: dict[str, Measure] = {"fabric.one_per_tx_per_s": self._one_per_tx}
        rows |= {f"fabric.readings_per_s.{name}": partial(self._readings, name) for name in LOADS if name != ONE_PER_TX}
        rows["fabric.wide_readings_per_s"] = self._wide_readings
        rows |= {f"fabric.latency_p{percent}_ms": partial(self._latency, percent) for percent in LATENCY_TARGETS_MS}
        rows |= {f"rss_mb.{kind}": partial(self._rss, kind) for kind in KINDS}
        rows |= {f"fabric.endorsers.{members}": partial(self._endorsers, members) for members in MEMBERS}
        rows |= {f"fabric.ledger_bytes_per_tx.{members}": partial(self._ledger_bytes, members) for members in MEMBERS}
        return rows | {"fabric.bft_failover_s": self._failover}

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _one_per_tx(self) -> Figure:
        return Figure("fabric.one_per_tx_per_s", self._charging.readings_per_s[ONE_PER_TX], "readings/s")

    def _readings(self, name: str) -> Figure:
        rates, target = self._charging.readings_per_s, READINGS_TARGETS.get(name)
        return Figure(f"fabric.readings_per_s.{name}", rates[name], "readings/s", rates[ONE_PER_TX], target)

    def _wide_readings(self) -> Figure:
        together_per_s, alone_per_s = self._wide.together_per_s, self._wide.alone_per_s
        return Figure("fabric.wide_readings_per_s", together_per_s, "readings/s", alone_per_s, WIDE_TARGET)

    def _latency(self, percent: int) -> Figure:
        value, target = float(np.percentile(self._charging.latencies_ms, percent)), LATENCY_TARGETS_MS[percent]
        return Figure(f"fabric.latency_p{percent}_ms", value, "ms", target=target, less_is_better=True)

    def _rss(self, kind: str) -> Figure:
        return Figure(f"rss_mb.{kind}", self._charging.rss_mb[kind], "MB", less_is_better=True)

    def _endorsers(self, members: int) -> Figure:
        endorsed = self._look_at_blocks(members)
        name = f"fabric.endorsers.{members}"
        return Figure(
            name, endorsed.endorsers, "members", endorsed.majority, target=ENDORSERS_TARGET, less_is_better=True
        )

    def _ledger_bytes(self, members: int) -> Figure:
        value, name = self._look_at_blocks(members).ledger_bytes, f"fabric.ledger_bytes_per_tx.{members}"
        return Figure(name, value, "bytes", target=LEDGER_BYTES_TARGET, less_is_better=True)

    def _failover(self) -> Figure:
        value, baseline = failover_s(BFT, self.report), failover_s(Shape(), self.report)
        return Figure("fabric.bft_failover_s", value, "s", baseline, FAILOVER_TARGET_S, less_is_better=True)

    # --- what they are made of ----------------------------------------------------------------------------------------

    @cached_property
    def _charging(self) -> Charging:
        charging = charge(self._divisor, self.report)
        if self.profile:
            for name, cpu in charging.cpu.items():
                self.report(f"{LOADS[name]}: {cpu}")
        return charging

    @cached_property
    def _wide(self) -> Wide:
        wide = charge_wide(self._divisor, self.report)
        if self.profile:
            self.report(f"{METERS // AGREEMENTS * ROUNDS_TOGETHER} batches per transaction: {wide.cpu}")
        return wide

    def _look_at_blocks(self, members: int) -> Endorsed:
        if members not in self._endorsed:
            self._endorsed[members] = look_at_blocks(members, self.report)
        return self._endorsed[members]

    @property
    def _divisor(self) -> int:
        return QUICK_DIVISOR if self.quick else 1
