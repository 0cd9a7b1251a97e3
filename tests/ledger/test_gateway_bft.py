"""Many transactions at once under BFT: a gateway sends each to every orderer, and some orderers have it already."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.harness import (
    HandMeter,
    on_ledgers,
    start_consortium,
)

AT_ONCE = 64
ROUNDS = 4


@pytest.mark.parametrize("kind", on_ledgers("fabric-bft"))
def test_a_transaction_that_some_orderers_have_already_is_sent(tmp_path: Path, kind: str) -> None:
    with start_consortium(tmp_path / "consortium", kind) as consortium:
        consortium.found()
        gateway = consortium.gateway("MakerMSP", "operator")

        async def register_many(round_number: int) -> int:
            meters = [HandMeter(f"m-{round_number}-{number}") for number in range(AT_ONCE)]
            submits = [gateway.submit("meter.register", meter.registration()) for meter in meters]
            return len({committed.tx_id for committed in await asyncio.gather(*submits)})

        assert sum(consortium.run(register_many(number)) for number in range(ROUNDS)) == ROUNDS * AT_ONCE
