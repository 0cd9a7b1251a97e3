"""From a meter to its node: nothing that was signed is lost on the way, and the machine hears when to stop."""

from __future__ import annotations

from dataclasses import dataclass

from node.api.client import NodeClient
from node.meter.meter import Meter
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import BATCH_STATUS_REFUSED, BATCH_STATUS_WAITING_FOR_FUNDS, BatchProgress


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the batches fared; `stop` says why the machine has to stop, None if it may go on."""

    stop: Refusal | None
    # The last state of each batch, in the order of their sequence.
    batches: tuple[BatchProgress, ...]


async def deliver(meter: Meter, client: NodeClient) -> Delivery:
    """Send what the meter recorded, and what the node has not acknowledged before; waits until all is charged.

    A batch that the node refused stays with the meter: `Meter.resume_at` gives it up. Raises NodeUnreachable and what
    else NodeClient raises; what was sent is sent again the next time and charged once.
    """
    meter.flush()
    last: dict[bytes, BatchProgress] = {}
    async for progress in client.submit_batches(meter.unacknowledged()):
        last[progress.digest] = progress
        if progress.status != BATCH_STATUS_REFUSED:
            meter.acknowledge(progress.digest)
    batches = tuple(sorted(last.values(), key=lambda progress: progress.first_sequence))
    return Delivery(_reason_to_stop(batches), batches)


def _reason_to_stop(batches: tuple[BatchProgress, ...]) -> Refusal | None:
    halted = (BATCH_STATUS_REFUSED, BATCH_STATUS_WAITING_FOR_FUNDS)
    return next((progress.refusal for progress in batches if progress.status in halted), None)
