"""From a meter to its node: nothing that was signed is lost on the way, and the machine hears when to stop."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.batch import batch_digest
from node.api.client import NodeClient
from node.halt import WAITING
from node.meter.meter import Meter
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_REFUSED,
    BatchProgress,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the batches fared; `stop` says why the machine has to stop, None if it may go on."""

    stop: Refusal | None
    # The last state of each batch, in the order of their sequence.
    batches: tuple[BatchProgress, ...]


async def deliver(meter: Meter, client: NodeClient) -> Delivery:
    """Send what the meter recorded, and what the node has not acknowledged before; waits until all is charged.

    The meter keeps its last batch until it is charged and sends it again till then: so it hears how earlier ones fare
    that the node has, since a stream is charged in its order. A batch that the node refused stays with the meter, too:
    `Meter.resume_at` gives it up. Raises NodeUnreachable and what else NodeClient raises; what was sent is sent again
    the next time and charged once.
    """
    while meter.flush() is not None:
        pass
    sent = meter.unacknowledged()
    newest = batch_digest(sent[-1].batch) if sent else b""
    last: dict[bytes, BatchProgress] = {}
    async for progress in client.submit_batches(sent):
        last[progress.digest] = progress
        if _may_forget(progress, newest):
            meter.acknowledge(progress.digest)
    batches = tuple(sorted(last.values(), key=lambda progress: progress.first_sequence))
    return Delivery(_reason_to_stop(batches), batches)


def _may_forget(progress: BatchProgress, newest: bytes) -> bool:
    if progress.status == BATCH_STATUS_COMMITTED:
        return True
    return progress.status != BATCH_STATUS_REFUSED and progress.digest != newest


def _reason_to_stop(batches: tuple[BatchProgress, ...]) -> Refusal | None:
    halted = (BATCH_STATUS_REFUSED, *WAITING)
    return next((progress.refusal for progress in batches if progress.status in halted), None)
