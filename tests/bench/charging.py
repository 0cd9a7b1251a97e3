"""Readings rated and debited per second: confidential batches, endorsed by both parties, durable, several at once."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.audit import audit, export
from node.ledger.gateway import Gateway
from node.meter_account import MeterAccount
from tests.audit.run import genesis
from tests.bench.workload import Account, found, open_accounts
from tests.consortium import Consortium, start_consortium
from zunft.v1.usage_pb2 import Disclosure, ReadHead, SubmitUsage


@dataclass(frozen=True, slots=True)
class Charged:
    """What one batch size came to; the audit is of the same transactions, from a file."""

    readings_per_s: float
    audited_per_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """How much is done for one figure."""

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
        taken_s = consortium.run(_charge_all(consortium, accounts))
        audited_s = _audit(consortium, Path(folder) / "archive", load)
    return Charged(load.total_readings / taken_s, load.total_readings / audited_s)


async def _charge_all(consortium: Consortium, accounts: Sequence[Account]) -> float:
    gateway = consortium.gateway("MakerMSP", "erp")
    opened = [(await MeterAccount.open(gateway, one.deal.agreement_id), one) for one in accounts]
    terms = [await account.read_terms(1) for account, _ in opened]
    began = time.perf_counter()
    await asyncio.gather(*(_charge(account, known, one) for (account, one), known in zip(opened, terms, strict=True)))
    return time.perf_counter() - began


async def _charge(account: MeterAccount, terms: bytes, one: Account) -> None:
    """One account's batches, each after the one before it is durable."""
    request = SubmitUsage(agreement_id=one.deal.agreement_id)
    head = b""
    for batch in one.batches:
        disclosure = Disclosure(terms=terms, head=head, batches=[batch])
        await account.submit("usage.submit", request, disclosure)
        head = await _read_head(account.gateway, request.agreement_id)


async def _read_head(gateway: Gateway, agreement_id: str) -> bytes:
    return await gateway.evaluate("usage.read_head", ReadHead(agreement_id=agreement_id))


def _audit(consortium: Consortium, path: Path, load: Load) -> float:
    """Seconds to verify the whole channel from an archive, offline, on one core; it finds all readings and no fault."""
    gateway = consortium.gateway("MakerMSP", "auditor")
    archive = consortium.run(export(path, "MakerMSP", genesis(consortium), gateway.present_blocks()))
    began = time.perf_counter()
    report = audit(archive.blocks(), genesis(consortium), "MakerMSP")
    taken_s = time.perf_counter() - began
    assert report.failed == ()
    assert report.reading_count == load.total_readings
    return taken_s
