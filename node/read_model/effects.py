"""The changes that one transaction makes in a member's view: pure, from the block and the member's private data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chaincode import keys
from chaincode.account.head import accrued_micro
from chaincode.account.head_digest import head_digest
from chaincode.readings.batch import batch_digest
from chaincode.stub import implicit_collection
from ledger.belief import (
    Belief,
    FindAgreement,
    Implied,
    believe,
)
from ledger.block_reader import BlockTransaction
from ledger.wire import decode
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.node_pb2 import EventCursor, LedgerNotice, StatementEntry
from zunft.v1.usage_pb2 import AccountHead, Commitment, Disclosure, SignedBatch, UsageBatch, UsageRecord


@dataclass(frozen=True, slots=True)
class Effects:
    """The changes by a valid transaction; a value of None deletes the key. One not from the contract has no notice."""

    public: Mapping[str, bytes | None]
    alarms: tuple[str, ...] = ()
    private: Mapping[str, bytes] | None = None
    notice: LedgerNotice | None = None
    agreement_id: str = ""
    # The statement's entry of a two-party transaction of this member.
    entry: StatementEntry | None = None
    batch_digests: Sequence[bytes] = ()


def effects(transaction: BlockTransaction, block_number: int, msp_id: str, find_agreement: FindAgreement) -> Effects:
    """The effects of a valid transaction as `msp_id` sees it, also of one with senseless content."""
    belief = believe(transaction, Implied(transaction), find_agreement)
    if not belief.is_contracts:
        return Effects(transaction.writes, belief.alarms)
    believed = belief.transaction
    event = decode(LedgerEvent, believed.event_payload)
    private = _own_private(believed, msp_id)
    known = Effects(
        public=transaction.writes,
        alarms=belief.alarms,
        private=private,
        notice=_notice(believed, block_number, event),
        agreement_id=event.agreement_id,
    )
    try:
        return _with_record(known, belief, block_number, msp_id)
    except Exception as error:  # the parties can have archived anything
        alarm = f"{_where(believed)}: its record cannot be read ({type(error).__name__})"
        return replace(known, alarms=(*known.alarms, alarm))


def _where(transaction: BlockTransaction) -> str:
    """The transaction's id, name and author, for an alarm."""
    return f"transaction {transaction.tx_id[:12]} {transaction.name} by {transaction.creator.msp_id}"


def _own_private(transaction: BlockTransaction, msp_id: str) -> dict[str, bytes]:
    """The values of the member's own collection, by key."""
    return {
        write.key: write.value
        for write in transaction.private_writes
        if write.collection == implicit_collection(msp_id) and write.key is not None and write.value
    }


def _with_record(known: Effects, belief: Belief, block_number: int, msp_id: str) -> Effects:
    """The effects with the content of the record, where the transaction moved one of the member's accounts on.

    Records of other members' accounts do not count: others may publish a batch of the member without charging it.
    """
    transaction = belief.transaction
    written = transaction.writes.get(keys.commitment(belief.agreement_id).name)
    if written is None or msp_id not in belief.parties:
        return known
    commitment = decode(Commitment, written)
    record = _record(transaction, known.private or {}, keys.record(belief.agreement_id, commitment.sequence).name)
    if record is None:
        return known
    if head_digest(record.head) != commitment.head_digest:
        return replace(
            known, alarms=(*known.alarms, f"{_where(transaction)}: its record has not the head on the ledger")
        )
    if AccountHead.FromString(record.head).sequence != commitment.sequence or commitment.sequence >= 2**63:
        return replace(known, alarms=(*known.alarms, f"{_where(transaction)}: its head has another number"))
    digests = [batch_digest(signed.batch) for signed in record.batches]
    return replace(known, entry=_entry(transaction, block_number, record), batch_digests=digests)


def _record(transaction: BlockTransaction, private: Mapping[str, bytes], key: str) -> UsageRecord | None:
    """The archived record, or for an open agreement one made from result and disclosed batches; None if absent."""
    if key in private:
        return decode(UsageRecord, private[key])
    if len(transaction.args) > 1:
        record = decode(UsageRecord, transaction.result)
        record.batches.extend(decode(Disclosure, transaction.args[1]).batches)
        return record
    return None


def _entry(transaction: BlockTransaction, block_number: int, record: UsageRecord) -> StatementEntry:
    head = AccountHead.FromString(record.head)
    entry = StatementEntry(
        sequence=head.sequence,
        transaction=record.transaction,
        tx_id=transaction.tx_id,
        block_number=block_number,
        time_us=transaction.time_us,
        amount_micro=sum(line.amount_micro for line in record.lines),
        accrued_micro=accrued_micro(head),
        lines=record.lines,
        reading_count=_reading_count(record.batches),
        terms_version=record.terms_version,
    )
    if record.HasField("correction"):
        entry.correction.CopyFrom(record.correction)
    if record.HasField("claim"):
        entry.claim.CopyFrom(record.claim)
    return entry


def _reading_count(batches: Iterable[SignedBatch]) -> int:
    return sum(UsageBatch.FromString(signed.batch).reading_count for signed in batches)


def _notice(transaction: BlockTransaction, block_number: int, event: LedgerEvent) -> LedgerNotice:
    return LedgerNotice(
        cursor=EventCursor(block_number=block_number, transaction_index=transaction.position),
        tx_id=transaction.tx_id,
        time_us=transaction.time_us,
        name=transaction.name,
        event=event,
    )
