"""Checks each incoming batch as far as that is possible without the ledger, and writes it to the journal.

The checks are the contract's own, on this member's view of the ledger, so that a machine gets at once the error
that the ledger would give later.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace

from chaincode import keys
from chaincode.account.announcement import announced_digest
from chaincode.account.cut_off import CutOff, earlier_cut_offs
from chaincode.account.head import Standing
from chaincode.account.usage import (
    CheckedBatch,
    SentBatch,
    check_batch,
    check_chain,
    check_times,
    is_beyond_cut_off,
)
from chaincode.errors import BrokenChain, Overlap, Replay
from chaincode.rating import check_batch_cost
from chaincode.readings.stream import StreamPosition
from ledger.gateway import ClockUs, system_clock_us
from node.account_state import AccountState
from node.disclosing import earlier_terms
from node.errors import UnknownAgreement, UnknownMeter
from node.halt import private_data_missing
from node.journal import Journal, JournalEntry
from node.read_model.archive import ReadModelArchive
from node.read_model.read_model import ReadModel
from node.state import NodeState, StreamId
from zunft.v1.node_pb2 import BATCH_STATUS_COMMITTED, BATCH_STATUS_REFUSED
from zunft.v1.usage_pb2 import UsageBatch


class Intake:
    """Accepts batches into the journal, each stream in its order."""

    def __init__(
        self, read_model: ReadModel, journal: Journal, state: NodeState, *, clock: ClockUs = system_clock_us
    ) -> None:
        self._read_model = read_model
        self._journal = journal
        self._positions = state.positions
        self._clock = clock
        self._locks: defaultdict[StreamId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def accept(self, sent: SentBatch) -> JournalEntry:
        """The batch's entry, durable on return; one that was accepted before keeps its state.

        Raises the contract's errors about batches, UnknownAgreement, UnknownMeter, DiskFull.
        """
        stream = (sent.batch.agreement_id, sent.batch.meter_id)
        async with self._locks[stream]:
            return self._find(sent) or await self._accept_new(stream, sent)

    def position(self, agreement_id: str, meter_id: str) -> StreamPosition | None:
        """The position at which the stream's next batch must begin; None if this member has no such account."""
        account = self._read_model.account(agreement_id)
        return self._position(account, (agreement_id, meter_id)) if account else None

    async def _accept_new(self, stream: StreamId, sent: SentBatch) -> JournalEntry:
        account = find_account(self._read_model, stream[0])
        standing = account.standing
        checked = self._check(standing, stream[1], sent)
        position = self._position(account, stream)
        self._check_chain(position, checked.batch)
        now_us = self._clock()
        if is_beyond_cut_off(standing, checked.columns, now_us):
            standing = replace(standing, earlier=await self._earlier_cut_offs(account))
        announced_us = self._announced_us(standing, checked, now_us)
        check_times(standing, position.last_time_us, checked.columns, now_us, announced_us)
        check_batch_cost(standing.terms.tariff, checked.columns)
        entry = replace(entry_of(sent), last_time_us=int(checked.columns.time_us[-1]), arrived_us=now_us)
        await asyncio.to_thread(self._journal.append, [(entry, sent.signed)])
        self._positions[stream] = entry.position_after
        return entry

    async def _earlier_cut_offs(self, account: AccountState) -> tuple[CutOff, ...]:
        """The earlier cut-offs that the contract knows once the node discloses the earlier terms."""
        archive = ReadModelArchive(self._read_model, account.agreement.agreement_id)
        return earlier_cut_offs(account.agreement, await earlier_terms(account.agreement, account.terms, archive))

    def _announced_us(self, standing: Standing, checked: CheckedBatch, now_us: int) -> int | None:
        """The time of the batch's announcement, for one beyond the cut-off: a refused batch may come in again."""
        if not is_beyond_cut_off(standing, checked.columns, now_us):
            return None
        key = keys.announcement(standing.agreement.provider_msp_id, announced_digest(checked.signed))
        announcement = self._read_model.find(key)
        return announcement.announced_at_us if announcement else None

    def _check_chain(self, position: StreamPosition, batch: UsageBatch) -> None:
        """Raises the chain's error, or PrivateDataMissing where a record that has not come may explain it."""
        try:
            check_chain(position, batch)
        except (Replay, Overlap, BrokenChain) as error:
            if missing := self._read_model.waits_for(batch.agreement_id):
                raise private_data_missing(missing) from error
            raise

    def _find(self, sent: SentBatch) -> JournalEntry | None:
        """The entry of a batch that came in before, even if the journal was lost since; None for a refused one."""
        entry = self._journal.find(sent.digest)
        if entry and entry.status != BATCH_STATUS_REFUSED:
            return entry
        place = self._read_model.find_batch(sent.digest)
        if place is None:
            return None
        return replace(
            entry_of(sent), status=BATCH_STATUS_COMMITTED, tx_id=place.tx_id, block_number=place.block_number
        )

    def _check(self, standing: Standing, meter_id: str, sent: SentBatch) -> CheckedBatch:
        meter = self._read_model.meter(meter_id)
        if meter is None:
            raise UnknownMeter(f"the ledger has no meter {meter_id[:64]!r}: register it first")
        return check_batch(standing, {meter_id: meter}, sent)

    def _position(self, account: AccountState, stream: StreamId) -> StreamPosition:
        return self._positions.get(stream) or self._load_position(account, *stream)

    def _load_position(self, account: AccountState, agreement_id: str, meter_id: str) -> StreamPosition:
        """The position after the stream's last batch in the journal, or else in the account's head."""
        pending = [entry for entry in self._journal.pending_entries(agreement_id) if entry.meter_id == meter_id]
        charged = [StreamPosition.of(one) for one in account.head.streams if one.meter_id == meter_id]
        return pending[-1].position_after if pending else next(iter(charged), StreamPosition())


def find_account(read_model: ReadModel, agreement_id: str) -> AccountState:
    """The account's state on the ledger.

    Raises UnknownAgreement unless this member is a party of the agreement and the account was opened;
    PrivateDataMissing where private data that the state needs have not come.
    """
    account = read_model.account(agreement_id)
    if account is None and (missing := read_model.waits_for(agreement_id)):
        raise private_data_missing(missing)
    if account is None:
        raise UnknownAgreement(
            f"{read_model.msp_id} has no account under an agreement {agreement_id[:64]!r}: check the name, "
            "or have the agreement accepted and its account opened"
        )
    return account


def entry_of(sent: SentBatch) -> JournalEntry:
    """The entry of a batch whose readings are not decoded, before it gets a state."""
    batch = sent.batch
    return JournalEntry(
        sent.digest, batch.agreement_id, batch.meter_id, batch.first_sequence, batch.reading_count, last_time_us=0
    )
