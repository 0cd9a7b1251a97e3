"""A program for a test to kill: a machine, its node and the ledger, which charge batch after batch.

After each round it prints the number of readings that are charged, and their amount.

python -m tests.node.machine HOME METER [ROUNDS]    (for ever without ROUNDS)
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from chaincode.contract import invoke
from consortium.folder.topology import Topology
from ledger.embedded.ledger import EmbeddedLedger
from node.local import client_of, node_of
from node.meter.meter import SigningMeter
from node.meter.reading import Reading
from node.meter.uplink import deliver
from tests.harness import UNIT
from tests.harness.clock import BEGIN_US
from tests.harness.ledgers import peer_identities

BATCHES_AT_ONCE = 5


async def work(home: Path, meter_folder: Path, rounds: int | None) -> None:
    topology, meter = Topology.load(home), SigningMeter.open(meter_folder)
    ledger = EmbeddedLedger.open(topology.ledger_folder, invoke, lambda: peer_identities(topology))
    maker = topology.member("maker")
    try:
        async with (
            node_of(topology, maker, ledger, port=0) as node,
            client_of(topology, maker, "erp", port=node.port) as client,
        ):
            for _ in count() if rounds is None else range(rounds):
                for _ in range(BATCHES_AT_ONCE):
                    meter.record(Reading(BEGIN_US, UNIT))
                    meter.flush()
                delivery = await deliver(meter, client)
                assert delivery.stop is None, delivery.stop
                balance = await client.balance(meter.agreement_id)
                print(meter.next_sequence - 1, balance.accrued_micro, flush=True)  # noqa: T201
    finally:
        await ledger.close()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None))
