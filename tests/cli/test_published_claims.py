"""The lines behind an open agreement's invoice come from the claim with its digest, and from no other claim."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaincode import keys
from chaincode.transaction_context import serialise
from cli import invoice as invoices
from cli.shared.session import Session
from zunft.v1.invoice_pb2 import Invoice
from zunft.v1.usage_pb2 import Claim, UsageRecord


def test_another_claim_with_the_same_number_is_not_taken_for_the_billed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    billed, other = Claim(agreement_id="A1", number=1, usage_micro=7), Claim(agreement_id="A1", number=1, usage_micro=9)
    results = [b"\xff\xff", *(UsageRecord(claim=one).SerializeToString() for one in (other, billed, other))]
    written = [
        SimpleNamespace(is_valid=True, name="account.open", writes={keys.commitment("A1").name: b""}, result=result)
        for result in results
    ]

    async def read_blocks(*_: Any) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(transactions=written)

    monkeypatch.setattr(invoices, "read_blocks", read_blocks)
    digest = hashlib.sha256(serialise(billed)).digest()
    invoice = Invoice(agreement_id="A1", claim_number=1, claim_digest=digest)
    claim = asyncio.run(invoices._claim(cast("Session", None), invoice, is_open=True))
    assert claim == billed
