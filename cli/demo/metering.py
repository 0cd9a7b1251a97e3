"""The machine's two meters: they sample several times a second and send signed batches to the provider's node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from node.meter.host_probe import ByteProbe, CoreProbe
from node.meter.meter import SigningMeter
from node.meter.uplink import Delivery, deliver
from zunft.client import NodeClient

SAMPLE_S = 0.15
SAMPLES_PER_BATCH = 2


@dataclass
class Metering:
    """The metering, which runs until it is cancelled; it calls `on_delivery` with the states of the batches."""

    client: NodeClient
    meters: Mapping[str, SigningMeter]
    probes: Mapping[str, CoreProbe | ByteProbe]
    on_delivery: Callable[[Delivery], None]
    # Set when the node says that the account is used up: the machine must stop.
    used_up: asyncio.Event = field(default_factory=asyncio.Event)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        while True:
            for _ in range(SAMPLES_PER_BATCH):
                await asyncio.sleep(SAMPLE_S)
                self._sample()
            self._send()

    async def finish(self) -> None:
        """Sends the last samples and waits until the node has answered all deliveries."""
        self._sample()
        self._send()
        await asyncio.gather(*self._sending)

    def _sample(self) -> None:
        for name, probe in self.probes.items():
            self.meters[name].record(probe.sample())

    def _send(self) -> None:
        for meter in self.meters.values():
            task = asyncio.create_task(self._deliver(meter))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, meter: SigningMeter) -> None:
        delivery = await deliver(meter, self.client)
        if delivery.stop is not None:
            self.used_up.set()
        self.on_delivery(delivery)
