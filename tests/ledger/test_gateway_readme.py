"""The gateway's README has a client that runs, on both kinds of ledger."""

from __future__ import annotations

from pathlib import Path

from tests.harness.examples import examples
from tests.ledger.ledgers import OpenLedger


async def test_the_example_counts(ledger: OpenLedger, key: str, tmp_path: Path) -> None:
    example = examples("ledger/gateway/README.md", tmp_path)
    async with ledger() as members:
        gateway = members.gateway()
        assert await example["count"](gateway, key) == b'["1"]'
        block_number = await example["count_slowly"](gateway, key)
        assert block_number == await gateway.height() - 1
        assert await example["count"](gateway, key) == b'["3"]'
