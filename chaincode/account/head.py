"""The account head: the state of a meter account, and how a two-party transaction changes it.

Only the two parties know the head. The submitter of a transaction discloses the terms and the head before it to both
endorsers, which check them against the digests on the ledger; the channel gets the digest of the head after it.
Reading the head from a private collection instead would make the two endorsers' read sets differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.account import without_claimed_lines
from chaincode.account.commitment import MAX_ACCRUED_MICRO
from chaincode.account.cut_off import (
    CutOff,
    earlier_cut_offs,
)
from chaincode.account.head_digest import (
    proven_head,
    seal,
    sealed_bytes,
)
from chaincode.account.withdrawal import covered_micro
from chaincode.checks import format_amount
from chaincode.errors import (
    AmountOutOfRange,
    HeadMismatch,
    HeadTooLarge,
    InsufficientFunds,
    MalformedRequest,
    RecordTooLarge,
    TermsMismatch,
    WrongStatus,
)
from chaincode.keys import Key
from chaincode.limits import HEAD_BYTES, RECORD_BYTES
from chaincode.rating import add_in_place, kept_names, only
from chaincode.recent import MOST_CHANGES, check_not_too_often
from chaincode.rights.relation import possible_relations
from chaincode.transaction_context import Loaded, TransactionContext, parse, serialise
from zunft.v1.account_pb2 import ACCOUNT_STATUS_OPEN, Account, RecentChanges
from zunft.v1.agreement_pb2 import Agreement, Terms, TermsReference
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import AccountHead, Commitment, Disclosure, StreamHead, UsageReceipt, UsageRecord

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

# Where a confidential agreement's transient map carries the Disclosure; an open one's is the second argument.
DISCLOSURE = "disclosure"
# For each party within an hour: enough for twenty proposals that it takes back again.
MOST_OWN_MOVES = 2 * MOST_CHANGES


@dataclass(frozen=True)
class Standing:
    """Everything that a two-party transaction starts from, checked against the ledger."""

    agreement: Agreement
    account: Account
    commitment: Commitment
    terms: Terms
    head: AccountHead
    # The cut-offs of earlier terms, as far as they were disclosed.
    earlier: tuple[CutOff, ...] = ()

    @property
    def parties(self) -> tuple[str, str]:
        return self.agreement.provider_msp_id, self.agreement.customer_msp_id

    @cached_property
    def meter_ids(self) -> frozenset[str]:
        """The agreement's meters."""
        return frozenset(self.terms.meter_ids)

    def head_to_move(self) -> AccountHead:
        """A copy of the head for COMPUTE, which must not change its input."""
        head = AccountHead()
        head.CopyFrom(self.head)
        return head


def read_disclosure(tx: TransactionContext) -> Disclosure:
    """The submitter's disclosure. Raises MalformedRequest."""
    data = tx.stub.args[2] if len(tx.stub.args) > 2 else tx.stub.transient.get(DISCLOSURE)
    if data is None:
        raise MalformedRequest(f"the disclosure is missing: put it into the transient field {DISCLOSURE!r}")
    return parse(Disclosure, data, "the disclosure")


async def load_standing(
    tx: TransactionContext, agreement_id: str, disclosure: Disclosure, *more: Key[Message]
) -> tuple[Standing, Loaded]:
    """Does LOAD and CHECK of every two-party transaction; the caller must be of one of the two parties.

    Raises NotFound, Forbidden, WrongStatus, MalformedRequest, TermsMismatch or HeadMismatch.
    """
    account_key, agreement_key = keys.account(agreement_id), keys.agreement(agreement_id)
    commitment_key = keys.commitment(agreement_id)
    loaded = await tx.load(account_key, agreement_key, commitment_key, *more)
    agreement, account = loaded.require(agreement_key), loaded.require(account_key)
    commitment = loaded.require(commitment_key)

    tx.check_relation(*possible_relations(agreement))
    if account.status != ACCOUNT_STATUS_OPEN:
        raise WrongStatus(f"the account of {agreement_id} is closed")
    _check_travels_as_agreed(tx, agreement)
    terms = _check_terms(disclosure.terms, agreement.terms)
    if terms.agreement_id != agreement_id:
        raise TermsMismatch(f"the terms are those of agreement {terms.agreement_id[:64]!r}")
    head = without_claimed_lines(_check_head(disclosure.head, commitment, terms), account)
    if head.terms_version != terms.version:
        head = _move_to_amended(head, terms, agreement, disclosure.superseded_terms)
    earlier = earlier_cut_offs(agreement, disclosure.earlier_terms)
    return Standing(agreement, account, commitment, terms, head, earlier), loaded


def own_moves(tx: TransactionContext, standing: Standing) -> RecentChanges:
    """The caller's recent changes of the account by its member alone; changed in place, and written by `write_head`."""
    is_provider = tx.caller.msp_id == standing.agreement.provider_msp_id
    return standing.commitment.provider_moves if is_provider else standing.commitment.customer_moves


def check_may_move(tx: TransactionContext, standing: Standing) -> None:
    """Checks that the caller's member has not changed the account alone too often of late. Raises TooOften.

    The other party's peer endorses its proposals automatically, and everything that the other party sends at the same
    time conflicts.
    """
    deed = f"{tx.caller.msp_id} has moved the account of {standing.agreement.agreement_id} on"
    check_not_too_often(own_moves(tx, standing), tx.timestamp_s, deed, MOST_OWN_MOVES)


def check_funds(standing: Standing, head: AccountHead, time_us: int) -> None:
    """Checks that the accrued amount does not exceed the funds and the credit limit. Raises InsufficientFunds.

    `time_us` is the time of the latest reading that is charged: after a notice its amount is not available any more.
    """
    before_micro, after_micro = accrued_micro(standing.head), accrued_micro(head)
    limit_micro = covered_micro(standing.account, standing.agreement, time_us) + standing.terms.credit_limit_micro
    if after_micro > before_micro and after_micro > limit_micro:
        raise InsufficientFunds(
            f"the account of {head.agreement_id} lacks {format_amount(after_micro - limit_micro)} tokens: "
            "stop the machine and have the customer fund the account"
        )


def check_room(standing: Standing, record: UsageRecord) -> None:
    """Checks that head and record stay within their limits. An older head that is beyond them may stay, but not grow.

    Raises HeadTooLarge, RecordTooLarge.
    """
    head_bytes, record_bytes = len(record.head), record.ByteSize()
    if head_bytes <= HEAD_BYTES and record_bytes <= RECORD_BYTES:
        return
    before_bytes = sealed_bytes(standing.head)
    if head_bytes > max(HEAD_BYTES, before_bytes):
        raise HeadTooLarge(
            f"the account's head would have {head_bytes} bytes, {HEAD_BYTES} is the most: claim what is "
            "open, answer the pending corrections, or divide the meters among several agreements"
        )
    # A claim holds the old head's lines, and its record the new head as well.
    most = RECORD_BYTES + 2 * max(0, before_bytes - HEAD_BYTES)
    if record_bytes > most:
        raise RecordTooLarge(
            f"the transaction's record would have {record_bytes} bytes, {most} is the most: send fewer batches at once"
        )


def write_head(tx: TransactionContext, standing: Standing, head: AccountHead, record: UsageRecord) -> Message:
    """Does WRITE of every two-party transaction: the commitment, and the record for both parties' archives.

    Returns the part that everybody may see: a UsageReceipt, or in an open agreement the UsageRecord without batches.
    """
    head.sequence += 1
    record.head, digest = seal(head, standing.terms.salt)
    record.terms_version = standing.terms.version
    check_room(standing, record)
    receipt = UsageReceipt(agreement_id=head.agreement_id, sequence=head.sequence, head_digest=digest)
    standing.commitment.sequence = receipt.sequence
    standing.commitment.head_digest = receipt.head_digest
    tx.put(keys.commitment(head.agreement_id), standing.commitment)
    if standing.agreement.open:
        tx.put_bytes(keys.head(head.agreement_id), record.head)
    tx.emit(record.transaction, msp_ids=standing.parties, agreement_id=head.agreement_id)
    if standing.agreement.open:
        del record.batches[:]
        return record
    _archive(tx, standing, head, record)
    return receipt


def accrued_micro(head: AccountHead) -> int:
    """All usage and corrections so far, in micro-tokens."""
    return head.usage_micro + head.correction_micro


def checked_accrual(amount_micro: int) -> int:
    """The amount, if the head can hold it. Raises AmountOutOfRange."""
    if abs(amount_micro) >= MAX_ACCRUED_MICRO:
        raise AmountOutOfRange(f"an account cannot come to more than {format_amount(MAX_ACCRUED_MICRO)} tokens")
    return amount_micro


def find_stream(head: AccountHead, meter_id: str) -> StreamHead:
    """The meter's stream within the head; a new one is begun."""
    return find_streams(head, [meter_id])[meter_id]


def find_streams(head: AccountHead, meter_ids: Iterable[str]) -> dict[str, StreamHead]:
    """The meters' streams within the head; new ones are begun, and streams stay sorted by meter."""
    streams = {stream.meter_id: stream for stream in head.streams}
    new = sorted(set(meter_ids) - streams.keys())
    for meter_id in new:
        streams[meter_id] = head.streams.add(meter_id=meter_id, next_sequence=1)
    if new:
        head.streams.sort(key=attrgetter("meter_id"))
    return streams


def add_open_lines(open_lines: RepeatedCompositeFieldContainer[Line], lines: Sequence[Line]) -> None:
    """Adds lines to those since the last claim, in place."""
    add_in_place(open_lines, lines)


def _archive(tx: TransactionContext, standing: Standing, head: AccountHead, record: UsageRecord) -> None:
    tx.put_private(keys.record(head.agreement_id, head.sequence), serialise(record), standing.parties)
    tx.put_private(keys.head(head.agreement_id), record.head, standing.parties)
    if record.HasField("claim"):
        claim_key = keys.claim(head.agreement_id, record.claim.number)
        tx.put_private(claim_key, serialise(record.claim), standing.parties)


def _check_travels_as_agreed(tx: TransactionContext, agreement: Agreement) -> None:
    if agreement.open != (len(tx.stub.args) > 2):
        how = "as argument, the agreement is open" if agreement.open else "as transient data, the agreement is not open"
        raise MalformedRequest(f"the disclosure must travel {how}")


def _check_terms(data: bytes, reference: TermsReference) -> Terms:
    if hashlib.sha256(data).digest() != reference.digest:
        raise TermsMismatch(f"the disclosed terms are not version {reference.version}, which is in force")
    return Terms.FromString(data)


def _check_head(data: bytes, commitment: Commitment, terms: Terms) -> AccountHead:
    """The disclosed head. Before the first transaction there is none to disclose, and nothing has accrued."""
    if commitment.sequence == 0:
        if data:
            raise HeadMismatch("before the account's first transaction there is no head to disclose")
        return AccountHead(agreement_id=terms.agreement_id, terms_version=terms.version)
    return proven_head(data, commitment)


def _move_to_amended(head: AccountHead, terms: Terms, agreement: Agreement, superseded: bytes) -> AccountHead:
    """The head under amended terms: unchanged components go on counting, changed ones begin at zero."""
    [reference] = [old for old in agreement.superseded if old.version == head.terms_version]
    old_terms = _check_terms(superseded, reference)
    moved = AccountHead()
    moved.CopyFrom(head)
    names = kept_names(old_terms.tariff, terms.tariff)
    for stream in moved.streams:
        stream.rating.CopyFrom(only(stream.rating, names))
    moved.rating.CopyFrom(only(head.rating, names))
    moved.terms_version = terms.version
    return moved
