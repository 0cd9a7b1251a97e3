"""What a ledger does with transactions, whichever ledger it is: these tests see it through `LedgerTransport` only."""

from __future__ import annotations

from pathlib import Path

from fabric_protos.peer import transaction_pb2 as codes

from tests.ledger.consortium import BRAVO, client, embedded


async def test_a_written_value_is_read(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        assert await alpha.run("put", "a", "1") == codes.VALID
        assert await client(ledger, BRAVO).get("a", "b") == ["1", None]
