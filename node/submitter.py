"""Brings what the journal holds to the ledger, each agreement in a lane of its own."""

from __future__ import annotations

import asyncio

from node.halt import Halt
from node.journal import Entry
from node.lane import Lane, LaneParts
from zunft.v1.event_pb2 import Refusal


class Submitter:
    """A lane for each agreement that has batches."""

    def __init__(self, parts: LaneParts) -> None:
        self._parts = parts
        self._lanes: dict[str, Lane] = {}

    def start(self) -> None:
        """Go on with what the journal holds."""
        for agreement_id in self._parts.journal.agreements_with_work():
            self.wake(agreement_id)

    async def stop(self) -> None:
        """Leave off; what is under way stays in the journal."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))
        self._lanes.clear()

    def wake(self, agreement_id: str) -> None:
        """There are new batches in the journal."""
        if agreement_id not in self._lanes:
            self._lanes[agreement_id] = Lane(agreement_id, self._parts)
        self._lanes[agreement_id].wake()

    def account_changed(self, agreement_id: str) -> None:
        """The account may have been funded: what waits for funds gets a new try."""
        if agreement_id in self._lanes:
            self._lanes[agreement_id].account_changed()

    def halt(self, agreement_id: str) -> Halt | None:
        """Why the agreement's batches wait; None if they do not."""
        lane = self._lanes.get(agreement_id)
        return lane.halt if lane else None

    async def give_up(self, entry: Entry, why: Refusal) -> None:
        """Refuse a batch that waits, and those of its stream behind it."""
        self.wake(entry.agreement_id)
        await self._lanes[entry.agreement_id].give_up(entry, why)
        self.wake(entry.agreement_id)
