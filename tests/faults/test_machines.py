"""A machine that hangs up at any moment, again and again: each of its readings is charged once."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path

from node.meter.meter import SigningMeter
from node.meter.reading import Reading
from node.meter.uplink import deliver
from tests.faults.machine import InstalledMeter
from tests.harness import (
    TOKEN,
    UNIT,
    per_unit,
    start_consortium,
)
from tests.node.nodes import client_of, running_node

CALLS = 40
LONGEST_CALL_S = 0.05


def test_usage_that_a_machine_sent_before_it_hung_up_is_charged(tmp_path: Path, chance: random.Random) -> None:
    installed = InstalledMeter(tmp_path / "meter", "drill-7", "A1")
    with start_consortium(tmp_path / "consortium", names=("maker", "factory", "bank")) as consortium:
        consortium.found()
        maker, factory = consortium.member("maker"), consortium.member("factory")
        consortium.member("bank").mint(factory, 1000 * TOKEN)
        deal = consortium.agree(maker, factory, per_unit("hours", TOKEN), funds=1000 * TOKEN, meters=[installed])

        async def run() -> None:
            meter = SigningMeter.open(installed.folder)
            async with running_node(maker, tmp_path / "node") as node, client_of(node, maker) as client:
                for _ in range(CALLS):
                    for _ in range(3):
                        meter.record(Reading(consortium.clock.now_us, UNIT))
                        meter.flush()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(chance.random() * LONGEST_CALL_S):
                            assert (await deliver(meter, client)).stop is None
                assert (await deliver(meter, client)).stop is None
                balance = await client.balance(deal.agreement_id)
                assert (balance.accrued_micro, balance.pending_batches) == (3 * CALLS * TOKEN, 0)

        consortium.run(run())
