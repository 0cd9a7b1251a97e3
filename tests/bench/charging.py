"""Measures the readings that are charged per second: confidential batches of several accounts at once, durable."""

from __future__ import annotations

import gc
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from audit import (
    audit,
    export,
)
from tests.audit.run import genesis
from tests.bench.lanes import Lane, charge_all
from tests.bench.workload import found, open_accounts
from tests.harness import (
    Consortium,
    start_consortium,
)


@dataclass(frozen=True, slots=True)
class Charged:
    """The rates of one batch size. The audit checks the same transactions, from a file."""

    readings_per_s: float
    audited_per_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """The amount of work for one figure: readings per batch, accounts, and batches of each account."""

    readings: int
    accounts: int
    batches: int

    @property
    def total_readings(self) -> int:
        return self.readings * self.accounts * self.batches


def charge(load: Load) -> Charged:
    """Measures one batch size on a fresh consortium of four members."""
    with (
        tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder,
        start_consortium(Path(folder) / "c") as consortium,
    ):
        found(consortium)
        accounts = open_accounts(consortium, load.accounts, load.readings, load.batches)
        gc.collect()
        lanes = [Lane(one.deal.agreement_id, [[batch] for batch in one.batches]) for one in accounts]
        taken_s = consortium.run(charge_all(consortium.gateway("MakerMSP", "erp"), lanes))
        audited_s = _audit(consortium, Path(folder) / "archive", load)
    return Charged(load.total_readings / taken_s, load.total_readings / audited_s)


def _audit(consortium: Consortium, path: Path, load: Load) -> float:
    """The seconds in which one core audits the whole channel from an archive. Checks that all readings are right."""
    gateway = consortium.gateway("MakerMSP", "auditor")
    archive = consortium.run(export(path, "MakerMSP", genesis(consortium), gateway.present_blocks()))
    began = time.perf_counter()
    report = audit(archive.blocks(), genesis(consortium), "MakerMSP")
    taken_s = time.perf_counter() - began
    assert report.failed == ()
    assert report.reading_count == load.total_readings
    return taken_s
