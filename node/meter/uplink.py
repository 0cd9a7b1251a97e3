"""From a meter to its node: nothing that was signed is lost on the way, and the machine hears when to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from chaincode.errors import ContractError
from chaincode.readings.batch import batch_digest
from node.api.client import NodeClient
from node.errors import NodeError
from node.halt import WAITING
from node.meter.meter import Meter
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_REFUSED,
    BatchProgress,
)

# How long a meter that has readings to seal waits to hear of a notice.
NOTICE_S = 2.0


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
    if meter.has_recorded:
        await heed_notice(meter, client)
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


async def heed_notice(meter: Meter, client: NodeClient) -> None:
    """Has the meter cut its batches where a notice of withdrawal begins to hold: what lies before it is covered still.

    Where the node does not answer they are sealed as they are, so that nothing is lost.
    """
    with suppress(NodeError, ContractError, TimeoutError):
        async with asyncio.timeout(NOTICE_S):
            answer = await client.authorise_start(meter.agreement_id, meter.meter_id)
        meter.cut_at_us = answer.notice_holds_from_us


def _may_forget(progress: BatchProgress, newest: bytes) -> bool:
    if progress.status == BATCH_STATUS_COMMITTED:
        return True
    return progress.status != BATCH_STATUS_REFUSED and progress.digest != newest


def _reason_to_stop(batches: tuple[BatchProgress, ...]) -> Refusal | None:
    halted = (BATCH_STATUS_REFUSED, *WAITING)
    return next((progress.refusal for progress in batches if progress.status in halted), None)
