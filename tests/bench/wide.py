"""Measures many meters of one agreement with a few readings each: all batches in one transaction, or one in each.

The ledger and the batches are the same. Both parties endorse, and check every batch's signature.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from node.meter_account import MeterAccount
from tests.bench.workload import found, sign, three_components
from tests.harness import (
    TOKEN,
    Consortium,
    Deal,
    HandMeter,
    start_consortium,
)
from zunft.v1.usage_pb2 import Disclosure, ReadHead, SignedBatch, SubmitUsage

READINGS = 10


@dataclass(frozen=True, slots=True)
class WideLoad:
    """The work: `rounds` transactions with a batch of every meter, and then `alone` transactions with one batch."""

    meters: int
    rounds: int
    alone: int


def charge_wide(load: WideLoad) -> tuple[float, float]:
    """The readings per second with the batches of all meters in a transaction, and with one batch in each."""
    with (
        tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder,
        start_consortium(Path(folder) / "c") as consortium,
    ):
        found(consortium)
        meters = [HandMeter(f"handheld-{index:04d}") for index in range(load.meters)]
        consortium.catch_up(consortium.run(_register(consortium, meters)))
        maker, factory = consortium.member("maker"), consortium.member("factory")
        deal = consortium.agree(maker, factory, tariff=three_components(), meters=meters, funds=10**6 * TOKEN)
        signed = rounds(deal, load.rounds + -(-load.alone // load.meters))
        together = list(islice(signed, load.rounds))
        alone = [[batch] for batches in signed for batch in batches][: load.alone]
        gc.collect()
        return consortium.run(_measure(deal, together, alone))


async def _register(consortium: Consortium, meters: Iterable[HandMeter]) -> int:
    """Registers the meters. Returns the number of the last one's block."""
    gateway = consortium.gateway("MakerMSP", "operator")
    committed = [await gateway.submit("meter.register", meter.registration()) for meter in meters]
    return committed[-1].block_number


def rounds(deal: Deal, count: int) -> Iterator[Sequence[SignedBatch]]:
    """So many rounds, each with the next batch of every meter."""
    streams = [sign(deal, meter, seed, READINGS, count) for seed, meter in enumerate(deal.meters)]
    return zip(*streams, strict=True)


async def _measure(
    deal: Deal, together: Sequence[Sequence[SignedBatch]], alone: Sequence[Sequence[SignedBatch]]
) -> tuple[float, float]:
    account = await MeterAccount.open(deal.consortium.gateway("MakerMSP", "erp"), deal.agreement_id)
    terms = await account.read_terms(1)
    return await _readings_per_s(account, terms, together), await _readings_per_s(account, terms, alone)


async def _readings_per_s(account: MeterAccount, terms: bytes, transactions: Sequence[Sequence[SignedBatch]]) -> float:
    """The readings per second of the transactions, each of which is based on the head after the one before it."""
    request = SubmitUsage(agreement_id=account.agreement.agreement_id)
    question = ReadHead(agreement_id=request.agreement_id)
    began = time.perf_counter()
    for batches in transactions:
        head = await account.gateway.evaluate("usage.read_head", question)
        await account.submit("usage.submit", request, Disclosure(terms=terms, head=head, batches=batches))
    return READINGS * sum(map(len, transactions)) / (time.perf_counter() - began)
