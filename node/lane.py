"""Brings one agreement's batches from the journal to the ledger, by one usage.submit at a time with all that fit.

Batches that are refused together are sent in smaller groups, so that one bad batch, or the first that the account does
not cover, is found and the others are charged. Only the member's own peer can refuse a batch for good. While only the
other party's peer refuses, the account waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from chaincode.account.usage import MAX_BATCHES
from chaincode.errors import (
    ClockSkew,
    ContractError,
    Forbidden,
    HeadMismatch,
    HeadTooLarge,
    InsufficientFunds,
    TermsMismatch,
)
from chaincode.refusal import refusal
from ledger.gateway import (
    CommitError,
    Committed,
    EndorseError,
    Gateway,
)
from ledger.printable import printable
from node.batch_queue import Batches, BatchQueue, digests, within_limits
from node.disclosing import disclose_usage
from node.errors import BehindLedger, NotEntitled, OtherPartyRefuses
from node.halt import Halt, lacking, not_entitled, refused_by_other, shortage
from node.journal import Journal, JournalEntry
from node.meter_account import MeterAccount
from node.outage import Outage
from node.own_peer import check_caught_up
from node.progress import Progress
from node.read_model.archive import ReadModelArchive
from node.read_model.read_model import ReadModel
from node.state import NodeState
from zunft.v1.event_pb2 import Refusal
from zunft.v1.usage_pb2 import Disclosure, SubmitUsage

# The longest wait until the read model shows that the account has moved on: twice as long each time, because the other
# party's peer may be behind, too.
FIRST_CATCH_UP_S = 0.1
LONGEST_CATCH_UP_S = 2.0
# The number of waits after which terms and head are read from the own peer, and no peer counts as behind any more.
CATCH_UPS = 5
# The number of conflicts after which it is no coincidence that the account's other transactions come first.
OVERTAKINGS = 15

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LaneParts:
    """The parts that every lane works with."""

    gateway: Gateway
    read_model: ReadModel
    journal: Journal
    progress: Progress
    state: NodeState


class Lane:
    """A task that runs from the object's creation until `stop`; its account's halt is in the node's state."""

    def __init__(self, agreement_id: str, parts: LaneParts, under_way: Iterable[bytes] = ()) -> None:
        """Takes the digests of the batches that were under way when the node stopped."""
        self._agreement_id = agreement_id
        self._gateway = parts.gateway
        self._read_model = parts.read_model
        self._halts = parts.state.halts
        self._positions = parts.state.positions
        self._queue = BatchQueue(agreement_id, parts.journal, parts.progress)
        # The digests of batches that the ledger may have already, since they were sent and no answer is known.
        self._under_way = set(under_way)
        # The most batches in a transaction: fewer after a refusal, more again after a success.
        self._most = MAX_BATCHES
        # The number of times in a row that terms and head were out of date.
        self._catch_ups = 0
        # Whether the read model has seen the account change since terms and head were last disclosed.
        self._account_moved = asyncio.Event()
        self._outage = Outage("ledger does not take usage", "ledger takes usage again", agreement_id=agreement_id)
        self._refusing = Outage(
            "ALARM: the other party's peer refuses usage", "other party's peer takes usage", agreement_id=agreement_id
        )
        self._awake = asyncio.Event()
        self._log = log.bind(agreement_id=agreement_id)
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Starts the next step: there are new batches in the journal."""
        self._awake.set()

    def account_changed(self) -> None:
        """Tries waiting batches again, because the account has changed, perhaps by funds."""
        self._account_moved.set()
        if self._halt and self._halt.ends_with_account:
            self._end_halt()
        self._awake.set()

    async def stop(self) -> None:
        """Stops the task; batches that are under way stay in the journal."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def give_up(self, entry: JournalEntry, why: Refusal) -> None:
        """Refuses the batch and the later ones of its stream, which continues where it is charged."""
        self._log.warning("batch refused", meter_id=entry.meter_id, sequence=entry.first_sequence, error=why.error)
        await self._queue.refuse(entry, why)
        self._positions.pop((entry.agreement_id, entry.meter_id), None)

    async def _run(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            try:
                while await self._step():
                    self._outage.end()
                    if not self._halt:
                        self._refusing.end()
            except OtherPartyRefuses as error:
                await self._refusing.pause(error)
                self._awake.set()
            except Exception as error:  # the lane must survive every error; the journal has everything
                await self._outage.pause(error)
                self._awake.set()
            else:
                self._outage.end()

    async def _step(self) -> bool:
        """Submits the next group of batches; False when there is nothing to do."""
        if missing := self._read_model.waits_for(self._agreement_id):
            # Without the private data it is not known which batches are charged already.
            self._halts[self._agreement_id] = lacking(missing)
        if self._halt and self._halt.ends_with_account:
            await self._queue.hold(self._halt)
            return False
        if not self._halt:
            await self._queue.release()
        batches = await self._next()
        if batches:
            await self._charge(batches)
        else:
            self._end_halt()
        return bool(batches)

    async def _next(self) -> Batches:
        """The next group, without batches that are on the ledger already."""
        while batches := await self._queue.first(self._most):
            fresh = [one for one in batches if not await self._is_charged(one[0])]
            if fresh:
                return within_limits(fresh)
        return []

    async def _is_charged(self, entry: JournalEntry) -> bool:
        """Whether the ledger has a batch whose answer is not known, for instance because the node restarted."""
        place = self._read_model.find_batch(entry.digest) if entry.digest in self._under_way else None
        if place:
            await self._settle([entry], place.tx_id, place.block_number)
        return place is not None

    # --- one group ----------------------------------------------------------------------------------------------------

    async def _charge(self, batches: Batches) -> None:
        try:
            committed = await self._submit(batches)
        except CommitError as error:
            await self._invalid(error)
        except (ContractError, EndorseError) as error:
            await self._not_endorsed(batches, error)
        else:
            await self._committed(batches, committed)

    async def _invalid(self, error: CommitError) -> None:
        """Deals with an invalid transaction: waits after a conflict, and blames the other party for any other error.

        Conflicts that do not end come from the other party, which keeps the account busy. An endorsed transaction is
        also invalid where the other party has put its own copy of the head out of reach.
        """
        if not error.is_conflict:
            await self._refused_by_other(error)
        elif self._catch_ups < OVERTAKINGS:
            await self._catch_up(error)
        else:
            await self._refused_by_other(error)

    async def _not_endorsed(self, batches: Batches, error: ContractError | EndorseError) -> None:
        """Deals with a refusal, which may come from either of the two peers."""
        if _is_out_of_date(error) and not self._reads_from_peer:
            await self._catch_up(error)
        elif isinstance(error, EndorseError) and not error.is_answer:
            raise error
        elif len(batches) > 1:
            self._most = len(batches) // 2
        else:
            await self._judge(batches[0][0], error, await self._own_refusal(batches))

    async def _judge(
        self, entry: JournalEntry, error: ContractError | EndorseError, own_refusal: ContractError | None
    ) -> None:
        """Decides about one batch that was not endorsed."""
        if own_refusal is None:
            await self._refused_by_other(error)
        elif isinstance(own_refusal, ClockSkew):
            # No fault of the batch: it is charged once the clocks are right.
            raise own_refusal
        elif _is_out_of_date(own_refusal):
            await self._catch_up(own_refusal)
        elif isinstance(own_refusal, (InsufficientFunds, HeadTooLarge)):
            self._not_covered(own_refusal)
        elif isinstance(own_refusal, Forbidden):
            await self._not_entitled(own_refusal)
        elif not await self._is_charged(entry):
            await self.give_up(entry, refusal(own_refusal))

    async def _own_refusal(self, batches: Batches) -> ContractError | None:
        """The refusal of the member's own peer alone, at the height that the orderers name; None if it accepts them.

        Raises BehindLedger, EvaluateError, and the errors of `ordered_height`.
        """
        await check_caught_up(self._gateway, self._read_model, self._agreement_id, batches[0][0].meter_id)
        account, disclosure = await self._disclose(batches)
        try:
            await account.try_alone("usage.submit", SubmitUsage(agreement_id=self._agreement_id), disclosure)
        except ContractError as own_refusal:
            return own_refusal
        return None

    async def _submit(self, batches: Batches) -> Committed:
        entries = [entry for entry, _ in batches]
        self._under_way.update(digests(entries))
        account, disclosure = await self._disclose(batches)
        if not self._halt:
            await self._queue.mark_submitted(entries)
        return await account.submit("usage.submit", SubmitUsage(agreement_id=self._agreement_id), disclosure)

    async def _disclose(self, batches: Batches) -> tuple[MeterAccount, Disclosure]:
        """The account and a disclosure of the batches, terms and head as this member archived them.

        Raises BehindLedger.
        """
        self._account_moved.clear()
        if self._reads_from_peer:
            account = await MeterAccount.open(self._gateway, self._agreement_id)
            disclosure = await account.disclose_usage()
        else:
            state = self._read_model.account(self._agreement_id)
            if state is None:
                raise BehindLedger(f"the account of {self._agreement_id} is not in the node's view of the ledger yet")
            account = MeterAccount(self._gateway, state.agreement)
            disclosure = await disclose_usage(state.agreement, ReadModelArchive(self._read_model, self._agreement_id))
        disclosure.batches.extend(signed for _, signed in batches)
        return account, disclosure

    # --- the outcome --------------------------------------------------------------------------------------------------

    async def _committed(self, batches: Batches, committed: Committed) -> None:
        self._most, self._catch_ups = min(2 * self._most, MAX_BATCHES), 0
        self._end_halt()
        self._log.info("usage charged", batches=len(batches), tx_id=committed.tx_id, block=committed.block_number)
        # A client that learns that its batch is charged then finds it in the balance.
        await self._read_model.reached(committed.block_number + 1)
        await self._settle([entry for entry, _ in batches], committed.tx_id, committed.block_number)

    async def _settle(self, entries: Sequence[JournalEntry], tx_id: str, block_number: int) -> None:
        await self._queue.mark_committed(entries, tx_id, block_number)
        self._under_way.difference_update(digests(entries))

    def _not_covered(self, error: InsufficientFunds | HeadTooLarge) -> None:
        """Halts until the account is funded or its lines are claimed, unless it has changed meanwhile."""
        if not self._account_moved.is_set():
            self._halts[self._agreement_id] = shortage(error)
            self._log.warning("account used up", error=str(error))

    async def _refused_by_other(self, error: ContractError | EndorseError | CommitError) -> None:
        """Waits while a peer may be behind; after that halts and raises OtherPartyRefuses."""
        if not self._reads_from_peer:
            await self._catch_up(error)
            return
        refuses = OtherPartyRefuses(
            f"the other party refuses usage that this member's own peer accepts, with the words "
            f"'{printable(_words(error))}': do not let a machine of the agreement start before that party accepts it"
        )
        await self._halt_with(refused_by_other(refuses))
        raise refuses

    async def _not_entitled(self, error: Forbidden) -> None:
        """Halts and raises NotEntitled: the refusal is not about the batch."""
        refuses = NotEntitled(
            f"the contract takes no usage from this node ({error}): do not let a machine of the agreement start "
            "before that has changed"
        )
        await self._halt_with(not_entitled(refuses))
        raise refuses

    async def _halt_with(self, halt: Halt) -> None:
        self._halts[self._agreement_id] = halt
        await self._queue.hold(halt)

    @property
    def _halt(self) -> Halt | None:
        return self._halts.get(self._agreement_id)

    def _end_halt(self) -> None:
        self._halts.pop(self._agreement_id, None)

    async def _catch_up(self, error: Exception) -> None:
        """Waits, for a limited time, until the read model shows the transaction that moved the account on."""
        self._log.info("account moved on", reason=type(error).__name__)
        timeout_s = min(LONGEST_CATCH_UP_S, FIRST_CATCH_UP_S * 2.0**self._catch_ups)
        self._catch_ups += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._account_moved.wait()

    @property
    def _reads_from_peer(self) -> bool:
        """Whether terms and head come from the peer, because the read model makes no progress."""
        return self._catch_ups >= CATCH_UPS


def _is_out_of_date(error: ContractError | EndorseError) -> bool:
    """Whether the error may come from a peer, or this node, that does not have the account's newest state yet."""
    if isinstance(error, EndorseError):
        return error.is_conflict
    return isinstance(error, (HeadMismatch, TermsMismatch))


def _words(error: ContractError | EndorseError | CommitError) -> str:
    """The error's text without the transaction's id, so that the log has it once for all tries."""
    if isinstance(error, CommitError):
        return f"the transaction is invalid: {error.code_name}"
    return f"{type(error).__name__}: {error}" if isinstance(error, ContractError) else str(error)
