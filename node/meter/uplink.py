"""Delivers a meter's batches to its node: no signed batch is lost, and the machine learns when it has to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from chaincode.errors import ContractError
from chaincode.readings.batch import batch_digest
from ledger.database import StorageError
from node.errors import NodeError
from node.halt import WAITING
from node.meter.meter import SigningMeter
from zunft.client import NodeClient
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_REFUSED,
    BatchProgress,
)

# The time for which a meter that has readings to seal waits for the node's answer about a notice.
NOTICE_S = 2.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """The states of the batches; `stop` is the reason why the machine has to stop, None if it may go on."""

    stop: Refusal | None
    # The last state of each batch, in the order of their sequence.
    batches: tuple[BatchProgress, ...]


async def deliver(meter: SigningMeter, client: NodeClient) -> Delivery:
    """Sends the recorded readings and the batches that the node has not acknowledged; waits until all are charged.

    The meter keeps its last batch until it is charged and sends it again until then. So it learns the states of earlier
    batches that the node has, since a stream is charged in its order. A batch that the node refused stays with the
    meter, too: `SigningMeter.resume_at` gives it up. Raises NodeUnreachable and the other errors of NodeClient. After
    an error the next call sends the batches again, and they are charged once.
    """
    if meter.has_recorded:
        await heed_notice(meter, client)
    sent = [*meter.unacknowledged(), *iter(meter.flush, None)]
    newest = batch_digest(sent[-1].batch) if sent else b""
    last: dict[bytes, BatchProgress] = {}
    async for progress in client.submit_batches(sent):
        last[progress.digest] = progress
        if _may_forget(progress, newest):
            meter.acknowledge(progress.digest)
    batches = tuple(sorted(last.values(), key=lambda progress: progress.first_sequence))
    return Delivery(_reason_to_stop(batches), batches)


async def heed_notice(meter: SigningMeter, client: NodeClient) -> None:
    """Makes the meter cut its batches where a notice of withdrawal begins to hold: earlier readings are still covered.

    If the node does not answer, the batches are sealed without a cut, so that nothing is lost.
    """
    with suppress(NodeError, StorageError, ContractError, TimeoutError):
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
