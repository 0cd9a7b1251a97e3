"""An audit that trusts no node: from the genesis block and the blocks it derives everything anew.

Each block goes through three stages: is it genuine (chain, identities), does it take effect (endorsement), and is what
took effect right (meters, rating, prepaid, tokens, reserve, invoices). Each question has its own verdict, and a wrong
answer to one does not spoil the next: the later questions are asked of what took effect on the channel.

One core does it: decompressing, adding up and hashing a batch of 50,000 readings takes two milliseconds, and neither
threads (numpy and zstd hold the interpreter between their short runs) nor handing the columns to another process pay.
"""

from __future__ import annotations

from collections.abc import Iterable

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from google.protobuf.message import DecodeError

from chaincode.stub import implicit_collection
from node.audit.bills import Bills
from node.audit.chain import Chain
from node.audit.endorsement import Candidate, Endorsement
from node.audit.errors import NotAGenesisBlock, UnknownMember
from node.audit.identities import Identities
from node.audit.invoices import Invoices
from node.audit.meters import Meters
from node.audit.movement import Movement, Movements
from node.audit.prepaid import Prepaid
from node.audit.rating import Rating
from node.audit.report import AuditReport
from node.audit.rules import Rules
from node.audit.seal import read_seal
from node.audit.tokens import Reserve, Tokens
from node.audit.world import CHAINCODE, Step, World, describe
from node.ledger.block_reader import Block, MalformedBlock, Transaction, read_block
from node.ledger.fabric_rules.block_validation import BlockValidation
from node.ledger.fabric_rules.channel import NotAConfigBlock
from node.ledger.fabric_rules.config_update import read_change
from node.ledger.fabric_rules.results import Version


def audit(blocks: Iterable[events_pb2.BlockAndPrivateData], genesis: common_pb2.Block, member: str) -> AuditReport:
    """Audits a channel from its first block on, as far as `member` can see it.

    Args:
        blocks: all blocks from number 0 on with the member's private data, from a node or an archive; not trusted.
        genesis: the channel's genesis block as the member keeps it, the only root of trust.
        member: MSP id of the member whose private data comes with the blocks.

    Raises:
        NotAGenesisBlock, UnknownMember: there is nothing to audit. What it finds wrong is a verdict and no error.
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
        # Of the configuration in force; None after one that cannot be read.
        self._validation: BlockValidation | None = self._rules.block_validation
        self._member = member
        # Also those that came later, and those that have gone.
        self._members = set(self._rules.members)
        self._world = World()
        self._movements = Movements(member)
        self._bills = Bills()
        self._chain, self._identities, self._endorsement = Chain(genesis), Identities(), Endorsement()
        self._meters, self._rating, self._prepaid = Meters(), Rating(), Prepaid()
        self._tokens, self._reserve, self._invoices = Tokens(), Reserve(), Invoices()
        self._block_count = 0
        self._transaction_count = 0
        self._unreadable = ""

    def check(self, delivered: events_pb2.BlockAndPrivateData) -> None:
        """Takes the next block into account."""
        self._block_count += 1
        self._chain.check(delivered.block, self._validation)
        if self._unreadable:
            return
        try:
            self._check_contents(delivered)
        except (MalformedBlock, NotAConfigBlock, DecodeError, IndexError):
            self._unreadable = f"from block {delivered.block.header.number} on, which cannot be decoded"

    def report(self) -> AuditReport:
        """The verdicts on what was checked so far. Raises UnknownMember."""
        self._check_member()
        self._chain.finish()
        self._reserve.finish(self._world)
        checks = (
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
        for check in checks[1:] if self._unreadable else ():
            check.tally.cannot_check(self._unreadable)
        return AuditReport(
            member=self._member,
            channel=self._rules.channel_id,
            block_count=self._block_count,
            transaction_count=self._transaction_count,
            reading_count=self._meters.reading_count,
            verdicts=tuple(check.tally.verdict() for check in checks),
            bills=self._bills.bills(),
        )

    def _check_member(self) -> None:
        if self._member not in self._members:
            raise UnknownMember(
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
            if self._endorsement.takes_effect(block.number, candidate, self._world):
                self._check_effects(block, candidate)
        self._world.transactions.update(one.tx_id for one in block.transactions)
        self._tokens.check_sum(block.number)

    def _candidate(self, block: Block, transaction: Transaction, raw: common_pb2.Block) -> Candidate | None:
        """None for nonsense that is marked as invalid, of which there is nothing to judge.

        Raises DecodeError, IndexError.
        """
        try:
            seal = read_seal(raw.data.data[transaction.position])
        except (DecodeError, IndexError):
            if transaction.is_valid:
                raise
            return None
        endorsers = self._identities.check(block.number, transaction, seal, self._rules)
        return Candidate(transaction, seal, endorsers)

    def _change_rules(self, block: common_pb2.Block) -> None:
        """A later configuration is in force from its block on; whether it counts as proven, the verdict says."""
        self._validation = None
        self._identities.check_change(self._rules.admits(read_change(block)))
        self._rules = Rules.from_config_block(block)
        self._validation = self._rules.block_validation
        self._members.update(self._rules.members)

    # --- one transaction ----------------------------------------------------------------------------------------------

    def _check_effects(self, block: Block, candidate: Candidate) -> None:
        transaction, world = candidate.transaction, self._world
        held = {key: world.public.get((CHAINCODE, key)) for key in transaction.writes}
        old = {key: entry.value for key, entry in held.items() if entry is not None}
        world.apply(candidate.seal.results, Version(block.number, transaction.position))
        world.transactions.add(transaction.tx_id)
        step = Step(block.number, transaction, old, world, self._private(block, transaction))

        try:
            self._check_step(step)
        except (DecodeError, IndexError):
            self._note_unreadable()

    def _check_step(self, step: Step) -> None:
        self._tokens.check(step)
        self._reserve.check(step, self._tokens.amounts_micro)
        self._invoices.check(step)
        self._meters.check_keys(step)
        movement = self._movements.read(step)
        if movement is not None:
            self._check_movement(movement)

    def _note_unreadable(self) -> None:
        """Two parties with altered contracts can write anything into their own records, but spoil no other's audit."""
        for check in (self._meters, self._rating, self._prepaid, self._tokens, self._invoices):
            check.tally.cannot_check("a transaction wrote something that cannot be decoded")

    def _check_movement(self, movement: Movement) -> None:
        self._meters.check(movement)
        self._rating.check(movement)
        self._prepaid.check(movement)
        if movement.visible:
            self._invoices.check_claim(movement, self._bills.add(movement))
        else:
            self._invoices.note_unseen(movement)

    def _private(self, block: Block, transaction: Transaction) -> dict[str, bytes]:
        """The member's own private values, as far as they are those that were endorsed."""
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
