"""The rows of the benchmark on the embedded ledger: each one's name, measurement, baseline and target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.bench.charging import Charged, Load, charge
from tests.bench.costliest import costliest_mb, costliest_s
from tests.bench.demo import demo_rss
from tests.bench.figure import Figure, Measure
from tests.bench.small import small_transactions, transfers
from tests.bench.wide import WideLoad, charge_wide

ACCOUNTS = 8
# Batches of each account, by readings per batch. Each size takes a few seconds.
BATCHES = {1: 100, 100: 100, 1_000: 100, 10_000: 60, 50_000: 30}
# A thousand meters of one agreement.
WIDE = WideLoad(meters=1_000, rounds=10, alone=100)
SMALL_TRANSACTIONS = 4_000
QUICK_DIVISOR = 5

READINGS_TARGETS = {50_000: 5e6}
SMALL_TARGET = 1_500
AUDIT_TARGET = 10e6


@dataclass
class EmbeddedBench:
    """Measures each row once, at its first use."""

    quick: bool = False
    _charged: dict[int, Charged] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """The reason why this machine cannot run the bench. There is none."""
        return ""

    def rows(self) -> dict[str, Measure]:
        """The measurements by their rows' names, in the order of the table."""
        charging = {f"embedded.readings_per_s.{readings}": self._charging(readings) for readings in BATCHES}
        return charging | {
            "embedded.wide_readings_per_s": self._wide,
            "embedded.small_tx_per_s": self._small,
            "embedded.transfers_per_s": self._transfers,
            "audit.readings_per_s": self._audit,
            "costliest_batch_s": costliest_s,
            "costliest_batch_mb": costliest_mb,
            "demo.rss_mb": demo_rss,
        }

    def _charging(self, readings: int) -> Measure:
        def measure() -> Figure:
            value, baseline = self._charge(readings).readings_per_s, self._charge(1).readings_per_s
            target = READINGS_TARGETS.get(readings)
            return Figure(f"embedded.readings_per_s.{readings}", value, "readings/s", baseline, target)

        return measure

    def _wide(self) -> Figure:
        load = replace(WIDE, rounds=self._scaled(WIDE.rounds), alone=self._scaled(WIDE.alone))
        together, alone = charge_wide(load)
        return Figure("embedded.wide_readings_per_s", together, "readings/s", alone)

    def _small(self) -> Figure:
        at_once, alone = small_transactions(self._scaled(SMALL_TRANSACTIONS))
        return Figure("embedded.small_tx_per_s", at_once, "tx/s", alone, SMALL_TARGET)

    def _transfers(self) -> Figure:
        value = transfers(self._scaled(SMALL_TRANSACTIONS) // 4)
        return Figure("embedded.transfers_per_s", value, "tx/s")

    def _audit(self) -> Figure:
        largest = max(BATCHES)
        value, baseline = self._charge(largest).audited_per_s, self._charge(1).audited_per_s
        return Figure("audit.readings_per_s", value, "readings/s", baseline, AUDIT_TARGET)

    def _charge(self, readings: int) -> Charged:
        if readings not in self._charged:
            self._charged[readings] = charge(Load(readings, ACCOUNTS, self._scaled(BATCHES[readings])))
        return self._charged[readings]

    def _scaled(self, count: int) -> int:
        return count // QUICK_DIVISOR if self.quick else count
