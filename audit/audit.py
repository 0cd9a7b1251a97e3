"""An audit that trusts no node: it derives everything anew from the genesis block and the blocks.

Each block goes through three stages. Is it genuine (chain, identities)? Does it take effect (endorsement)? Are the
changes that took effect right (meters, rating, prepaid, tokens, reserve, invoices)? Each question has its own verdict,
and a wrong answer to one does not spoil the next: the later questions are about the changes that took effect on the
channel.

The audit uses one core: decompressing, adding up and hashing a batch of 50,000 readings takes two milliseconds. Neither
threads (numpy and zstd hold the interpreter between their short runs) nor other processes would make it faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2

from audit.bills import Bills
from audit.chain import Chain
from audit.endorsement import (
    Candidate,
    Endorsement,
)
from audit.errors import (
    NoSuchMember,
    NotAGenesisBlock,
)
from audit.identities import (
    Identities,
    Verified,
    judge,
)
from audit.invoices import Invoices
from audit.meters import Meters
from audit.movement import (
    Movement,
    Movements,
)
from audit.prepaid import Prepaid
from audit.rating import Rating
from audit.removals import Removals
from audit.report import (
    AuditReport,
    Tally,
)
from audit.rules import Rules
from audit.seal import read_seal
from audit.tokens import (
    Reserve,
    Tokens,
)
from audit.world import (
    CHAINCODE,
    Step,
    World,
    describe,
)
from chaincode import keys
from chaincode.stub import implicit_collection
from ledger.belief import (
    Belief,
    believe,
)
from ledger.block_reader import (
    Block,
    BlockTransaction,
    read_block,
)
from ledger.fabric_rules.block_validation import BlockValidation
from ledger.fabric_rules.channel import NotAConfigBlock
from ledger.fabric_rules.config_update import read_change
from ledger.fabric_rules.identity import Identity
from ledger.fabric_rules.results import Version
from ledger.printable import printable

Answer = TypeVar("Answer")

UNREADABLE = "a transaction wrote something that cannot be read"


def audit(blocks: Iterable[events_pb2.BlockAndPrivateData], genesis: common_pb2.Block, member: str) -> AuditReport:
    """Audits a channel from its first block on, as far as `member` can see it.

    Args:
        blocks: all blocks from number 0 on with the member's private data, from a node or an archive; not trusted.
        genesis: the channel's genesis block as the member keeps it, the only root of trust.
        member: MSP id of the member whose private data comes with the blocks.

    Raises:
        NotAGenesisBlock, NoSuchMember: there is nothing to audit. A violation is part of a verdict and no error.
    """
    auditor = Auditor(genesis, member)
    for block in blocks:
        auditor.check(block)
    return auditor.report()


class Auditor:
    """The audit under way: `check` each block in order, then `report`."""

    def __init__(self, genesis: common_pb2.Block, member: str) -> None:
        """Raises NotAGenesisBlock."""
        self._rules = _rules(genesis)
        # The rule of the configuration in force; None after a configuration that cannot be read.
        self._validation: BlockValidation | None = self._rules.block_validation
        self._member = member
        # All members that the channel has ever had.
        self._members = set(self._rules.members)
        self._unreadable = ""
        self._world = World()
        self._removals = Removals(self._rules.members)
        self._movements = Movements(member)
        self._bills = Bills()
        self._chain, self._identities, self._endorsement = Chain(genesis), Identities(), Endorsement()
        self._meters, self._rating, self._prepaid = Meters(), Rating(), Prepaid(member)
        self._tokens, self._reserve, self._invoices = Tokens(), Reserve(), Invoices(member)
        self._checks = (
            self._chain,
            self._identities,
            self._endorsement,
            self._meters,
            self._rating,
            self._prepaid,
            self._tokens,
            self._reserve,
            self._invoices,
        )
        self._block_count = 0
        self._transaction_count = 0
        self._identities.note_unreadable(self._rules)

    def check(self, delivered: events_pb2.BlockAndPrivateData) -> None:
        """Audits the next block."""
        self._block_count += 1
        self._chain.check(delivered.block, self._validation)
        if self._unreadable:
            return
        try:
            self._check_contents(delivered)
        except NotAConfigBlock:
            self._unreadable = f"from block {delivered.block.header.number} on, whose configuration cannot be used"

    def report(self) -> AuditReport:
        """The verdicts on the blocks so far. Raises NoSuchMember."""
        self._check_member()
        self._chain.finish()
        self._attempt("the supply", self._reserve.tally, lambda: self._reserve.finish(self._world))
        for check in self._checks[1:] if self._unreadable else ():
            check.tally.cannot_check(self._unreadable)
        return AuditReport(
            member=self._member,
            channel=self._rules.channel_id,
            block_count=self._block_count,
            transaction_count=self._transaction_count,
            reading_count=self._meters.reading_count,
            verdicts=tuple(check.tally.verdict() for check in self._checks),
            bills=self._bills.bills(),
        )

    def _check_member(self) -> None:
        if self._member not in self._members:
            raise NoSuchMember(
                f"{self._member} has never been a member of channel {self._rules.channel_id}: "
                f"name one of {sorted(self._members)}"
            )

    # --- one block ----------------------------------------------------------------------------------------------------

    def _check_contents(self, delivered: events_pb2.BlockAndPrivateData) -> None:
        block = read_block(delivered)
        if block.number and block.is_config:
            self._change_rules(delivered.block)
        found = (self._candidate(block, one, delivered.block) for one in block.transactions)
        candidates = [candidate for candidate in found if candidate is not None]
        self._transaction_count += len(block.transactions)
        self._endorsement.check_policies(candidates, self._world, self._rules)
        for candidate in candidates:
            belief = self._believe(block.number, candidate)
            if self._endorsement.takes_effect(block.number, candidate, self._world):
                self._check_effects(block, candidate, belief)
        self._world.transactions.update(one.tx_id for one in block.transactions)
        self._tokens.check_sum(block.number)

    def _candidate(self, block: Block, transaction: BlockTransaction, raw: common_pb2.Block) -> Candidate | None:
        """The transaction to be judged; None if it cannot be read.

        An unreadable transaction that is marked as valid ends the audit of contents: its writes are unknown.
        """
        try:
            seal = read_seal(raw.data.data[transaction.position])
            return Candidate(transaction, seal, judge(transaction, self._rules))
        except Exception:  # a stranger's bytes can raise any error
            if transaction.is_valid:
                # No peer marks as valid what it cannot read, so the deliverer of this block lies about the writes.
                self._unreadable = f"from block {block.number} on, where what was written cannot be read"
            return None

    def _believe(self, number: int, candidate: Candidate) -> Belief:
        """The believed parts of a transaction; checks its signatures, and raises an alarm for each oddity.

        A transaction whose mark is wrong is believed as it is: the verdict on endorsements reports it, and no other
        verdict shall.
        """
        transaction, signatures = candidate.transaction, candidate.signatures
        where, faults = describe(number, transaction), (signatures.creator_fault, *signatures.faults)
        if not transaction.is_valid:
            return self._believed(candidate, signatures.genuine)
        if candidate.fault:
            self._identities.check(where, transaction, candidate.seal, self._rules, *faults)
            return Belief(transaction, is_contracts=True)
        belief = self._believed(candidate, signatures.genuine)
        for alarm in belief.alarms:
            self._endorsement.tally.alarm(f"block {number}: {alarm}")
        if not belief.is_contracts:
            self._identities.check_other(where, transaction, signatures)
            return belief
        if self._believed(candidate, signatures.flawless).is_contracts if signatures.faults else True:
            # The genuine endorsements suffice; somebody has added the faulty ones, and they are ignored.
            for fault in signatures.faults:
                self._endorsement.tally.alarm(f"{where}: {printable(fault)}")
            faults = (signatures.creator_fault,)
        self._identities.check(where, belief.transaction, candidate.seal, self._rules, *faults)
        return belief

    def _believed(self, candidate: Candidate, endorsers: tuple[Identity, ...]) -> Belief:
        verified = Verified(endorsers, self._rules)
        return believe(candidate.transaction, verified, lambda name: self._world.find(keys.agreement(name)))

    def _change_rules(self, block: common_pb2.Block) -> None:
        """Takes a later configuration, which is in force from its block on; a verdict says whether it is proven."""
        self._validation = None
        self._identities.check_change(self._rules.admits(read_change(block)))
        before, self._rules = self._rules, Rules.from_config_block(block)
        self._removals.note(block.header.number, before.members, self._rules.members)
        self._validation = self._rules.block_validation
        self._identities.note_unreadable(self._rules)
        self._members.update(self._rules.members)

    # --- one transaction ----------------------------------------------------------------------------------------------

    def _check_effects(self, block: Block, candidate: Candidate, belief: Belief) -> None:
        transaction, world = belief.transaction, self._world
        held = {key: world.public.get((CHAINCODE, key)) for key in transaction.writes}
        old = {key: entry.value for key, entry in held.items() if entry is not None}
        world.apply(candidate.seal.results, Version(block.number, transaction.position))
        world.transactions.add(transaction.tx_id)
        private = self._private(block, transaction) if belief.is_contracts else {}
        self._check_step(Step(block.number, transaction, old, world, private))

    def _check_step(self, step: Step) -> None:
        where = str(step)
        self._attempt(where, self._tokens.tally, lambda: self._tokens.check(step))
        self._attempt(where, self._reserve.tally, lambda: self._reserve.check(step, self._tokens.amounts_micro))
        self._attempt(where, self._invoices.tally, lambda: self._invoices.check(step))
        self._attempt(where, self._prepaid.tally, lambda: self._prepaid.check_account(step))
        self._attempt(where, self._meters.tally, lambda: self._meters.check_keys(step))
        self._attempt(where, self._identities.tally, lambda: self._removals.check(step, self._identities.tally))
        try:
            movement = self._movements.read(step)
        except Exception:  # the two parties can write any bytes into their own records
            self._note_unreadable_movement(step)
            return
        if movement is not None:
            self._check_movement(movement)

    def _note_unreadable_movement(self, step: Step) -> None:
        """Notes a movement that cannot be read: it spoils the verdicts of its two parties' audits, and no other's."""
        self._endorsement.tally.alarm(f"{step}: {UNREADABLE}")
        if any(self._movements.is_own(step, name) for name in step.written("commitment")):
            for tally in (self._meters.tally, self._rating.tally, self._prepaid.tally, self._invoices.tally):
                tally.cannot_check(UNREADABLE)
        else:
            for tally in (self._rating.tally, self._prepaid.tally):
                tally.cannot_see("transactions of others that cannot be read")

    def _attempt(
        self, where: str, tally: Tally, check: Callable[[], Answer], *, is_of_others: bool = False
    ) -> Answer | None:
        """The check's answer; None if it raised, which affects this question and this transaction only."""
        with tally.of_others(is_of_others):
            try:
                return check()
            except Exception as error:  # other members' records can raise any error
                tally.cannot_check(UNREADABLE)
                self._endorsement.tally.alarm(f"{where}: {UNREADABLE} ({type(error).__name__})")
                return None

    def _check_movement(self, movement: Movement) -> None:
        where = str(movement)
        checks: tuple[tuple[Tally, Callable[[Movement], None]], ...] = (
            (self._meters.tally, self._meters.check),
            (self._rating.tally, self._rating.check),
            (self._prepaid.tally, self._prepaid.check),
            (self._invoices.tally, self._check_claim),
        )
        for tally, check in checks:
            self._attempt(where, tally, partial(check, movement), is_of_others=not movement.is_own)

    def _check_claim(self, movement: Movement) -> None:
        if movement.visible:
            self._invoices.check_claim(movement, self._bills.add(movement))
        else:
            self._invoices.note_unseen(movement)

    def _private(self, block: Block, transaction: BlockTransaction) -> dict[str, bytes]:
        """The member's own private values that have the endorsed hashes, by key."""
        own, where = implicit_collection(self._member), describe(block.number, transaction)
        return {
            write.key: write.value
            for write in transaction.private_writes
            if write.collection == own
            and write.key is not None
            and write.value is not None
            and self._rating.check_private(where, write)
        }


def _rules(genesis: common_pb2.Block) -> Rules:
    try:
        rules = Rules.from_config_block(genesis)
    except NotAConfigBlock as error:
        raise NotAGenesisBlock(str(error)) from error
    if genesis.header.number != 0:
        raise NotAGenesisBlock(f"this is block {genesis.header.number}: give the channel's first block, number 0")
    return rules
