"""One client's SubmitBatches: accepts its batches, and sends the new states of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from chaincode.account.usage import SentBatch
from chaincode.errors import ContractError, MalformedBatch
from chaincode.readings.batch import batch_digest
from chaincode.refusal import refusal
from node.errors import UnknownAgreement, UnknownMeter
from node.halt import WAITING
from node.intake import Intake, entry_of
from node.journal import JournalEntry
from node.progress import Progress
from node.state import NodeState
from node.submitter import Submitter
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
)
from zunft.v1.usage_pb2 import SignedBatch

_SETTLED = (BATCH_STATUS_COMMITTED, BATCH_STATUS_REFUSED)


class Submission:
    """One call's batches and their states."""

    def __init__(self, intake: Intake, submitter: Submitter, progress: Progress, state: NodeState) -> None:
        self._intake = intake
        self._submitter = submitter
        self._progress = progress
        self._state = state
        self._news: asyncio.Queue[JournalEntry | None] = asyncio.Queue()
        # Batches of this client that are not settled, by digest: the state that was sent last, None before the first.
        self._sent: dict[bytes, JournalEntry | None] = {}

    async def run(self, batches: AsyncIterator[SignedBatch]) -> AsyncIterator[JournalEntry]:
        """The new states of all batches, until all are settled or wait. Raises DiskFull, DatabaseDamaged."""
        with self._progress.subscribed(self._queue):
            feeder = asyncio.create_task(self._feed(batches))
            try:
                async for entry in self._states(feeder):
                    yield entry
            finally:
                feeder.cancel()

    async def _states(self, feeder: asyncio.Task[None]) -> AsyncIterator[JournalEntry]:
        fed = False
        while not (fed and self._is_at_rest()):
            entry = await self._news.get()
            if entry is None:
                fed = True
                feeder.result()
            elif self._is_new_state(entry):
                self._remember(entry)
                yield entry

    async def _feed(self, batches: AsyncIterator[SignedBatch]) -> None:
        try:
            async for signed in batches:
                self._news.put_nowait(await self._accept(signed))
        finally:
            self._news.put_nowait(None)

    async def _accept(self, signed: SignedBatch) -> JournalEntry:
        try:
            sent = SentBatch.of(signed)
        except MalformedBatch as error:
            return self._refused(JournalEntry(batch_digest(signed.batch), "", "", 0, 0, last_time_us=0), error)
        self._sent[sent.digest] = None
        try:
            # A machine may end the call at any moment: a batch that has begun to come in still goes on to the ledger.
            return await asyncio.shield(self._take_in(sent))
        except (ContractError, UnknownAgreement, UnknownMeter) as error:
            return self._refused(entry_of(sent), error)

    def _refused(self, entry: JournalEntry, error: Exception) -> JournalEntry:
        """The entry of a batch that the journal did not take, with the fields that can be read."""
        self._sent.setdefault(entry.digest)
        return replace(entry, status=BATCH_STATUS_REFUSED, refusal=refusal(error))

    async def _take_in(self, sent: SentBatch) -> JournalEntry:
        entry = await self._intake.accept(sent)
        self._submitter.wake(entry.agreement_id)
        return entry

    def _queue(self, entries: Sequence[JournalEntry]) -> None:
        for entry in entries:
            if entry.digest in self._sent:
                self._news.put_nowait(entry)

    def _is_new_state(self, entry: JournalEntry) -> bool:
        """Whether the client has not got this state yet.

        The lane may be faster than the intake's answer, so a journalled batch may have got a later state already.
        """
        if entry.digest not in self._sent:
            return False
        sent = self._sent[entry.digest]
        return entry.status != BATCH_STATUS_JOURNALLED or sent is None or _is_waiting(sent)

    def _remember(self, entry: JournalEntry) -> None:
        if entry.status in _SETTLED:
            del self._sent[entry.digest]
        else:
            self._sent[entry.digest] = entry

    def _is_at_rest(self) -> bool:
        """Whether no new state is expected for now; the node tries waiting batches again by itself."""
        return self._news.empty() and all(
            sent and _is_waiting(sent) and sent.agreement_id in self._state.halts for sent in self._sent.values()
        )


def _is_waiting(entry: JournalEntry) -> bool:
    return entry.status in WAITING
