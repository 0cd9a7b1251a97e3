"""One agreement's way from the journal to the ledger: one usage.submit at a time, as many batches in it as there are.

Batches that are refused together are sent in smaller groups, so that one bad batch, or the first that the account does
not cover, is found and the others are charged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import structlog

from chaincode import keys
from chaincode.errors import (
    BrokenChain,
    ClockSkew,
    ContractError,
    HeadMismatch,
    InsufficientFunds,
    NotFound,
    Overlap,
    Replay,
    TermsMismatch,
)
from chaincode.usage import MAX_BATCHES, MAX_READINGS
from node.errors import BehindLedger
from node.intake import Stream
from node.journal import Entry, Journal
from node.ledger.gateway import CommitError, Committed, EndorseError, Gateway
from node.meter_account import MeterAccount
from node.outage import Outage
from node.progress import Progress
from node.read_model.read_model import ReadModel
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
    BATCH_STATUS_SUBMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BatchStatus,
)
from zunft.v1.record_pb2 import ReadKey, Record
from zunft.v1.usage_pb2 import Disclosure, SignedBatch, SubmitUsage

Batches = Sequence[tuple[Entry, SignedBatch]]

MAX_TRANSACTION_BYTES = 2_000_000
# How long to wait, after the ledger says that the account moved on, until the read model shows it: twice as long each
# time, because it may also be the other party's peer that is behind.
FIRST_CATCH_UP_S = 0.1
LONGEST_CATCH_UP_S = 2.0
# After so many times the own peer is asked.
CATCH_UPS = 5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What every lane works with; `forget_stream` is told of streams whose batches were refused."""

    gateway: Gateway
    read_model: ReadModel
    journal: Journal
    progress: Progress
    forget_stream: Callable[[Stream], None]


class Lane:
    """Runs from its making until `stop`; `shortage` says why its batches wait for funds, None if they do not."""

    def __init__(self, agreement_id: str, parts: LaneParts) -> None:
        self.shortage: Refusal | None = None
        self._agreement_id = agreement_id
        self._gateway = parts.gateway
        self._read_model = parts.read_model
        self._journal = parts.journal
        self._progress = parts.progress
        self._forget_stream = parts.forget_stream
        # Batches in a transaction: fewer after a refusal, more again after a success.
        self._most = MAX_BATCHES
        # How often in a row terms and head were out of date.
        self._catch_ups = 0
        # Whether the read model has seen the account change since terms and head were last disclosed.
        self._account_moved = asyncio.Event()
        # Whether batches are marked as waiting for funds.
        self._is_waiting = False
        self._outage = Outage("ledger does not take usage", "ledger takes usage again", agreement_id=agreement_id)
        self._awake = asyncio.Event()
        self._log = log.bind(agreement_id=agreement_id)
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There are new batches in the journal."""
        self._awake.set()

    def account_changed(self) -> None:
        """The account may have been funded: what waits for funds gets a new try."""
        self._account_moved.set()
        self.shortage = None
        self._awake.set()

    async def stop(self) -> None:
        """Leave off; what is under way stays in the journal."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            try:
                while await self._step():
                    self._outage.over()
            except Exception as error:  # the lane must not end, whatever it was; the journal has everything
                await self._outage.pause(error)
                self._awake.set()
            else:
                self._outage.over()

    async def _step(self) -> bool:
        """Bring the next group one step on; False when there is nothing to do."""
        if self.shortage:
            await self._wait_for_funds(self.shortage)
            return False
        if self._is_waiting:
            await self._stop_waiting()
        batches = await self._next()
        if batches:
            await self._charge(batches)
        return bool(batches)

    async def _next(self) -> Batches:
        """The next group, without what turns out to be on the ledger already."""
        while batches := await asyncio.to_thread(self._journal.pending, self._agreement_id, limit=self._most):
            fresh = [one for one in batches if not await self._is_settled(one[0])]
            if fresh:
                return _within_limits(fresh)
        return []

    async def _is_settled(self, entry: Entry) -> bool:
        """Whether the ledger has the batch, as after a restart that came before its answer."""
        place = self._read_model.find_batch(entry.digest)
        if place:
            await self._settle([entry], place.tx_id, place.block_number)
        return place is not None

    # --- one group ----------------------------------------------------------------------------------------------------

    async def _charge(self, batches: Batches) -> None:
        try:
            committed = await self._submit(batches)
        except (HeadMismatch, TermsMismatch) as error:
            await self._catch_up(error)
        except InsufficientFunds as error:
            await self._not_covered(batches, error)
        except ClockSkew:
            # No fault of the batch: it is charged once the clocks are right.
            raise
        except ContractError as error:
            await self._refused(batches, error)
        except (EndorseError, CommitError) as error:
            if not error.is_conflict:
                raise
            await self._catch_up(error)
        else:
            await self._committed(batches, committed)

    async def _submit(self, batches: Batches) -> Committed:
        account, disclosure = await self._disclose()
        disclosure.batches.extend(signed for _, signed in batches)
        entries = [entry for entry, _ in batches]
        await asyncio.to_thread(self._journal.mark_submitted, _digests(entries))
        self._publish(entries, BATCH_STATUS_SUBMITTED)
        return await account.submit("usage.submit", SubmitUsage(agreement_id=self._agreement_id), disclosure)

    async def _disclose(self) -> tuple[MeterAccount, Disclosure]:
        """Terms and head as this member archived them. Raises BehindLedger."""
        self._account_moved.clear()
        if self._asks_peer:
            account = await MeterAccount.open(self._gateway, self._agreement_id)
            return account, await account.disclose()
        standing = self._read_model.standing(self._agreement_id)
        if standing is None:
            raise BehindLedger(f"the account of {self._agreement_id} is not in the node's view of the ledger yet")
        find = self._read_model.find_bytes
        disclosure = Disclosure(terms=find(keys.terms(self._agreement_id, standing.terms.version)))
        if standing.commitment.sequence:
            disclosure.head = find(keys.head(self._agreement_id)) or b""
            if standing.head.terms_version != standing.terms.version:
                superseded = keys.terms(self._agreement_id, standing.head.terms_version)
                disclosure.superseded_terms = find(superseded) or b""
        return MeterAccount(self._gateway, standing.agreement), disclosure

    # --- what becomes of it -------------------------------------------------------------------------------------------

    async def _committed(self, batches: Batches, committed: Committed) -> None:
        self._most, self._catch_ups = min(2 * self._most, MAX_BATCHES), 0
        self._log.info("usage charged", batches=len(batches), tx_id=committed.tx_id, block=committed.block_number)
        # Who hears that a batch is charged finds it in the balance.
        await self._read_model.reached(committed.block_number + 1)
        await self._settle([entry for entry, _ in batches], committed.tx_id, committed.block_number)

    async def _settle(self, entries: Sequence[Entry], tx_id: str, block_number: int) -> None:
        await asyncio.to_thread(self._journal.mark_committed, _digests(entries), tx_id, block_number)
        self._progress.publish(
            replace(entry, status=BATCH_STATUS_COMMITTED, refusal=Refusal(), tx_id=tx_id, block_number=block_number)
            for entry in entries
        )

    async def _not_covered(self, batches: Batches, error: InsufficientFunds) -> None:
        """Charge what the account covers; if not even one batch, wait, unless the account was funded meanwhile."""
        if len(batches) > 1:
            self._most = len(batches) // 2
        elif not self._account_moved.is_set():
            await self._check_peers(batches[0][0].meter_id)
            self.shortage = _refusal(error)
            self._log.warning("account used up")

    async def _wait_for_funds(self, shortage: Refusal) -> None:
        entries = await asyncio.to_thread(self._journal.pending_entries, self._agreement_id)
        news = [entry for entry in entries if entry.status != BATCH_STATUS_WAITING_FOR_FUNDS]
        await asyncio.to_thread(self._journal.mark_waiting, _digests(news), shortage)
        self._publish(news, BATCH_STATUS_WAITING_FOR_FUNDS, shortage)
        self._is_waiting = True

    async def _stop_waiting(self) -> None:
        entries = await asyncio.to_thread(self._journal.pending_entries, self._agreement_id)
        waiting = [entry for entry in entries if entry.status == BATCH_STATUS_WAITING_FOR_FUNDS]
        await asyncio.to_thread(self._journal.mark_journalled, _digests(waiting))
        self._publish(waiting, BATCH_STATUS_JOURNALLED)
        self._is_waiting = False

    async def _refused(self, batches: Batches, error: ContractError) -> None:
        if len(batches) > 1:
            self._most = len(batches) // 2
        elif self._may_be_charged(error):
            await self._catch_up(error)
        else:
            await self._check_peers(batches[0][0].meter_id)
            await self._give_up(batches[0][0], _refusal(error))

    def _may_be_charged(self, error: ContractError) -> bool:
        """Whether the batch may be the very one on the ledger, because the peer is ahead of the read model."""
        may_come = self._asks_peer and self._catch_ups < 2 * CATCH_UPS
        return may_come and isinstance(error, (Replay, Overlap, BrokenChain))

    async def _check_peers(self, meter_id: str) -> None:
        """A peer that is behind refuses what it has not heard of yet: only what both parties' peers refuse while they
        know the same as this node is refused. Raises BehindLedger, and what Gateway.evaluate raises."""
        standing = self._read_model.standing(self._agreement_id)
        parties = MeterAccount(self._gateway, standing.agreement).parties if standing else ()
        places: tuple[keys.Key[Any], ...] = (
            keys.agreement(self._agreement_id),
            keys.account(self._agreement_id),
            keys.commitment(self._agreement_id),
            keys.meter(meter_id),
        )
        for key, msp_id in product(places, parties):
            if await self._read_at(msp_id, key) != self._read_model.find_bytes(key):
                raise BehindLedger(f"this node and the peer of {msp_id} differ in {key.name}: one has to catch up")

    async def _read_at(self, msp_id: str, key: keys.Key[Any]) -> bytes | None:
        """A public record as a peer of that member knows it."""
        try:
            answer = await self._gateway.evaluate("record.read", ReadKey(key=key.name), msp_ids=[msp_id])
        except NotFound:
            return None
        return Record.FromString(answer).value

    async def _give_up(self, entry: Entry, refusal: Refusal) -> None:
        """Refuse the batch for good, and those of its stream behind it, which cannot be charged without it."""
        self._log.warning("batch refused", meter_id=entry.meter_id, sequence=entry.first_sequence, error=refusal.error)
        behind = Refusal(error="Gap", message=f"the stream's batch {entry.first_sequence} was refused: {refusal.error}")
        entries = await asyncio.to_thread(self._journal.pending_entries, self._agreement_id)
        followers = [one for one in entries if one.meter_id == entry.meter_id and one.digest != entry.digest]
        await asyncio.to_thread(self._journal.mark_refused, [entry.digest], refusal)
        await asyncio.to_thread(self._journal.mark_refused, _digests(followers), behind)
        self._forget_stream((entry.agreement_id, entry.meter_id))
        self._publish([entry], BATCH_STATUS_REFUSED, refusal)
        self._publish(followers, BATCH_STATUS_REFUSED, behind)

    async def _catch_up(self, error: Exception) -> None:
        """Another transaction moved the account on: wait until the read model shows it, but not for ever."""
        self._log.info("account moved on", reason=type(error).__name__)
        timeout_s = min(LONGEST_CATCH_UP_S, FIRST_CATCH_UP_S * 2.0**self._catch_ups)
        self._catch_ups += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._account_moved.wait()

    @property
    def _asks_peer(self) -> bool:
        """Whether terms and head come from the peer, because the read model does not get on."""
        return self._catch_ups >= CATCH_UPS

    def _publish(self, entries: Sequence[Entry], status: BatchStatus, refusal: Refusal | None = None) -> None:
        self._progress.publish(replace(entry, status=status, refusal=refusal or Refusal()) for entry in entries)


def _refusal(error: ContractError) -> Refusal:
    return Refusal(error=type(error).__name__, message=str(error))


def _digests(entries: Sequence[Entry]) -> list[bytes]:
    return [entry.digest for entry in entries]


def _within_limits(batches: Batches) -> Batches:
    """As many of the first batches as a transaction takes; the very first in any case."""
    total_bytes = total_readings = 0
    for count, (entry, signed) in enumerate(batches):
        total_bytes += len(signed.batch)
        total_readings += entry.reading_count
        if count and (total_bytes > MAX_TRANSACTION_BYTES or total_readings > MAX_READINGS):
            return batches[:count]
    return batches
