"""Brings the journal's batches to the ledger, each agreement's in a lane of its own."""

from __future__ import annotations

import asyncio

from chaincode.account.usage import NEVER_US
from node.journal import JournalEntry
from node.lane import Lane, LaneParts
from zunft.v1.event_pb2 import Refusal


class Submitter:
    """The lanes, one for each agreement that has batches."""

    def __init__(self, parts: LaneParts) -> None:
        self._parts = parts
        self._lanes: dict[str, Lane] = {}

    def start(self) -> None:
        """Starts the lanes of all agreements with batches in the journal; any of these may have been under way."""
        journal = self._parts.journal
        for agreement_id in journal.agreements_with_work():
            under_way = journal.pending_digests(agreement_id, latest_us=NEVER_US)
            self._lanes[agreement_id] = Lane(agreement_id, self._parts, under_way)
            self.wake(agreement_id)

    async def stop(self) -> None:
        """Stops all lanes; batches that are under way stay in the journal."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))
        self._lanes.clear()

    def wake(self, agreement_id: str) -> None:
        """Starts the agreement's next step: the journal has new batches of it."""
        if agreement_id not in self._lanes:
            self._lanes[agreement_id] = Lane(agreement_id, self._parts)
        self._lanes[agreement_id].wake()

    def account_changed(self, agreement_id: str) -> None:
        """Tries the agreement's waiting batches again, because the account has changed, perhaps by funds."""
        if agreement_id in self._lanes:
            self._lanes[agreement_id].account_changed()

    async def give_up(self, entry: JournalEntry, why: Refusal) -> None:
        """Refuses a batch that waits, and the later ones of its stream."""
        self.wake(entry.agreement_id)
        await self._lanes[entry.agreement_id].give_up(entry, why)
        self.wake(entry.agreement_id)
