"""One account's batches in the journal: each new state is written there, and then passed to the clients that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chaincode.account.usage import MAX_TRANSACTION_READINGS
from chaincode.limits import BATCH_BYTES
from node.halt import Halt
from node.journal import Journal, JournalEntry
from node.progress import Progress
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
    BATCH_STATUS_SUBMITTED,
    BatchStatus,
)
from zunft.v1.usage_pb2 import SignedBatch

Batches = Sequence[tuple[JournalEntry, SignedBatch]]


class BatchQueue:
    """The account's batches that are not settled, in the order of their arrival."""

    def __init__(self, agreement_id: str, journal: Journal, progress: Progress) -> None:
        self._agreement_id = agreement_id
        self._journal = journal
        self._progress = progress

    async def first(self, most: int) -> Batches:
        """The first batches, at most so many."""
        return await asyncio.to_thread(self._journal.pending, self._agreement_id, limit=most)

    async def hold(self, halt: Halt) -> None:
        """Marks all batches as waiting for the end of the halt."""
        pending = await self._pending()
        news = [entry for entry in pending if entry.status != halt.status]
        await asyncio.to_thread(self._journal.mark_waiting, digests(news), halt)
        self._publish(news, halt.status, halt.refusal)

    async def release(self) -> None:
        """Marks the batches that waited as to be sent."""
        waiting = await asyncio.to_thread(self._journal.waiting_entries, self._agreement_id)
        if waiting:
            await asyncio.to_thread(self._journal.mark_journalled, digests(waiting))
            self._publish(waiting, BATCH_STATUS_JOURNALLED)

    async def mark_submitted(self, entries: Sequence[JournalEntry]) -> None:
        """Marks batches as sent to the ledger."""
        await asyncio.to_thread(self._journal.mark_submitted, digests(entries))
        self._publish(entries, BATCH_STATUS_SUBMITTED)

    async def mark_committed(self, entries: Sequence[JournalEntry], tx_id: str, block_number: int) -> None:
        """Marks batches as charged."""
        await asyncio.to_thread(self._journal.mark_committed, digests(entries), tx_id, block_number)
        committed = [replace(entry, tx_id=tx_id, block_number=block_number) for entry in entries]
        self._publish(committed, BATCH_STATUS_COMMITTED)

    async def refuse(self, entry: JournalEntry, refusal: Refusal) -> None:
        """Refuses the batch, and the later ones of its stream, which cannot be charged without it."""
        behind = Refusal(error="Gap", message=f"the stream's batch {entry.first_sequence} was refused: {refusal.error}")
        stream = [one for one in await self._pending() if one.meter_id == entry.meter_id]
        followers = [one for one in stream if one.first_sequence > entry.first_sequence]
        await asyncio.to_thread(self._journal.mark_refused, [entry.digest], refusal)
        await asyncio.to_thread(self._journal.mark_refused, digests(followers), behind)
        self._publish([entry], BATCH_STATUS_REFUSED, refusal)
        self._publish(followers, BATCH_STATUS_REFUSED, behind)

    async def _pending(self) -> list[JournalEntry]:
        return await asyncio.to_thread(self._journal.pending_entries, self._agreement_id)

    def _publish(self, entries: Sequence[JournalEntry], status: BatchStatus, refusal: Refusal | None = None) -> None:
        self._progress.publish([replace(entry, status=status, refusal=refusal or Refusal()) for entry in entries])


def digests(entries: Sequence[JournalEntry]) -> list[bytes]:
    """The digests of the batches, which are their keys in the journal."""
    return [entry.digest for entry in entries]


def within_limits(batches: Batches) -> Batches:
    """The first batches, as many as a transaction takes; the very first in any case."""
    total_bytes = total_readings = 0
    for count, (entry, signed) in enumerate(batches):
        total_bytes += len(signed.batch)
        total_readings += entry.reading_count
        if count and (total_bytes > BATCH_BYTES or total_readings > MAX_TRANSACTION_READINGS):
            return batches[:count]
    return batches
