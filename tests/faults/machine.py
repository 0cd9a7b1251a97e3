"""A machine that never stops: it records a reading every moment, and sends its signed batches to its owner's node."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from node.errors import NodeUnreachable, OtherPartyRefuses
from node.meter.meter import SigningMeter
from node.meter.reading import Reading
from node.meter.uplink import deliver
from tests.harness import (
    UNIT,
    HandMeter,
)
from zunft.client import NodeClient
from zunft.v1.meter_pb2 import RegisterMeter

READ_EVERY_S = 0.1
# The pause before the machine calls the node again.
CALL_AGAIN_S = 0.2


class InstalledMeter(HandMeter):
    """A real meter, which the consortium can register."""

    def __init__(self, folder: Path, meter_id: str, agreement_id: str) -> None:
        super().__init__(meter_id)
        self.folder = folder
        SigningMeter.create(folder, meter_id=meter_id, agreement_id=agreement_id)

    def registration(self) -> RegisterMeter:
        return SigningMeter.open(self.folder).registration(label="drill", location="hall 3")


class Machine:
    """A machine with a meter. `used_micro` is the sum of all quantities that it has signed."""

    def __init__(self, folder: Path, open_client: Callable[[], NodeClient], seed: int) -> None:
        self.meter = SigningMeter.open(folder)
        self.used_micro = 0
        self.readings = 0
        self._open_client = open_client
        self._random = random.Random(seed)  # noqa: S311  # not a secret

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Records and sends while the block runs."""
        tasks = [asyncio.create_task(self._record()), asyncio.create_task(self._send())]
        try:
            yield
            for task in tasks:
                assert not task.done(), task.exception()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def send_the_rest(self) -> None:
        """Sends until the node has charged all signed batches."""
        async with self._open_client() as client:
            while self.meter.unacknowledged():
                await self._deliver(client)

    async def _record(self) -> None:
        while True:
            quantity_micro = self._random.randrange(UNIT)
            self.meter.record(Reading(time.time_ns() // 1000, quantity_micro))
            self.meter.flush()
            self.used_micro += quantity_micro
            self.readings += 1
            await asyncio.sleep(READ_EVERY_S)

    async def _send(self) -> None:
        async with self._open_client() as client:
            while True:
                await self._deliver(client)

    async def _deliver(self, client: NodeClient) -> None:
        with suppress(NodeUnreachable):
            delivery = await deliver(self.meter, client)
            # While the other party's peer is broken, the machine has to stop. It asks again until it may go on.
            assert delivery.stop is None or delivery.stop.error == OtherPartyRefuses.__name__, delivery.stop
        await asyncio.sleep(CALL_AGAIN_S)
