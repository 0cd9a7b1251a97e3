"""What one transaction changes in a member's view: pure, from the block and the member's own private data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaincode import keys
from chaincode.batch import batch_digest
from chaincode.head import accrued_micro
from chaincode.stub import implicit_collection
from node.ledger.block_reader import Transaction
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.node_pb2 import EventCursor, LedgerNotice, StatementEntry
from zunft.v1.usage_pb2 import AccountHead, Disclosure, SignedBatch, UsageBatch, UsageRecord


@dataclass(frozen=True, slots=True)
class Effects:
    """Of a valid transaction; a value of None deletes the key."""

    public: Mapping[str, bytes | None]
    private: Mapping[str, bytes]
    notice: LedgerNotice
    agreement_id: str
    # Of a two-party transaction that this member was party to.
    entry: StatementEntry | None
    batch_digests: Sequence[bytes]


def effects(transaction: Transaction, block_number: int, msp_id: str) -> Effects:
    """The effects of a valid transaction as `msp_id` sees it."""
    private = _own_private(transaction, msp_id)
    event = LedgerEvent.FromString(transaction.event_payload)
    record = _record(transaction, private)
    return Effects(
        public=transaction.writes,
        private=private,
        notice=_notice(transaction, block_number, event),
        agreement_id=event.agreement_id,
        entry=_entry(transaction, block_number, record) if record else None,
        batch_digests=[batch_digest(signed.batch) for signed in record.batches] if record else [],
    )


def _own_private(transaction: Transaction, msp_id: str) -> dict[str, bytes]:
    """Values of the member's own collection."""
    return {
        write.key: write.value
        for write in transaction.private_writes
        if write.collection == implicit_collection(msp_id) and write.key is not None and write.value
    }


def _record(transaction: Transaction, private: Mapping[str, bytes]) -> UsageRecord | None:
    """The archived record; of an open agreement, put together from the result and the disclosed batches."""
    archived = [value for key, value in private.items() if key.startswith(_RECORDS)]
    if archived:
        return UsageRecord.FromString(archived[0])
    if len(transaction.args) > 1 and any(key.startswith(_COMMITMENTS) for key in transaction.writes):
        record = UsageRecord.FromString(transaction.result)
        record.batches.extend(Disclosure.FromString(transaction.args[1]).batches)
        return record
    return None


def _entry(transaction: Transaction, block_number: int, record: UsageRecord) -> StatementEntry:
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


def _notice(transaction: Transaction, block_number: int, event: LedgerEvent) -> LedgerNotice:
    return LedgerNotice(
        cursor=EventCursor(block_number=block_number, transaction_index=transaction.position),
        tx_id=transaction.tx_id,
        time_us=transaction.time_us,
        name=transaction.event_name or transaction.name,
        event=event,
    )


_RECORDS = keys.record("", 0).name.split("/")[0] + "/"
_COMMITMENTS = keys.commitment("").name
