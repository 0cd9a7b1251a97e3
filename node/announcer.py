"""Announces waiting batches on the ledger, so that the wait does not make them too old to be charged.

It announces batches of accounts whose terms have a cut-off, and goes by age alone: an account that charges some batches
may still be too slow. Announcements are on the ledger, so a node that starts again continues with the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog

from chaincode import keys
from chaincode.account.announcement import announced_digest
from chaincode.account.usage import NEVER_US
from chaincode.errors import AlreadyExists, ContractError
from chaincode.limits import MAX_ANNOUNCED
from ledger.errors import LedgerError
from ledger.gateway import ClockUs, Gateway
from node.errors import NodeError
from node.journal import Journal
from node.outage import Outage
from node.read_model.read_model import ReadModel
from zunft.v1.usage_pb2 import AnnounceUsage

LOOK_S = 2.0
# The age of a batch's last reading at which the batch is announced; a tenth of the cut-off where that is less.
AGE_US = 300 * 10**6
# The time for the last try of a node that stops.
LAST_LOOK_S = 2.0

log = structlog.get_logger()


class Announcer:
    """A task that runs from the object's creation until `stop`."""

    def __init__(
        self,
        gateway: Gateway,
        read_model: ReadModel,
        journal: Journal,
        clock: ClockUs,
    ) -> None:
        self._gateway = gateway
        self._read_model = read_model
        self._journal = journal
        self._clock = clock
        # By agreement: waiting batches that are announced or need no announcement.
        self._done: dict[str, set[bytes]] = {}
        self._outage = Outage("ledger does not take announcements", "ledger takes announcements again")
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Announces all waiting batches first, also the young ones: nobody knows when the node starts again."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with suppress(LedgerError, ContractError, NodeError, TimeoutError):
            async with asyncio.timeout(LAST_LOOK_S):
                await self._look(at_once=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except Exception as error:  # the next look tries again after every error
                await self._outage.pause(error)
            else:
                self._outage.end()

    async def _look(self, *, at_once: bool = False) -> None:
        with_work = await asyncio.to_thread(self._journal.agreements_with_work)
        self._done = {agreement_id: self._done.get(agreement_id, set()) for agreement_id in with_work}
        for agreement_id in with_work:
            age_us = self._age_us(agreement_id)
            if age_us is not None:
                await self._announce(agreement_id, NEVER_US if at_once else self._clock() - age_us)

    async def _announce(self, agreement_id: str, latest_us: int) -> None:
        """Announces the account's batches without readings after `latest_us`, as many at once as a request takes."""
        waiting = await asyncio.to_thread(self._journal.pending_digests, agreement_id, latest_us=latest_us)
        done = self._done[agreement_id]
        done &= set(waiting)
        due = [digest for digest in waiting if digest not in done]
        for start in range(0, len(due), MAX_ANNOUNCED):
            await self._announce_these(agreement_id, due[start : start + MAX_ANNOUNCED])

    def _age_us(self, agreement_id: str) -> int | None:
        """The age at which readings are announced; None without a cut-off, or where this member is not the provider."""
        agreement = self._read_model.find(keys.agreement(agreement_id))
        if agreement is None or agreement.provider_msp_id != self._read_model.msp_id:
            return None
        terms = self._read_model.find(keys.terms(agreement_id, agreement.terms.version))
        if terms is None:
            # The terms have not come yet, and may have a cut-off.
            return AGE_US
        return min(AGE_US, terms.late_cut_off_s * 10**6 // 10) if terms.late_cut_off_s else None

    async def _announce_these(self, agreement_id: str, digests: Sequence[bytes]) -> None:
        names = await asyncio.to_thread(self._names, digests)
        new = [name for name in names if self._is_new(name)]
        if new:
            with suppress(AlreadyExists):
                await self._gateway.submit("usage.announce", AnnounceUsage(batch_digests=new))
                log.info("waiting batches announced", agreement_id=agreement_id, batches=len(new))
        self._done[agreement_id].update(digests)

    def _names(self, digests: Iterable[bytes]) -> list[bytes]:
        """The digests by which announcements name these batches; a batch that is charged meanwhile has none."""
        signed = (self._journal.content(digest) for digest in digests)
        return [announced_digest(one) for one in signed if one is not None]

    def _is_new(self, name: bytes) -> bool:
        return self._read_model.find_bytes(keys.announcement(self._read_model.msp_id, name)) is None
