"""The rows of the benchmark on Fabric: each one's name, measurement, baseline and target."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from consortium.folder.topology import OrderingKind
from tests.bench.fabric.charging import LOADS, ONE_PER_TX, Charging, charge
from tests.bench.fabric.failover import failover_s
from tests.bench.fabric.growth import FOUNDERS, LARGEST, Growth, grow, steps
from tests.bench.fabric.members import Endorsed, look_at_blocks
from tests.bench.fabric.network import Report, Shape
from tests.bench.fabric.processes import CLIENT
from tests.bench.fabric.wide import AGREEMENTS, METERS, ROUNDS_TOGETHER, Wide, charge_wide
from tests.bench.figure import Figure, Measure
from tests.harness.fabric import why_no_fabric

QUICK_DIVISOR = 4
MEMBERS = (3, 5, 8)
KINDS = ("peer", "orderer", "chaincode", CLIENT)
BFT = Shape(members=4, orderers=4, ordering=OrderingKind.BFT)

READINGS_TARGETS = {"50000": 3e6}
WIDE_TARGET = 40_000
LATENCY_TARGETS_MS = {50: 120, 95: 250}
ENDORSERS_TARGET, LEDGER_BYTES_TARGET = 2, 5_000
FAILOVER_TARGET_S = 10
FAILURES_TARGET = 0
# The prefix of the rows about a consortium that grows and shrinks.
GROWING = {OrderingKind.RAFT: "fabric", OrderingKind.BFT: "fabric.bft"}


@dataclass
class FabricBench:
    """Measures each row once, at its first use. `profile` reports the CPU time of transactions."""

    quick: bool
    profile: bool
    report: Report
    _endorsed: dict[int, Endorsed] = field(default_factory=dict)
    _grown: dict[OrderingKind, Growth] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """The reason why this machine cannot run Fabric, or an empty text."""
        return why_no_fabric()

    def rows(self) -> dict[str, Measure]:
        """The measurements by their rows' names, in the order of the table."""
        rows: dict[str, Measure] = {"fabric.one_per_tx_per_s": self._one_per_tx}
        rows |= {f"fabric.readings_per_s.{name}": partial(self._readings, name) for name in LOADS if name != ONE_PER_TX}
        rows["fabric.wide_readings_per_s"] = self._wide_readings
        rows |= {f"fabric.latency_p{percent}_ms": partial(self._latency, percent) for percent in LATENCY_TARGETS_MS}
        rows |= {f"rss_mb.{kind}": partial(self._rss, kind) for kind in KINDS}
        rows |= {f"fabric.endorsers.{members}": partial(self._endorsers, members) for members in MEMBERS}
        rows |= {f"fabric.ledger_bytes_per_tx.{members}": partial(self._ledger_bytes, members) for members in MEMBERS}
        rows["fabric.bft_failover_s"] = self._failover
        return rows | self._growing(OrderingKind.RAFT) | self._growing(OrderingKind.BFT)

    def _growing(self, ordering: OrderingKind) -> dict[str, Measure]:
        prefix, names = GROWING[ordering], steps(ordering, self._largest(ordering))
        rows: dict[str, Measure] = {f"{prefix}.{name}": partial(self._step, ordering, name) for name in names}
        rows |= {f"{prefix}.{phase}_pause_s": partial(self._pause, ordering, phase) for phase in ("join", "leave")}
        return rows | {f"{prefix}.stream_failures": partial(self._failures, ordering)}

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

    def _step(self, ordering: OrderingKind, step: str) -> Figure:
        """The time of a step of joining or leaving. Raft's is the baseline of BFT's."""
        value = self._grow(ordering).steps_s[step]
        baseline = self._grow(OrderingKind.RAFT).steps_s.get(step) if ordering is OrderingKind.BFT else None
        return Figure(f"{GROWING[ordering]}.{step}", value, "s", baseline, less_is_better=True)

    def _pause(self, ordering: OrderingKind, phase: str) -> Figure:
        pause_s, name = self._grow(ordering).pause_s, f"{GROWING[ordering]}.{phase}_pause_s"
        return Figure(name, pause_s[phase], "s", pause_s["alone"], less_is_better=True)

    def _failures(self, ordering: OrderingKind) -> Figure:
        value, name = self._grow(ordering).failures, f"{GROWING[ordering]}.stream_failures"
        remark = f"[bold red]{value} transactions of the stream FAILED while members came and went[/]" if value else ""
        return Figure(name, value, "transactions", target=FAILURES_TARGET, less_is_better=True, remark=remark)

    # --- measurements that several rows share -------------------------------------------------------------------------

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

    def _grow(self, ordering: OrderingKind) -> Growth:
        if ordering not in self._grown:
            self._grown[ordering] = grow(ordering, self._largest(ordering), self.report)
        return self._grown[ordering]

    def _largest(self, ordering: OrderingKind) -> int:
        return FOUNDERS[ordering] + 1 if self.quick else LARGEST

    @property
    def _divisor(self) -> int:
        return QUICK_DIVISOR if self.quick else 1
