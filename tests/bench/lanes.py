"""Accounts that are charged side by side, each with one transaction after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from chaincode.errors import HeadMismatch
from ledger.gateway import Gateway
from node.meter_account import MeterAccount
from tests.bench.heads import Heads, followed_heads
from zunft.v1.usage_pb2 import Disclosure, ReadHead, SignedBatch, SubmitUsage

CATCH_UP_S = 0.005


@dataclass(frozen=True, slots=True)
class Lane:
    """An account, and the batches of each of its transactions."""

    agreement_id: str
    transactions: Sequence[Sequence[SignedBatch]]


async def charge_all(gateway: Gateway, lanes: Sequence[Lane]) -> float:
    """The seconds until every transaction of every lane is committed. The accounts' heads come with the blocks."""
    opened = [await OpenLane.begin(gateway, lane.agreement_id) for lane in lanes]
    async with followed_heads(gateway) as heads:
        began = time.perf_counter()
        await asyncio.gather(*(_charge(account, lane, heads) for account, lane in zip(opened, lanes, strict=True)))
        return time.perf_counter() - began


@dataclass(slots=True)
class OpenLane:
    """An account, with the terms and the head that its next transaction has to disclose."""

    account: MeterAccount
    terms: bytes
    head: bytes

    @classmethod
    async def begin(cls, gateway: Gateway, agreement_id: str) -> OpenLane:
        account = await MeterAccount.open(gateway, agreement_id)
        lane = cls(account, await account.read_terms(1), b"")
        await lane.read_head()
        return lane

    async def charge(self, batches: Sequence[SignedBatch]) -> int:
        """Charges the batches, and waits until the debit is committed. Returns its block's number."""
        request = SubmitUsage(agreement_id=self.account.agreement.agreement_id)
        disclosure = Disclosure(terms=self.terms, head=self.head, batches=batches)
        while True:
            try:
                return (await self.account.submit("usage.submit", request, disclosure)).block_number
            except HeadMismatch:
                # The other party's peer has not committed the transaction before this one yet.
                await asyncio.sleep(CATCH_UP_S)

    async def follow_head(self, heads: Heads, block_number: int) -> None:
        """Waits for the account's head after the block, on which the next transaction is based."""
        self.head = await heads.after(self.account.agreement.agreement_id, block_number)

    async def read_head(self) -> None:
        """Reads the account's present head from the peer."""
        request = ReadHead(agreement_id=self.account.agreement.agreement_id)
        self.head = await self.account.gateway.evaluate("usage.read_head", request)


async def _charge(account: OpenLane, lane: Lane, heads: Heads) -> None:
    for batches in lane.transactions:
        await account.follow_head(heads, await account.charge(batches))
