"""Brings the journal's batches to the ledger, each agreement's in a lane of its own."""

from __future__ import annotations

import asyncio

from node.halt import Halt
from node.journal import Entry
from node.lane import Lane, LaneParts
from zunft.v1.event_pb2 import Refusal


class Submitter:
    """The lanes, one for each agreement that has batches."""

    def __init__(self, parts: LaneParts) -> None:
        self._parts = parts
        self._lanes: dict[str, Lane] = {}

    def start(self) -> None:
        """Starts the lanes of all agreements with batches in the journal."""
        for agreement_id in self._parts.journal.agreements_with_work():
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

    def halt(self, agreement_id: str) -> Halt | None:
        """The reason for which the agreement's batches wait; None if they do not."""
        lane = self._lanes.get(agreement_id)
        return lane.halt if lane else None

    async def give_up(self, entry: Entry, why: Refusal) -> None:
        """Refuses a batch that waits, and the later ones of its stream."""
        self.wake(entry.agreement_id)
        await self._lanes[entry.agreement_id].give_up(entry, why)
        self.wake(entry.agreement_id)
