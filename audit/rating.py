"""Checks that every amount follows from the signed readings and the agreed terms, to the micro-token."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from audit.movement import Movement
from audit.recompute import recompute
from audit.report import Tally
from chaincode import keys
from chaincode.errors import ContractError
from chaincode.stub import implicit_collection
from chaincode.transaction_context import serialise
from ledger.block_reader import PrivateWrite
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import AccountHead, UsageRecord


class Rating:
    """Recomputes each two-party transaction and compares head, lines and digests."""

    def __init__(self) -> None:
        question = "Are all amounts what readings and terms come to, recomputed?"
        self.tally = Tally("rating", question, "transactions")

    def check_private(self, where: str, write: PrivateWrite) -> bool:
        """Whether a private value is the one whose hash is on the channel."""
        holds = write.value is not None and sha256(write.value).digest() == write.value_hash
        return self.tally.demand(holds, f"{where}: the archived {write.key} is not the one that was endorsed")

    def check(self, movement: Movement) -> None:
        self._check_public(movement)
        for fault in movement.faults:
            self.tally.fail(f"{movement}: {fault}")
        for reason in dict.fromkeys(movement.missing):
            self.tally.cannot_check(reason)
        if not movement.visible:
            self.tally.cannot_see("transactions of others, not visible to this member (their digests were compared)")
        elif not movement.missing:
            self._check_visible(movement)

    def _check_visible(self, movement: Movement) -> None:
        if movement.record and movement.head and movement.before is not None and movement.terms:
            self.tally.count()
            self._recompute(movement, movement.record, movement.before, movement.head, movement.terms)

    def _check_public(self, movement: Movement) -> None:
        """Checks what everybody sees: the sequence, and that both parties archived the same head."""
        commitment, previous = movement.commitment, movement.previous
        follows = commitment.sequence == previous.sequence + 1
        self.tally.demand(follows, f"{movement}: comes after transaction {previous.sequence}")
        if not movement.agreement.open:
            hashes = _archived_hashes(movement)
            same = {party for party, _ in hashes} == set(_parties(movement)) and len({one for _, one in hashes}) == 1
            self.tally.demand(same, f"{movement}: the parties did not archive the same head")

    def _recompute(
        self, movement: Movement, record: UsageRecord, before: AccountHead, head: AccountHead, terms: Terms
    ) -> None:
        try:
            expected, lines = recompute(movement, record, before, terms)
        except (ContractError, ValueError, KeyError) as error:
            self.tally.fail(f"{movement}: cannot have been charged like this: {error}")
            return
        same_lines = list(record.lines) == lines
        self.tally.demand(same_lines, f"{movement}: {_line_difference(record.lines, lines)}")
        same_head = serialise(expected) == serialise(head)
        self.tally.demand(same_head, f"{movement}: {_head_difference(head, expected)}")


def _parties(movement: Movement) -> tuple[str, str]:
    return movement.agreement.provider_msp_id, movement.agreement.customer_msp_id


def _archived_hashes(movement: Movement) -> set[tuple[str, bytes]]:
    """The member and hash of every head that the transaction put into a private collection."""
    key_hash = sha256(keys.head(movement.agreement_id).name.encode()).digest()
    writes = [write for write in movement.step.transaction.private_writes if write.key_hash == key_hash]
    by_collection = {implicit_collection(party): party for party in _parties(movement)}
    return {(by_collection.get(write.collection, write.collection), write.value_hash) for write in writes}


def _line_difference(archived: Sequence[Line], expected: Sequence[Line]) -> str:
    charged, due = (sum(line.amount_micro for line in lines) for lines in (archived, expected))
    return f"lines of {charged} micro-tokens are archived, the readings and terms come to {due}"


def _head_difference(archived: AccountHead, expected: AccountHead) -> str:
    fields = [field.name for field in AccountHead.DESCRIPTOR.fields]
    differing = [name for name in fields if getattr(archived, name) != getattr(expected, name)]
    return f"the head is another than recomputed, in {', '.join(differing) or 'its bytes'}"
