"""Conditions on the part of an account that its two parties keep: commitment, head, terms and archive.

Two hostile parties can write anything there. So each of these functions reports violations by the name of the account,
takes nothing that stands there for granted, and does not fail on records that cannot be read.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from google.protobuf.message import DecodeError, Message

from chaincode import keys
from chaincode.account.account import (
    claimed,
    is_unclaimed,
)
from chaincode.account.head import accrued_micro
from chaincode.account.head_digest import head_digest
from chaincode.errors import HeadMismatch
from tests.harness.invariants import WorldState, readable
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account
from zunft.v1.agreement_pb2 import Agreement, Terms
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE, INVOICE_KIND_INVOICE, Invoice
from zunft.v1.usage_pb2 import AccountHead, Claim, Commitment, UsageBatch, UsageRecord

# The account's name, and a sentence on the violation.
Violations = Iterator[tuple[str, str]]


def account_violations(state: WorldState) -> dict[str, list[str]]:
    """All violations in the records that two parties keep, by their account; empty if there are none."""
    by_account: dict[str, list[str]] = defaultdict(list)
    for invariant in ACCOUNT_INVARIANTS:
        for agreement_id, text in invariant(state):
            by_account[agreement_id].append(text)
    return dict(by_account)


def what_the_parties_wrote_can_be_read(state: WorldState) -> Violations:
    """Every record of the two parties is a message, on the channel and in their archives."""
    kinds: dict[str, type[Message]] = {"commitment": Commitment, "head": AccountHead}
    for noun, kind in kinds.items():
        for agreement_id in state.names(noun):
            if readable(kind, state.public[f"{noun}/{agreement_id}"]) is None:
                yield agreement_id, f"{noun}/{agreement_id} is no message"
    kinds = {"head": AccountHead, "terms": Terms, "record": UsageRecord, "claim": Claim}
    for noun, kind in kinds.items():
        for agreement_id, archived in state.archived(noun).items():
            for key in archived:
                if readable(kind, state.private[key]) is None:
                    yield agreement_id, f"{key} is no message"


def terms_are_archived(state: WorldState) -> Violations:
    """Each party can show the terms in force: the archived ones have the digest that is on the channel."""
    for agreement in state.records("agreement", Agreement):
        for reference in (*agreement.superseded, agreement.terms):
            key = keys.terms(agreement.agreement_id, reference.version).name
            value = state.private.get(key, state.public.get(key))
            if reference.version and value and hashlib.sha256(value).digest() != reference.digest:
                yield agreement.agreement_id, f"{key} is not what both parties accepted"


def heads_match_commitments(state: WorldState) -> Violations:
    """The digest on the channel is that of the head that both parties archived."""
    for agreement_id, commitment in state.commitments():
        key = keys.head(agreement_id).name
        head = state.private.get(key) or state.public.get(key)
        if commitment.sequence and head and _digest_of(head) != commitment.head_digest:
            yield agreement_id, f"head of {agreement_id} is not the committed one"


def usage_is_covered(state: WorldState) -> Violations:
    """accrued <= funded - withdrawn + the highest credit limit so far: nobody takes back a charged amount.

    Each debit was covered when it was made. An amendment may lower the limit later, so the one in force is not enough.
    """
    commitments = dict(state.commitments())
    for account in state.records("account", Account):
        head = state.find_private(keys.head(account.agreement_id))
        if _is_given_up(account, commitments.get(account.agreement_id)):
            continue
        versions = _terms_in_force_so_far(state, account.agreement_id)
        if head is None or not versions:
            continue
        limit_micro = (
            account.funded_micro - account.withdrawn_micro + max(terms.credit_limit_micro for terms in versions)
        )
        if accrued_micro(head) > limit_micro:
            yield account.agreement_id, f"accrued are {accrued_micro(head)}, covered are {limit_micro}"


def records_are_gap_free(state: WorldState) -> Violations:
    """A confidential account's archive holds every two-party transaction, 1, 2, 3 … up to its commitment."""
    sequences = {agreement_id: commitment.sequence for agreement_id, commitment in state.commitments()}
    for agreement_id, found in state.archived("record").items():
        sequence = sequences.get(agreement_id, 0)
        # The sequence that the parties claim may be any number.
        if len(found) != sequence or found != _numbered(agreement_id, sequence):
            yield agreement_id, f"the archive has {len(found)} records, the commitment stands at {sequence}"


def streams_are_gap_free(state: WorldState) -> Violations:
    """The archived batches of a stream follow one another and end where its head says."""
    for agreement_id, archived in state.archived("record").items():
        expected: dict[str, int] = defaultdict(lambda: 1)
        digests: dict[str, bytes] = defaultdict(bytes)
        for key, data in _archived_batches(state, archived):
            batch = readable(UsageBatch, data) or UsageBatch()
            meter_id = batch.meter_id
            stands = (batch.agreement_id, batch.first_sequence, batch.previous_digest)
            if stands != (agreement_id, expected[meter_id], digests[meter_id]):
                yield agreement_id, f"{key}: batch of {meter_id!r} does not follow"
            expected[meter_id] += batch.reading_count
            digests[meter_id] = hashlib.sha256(data).digest()
        head = state.find_private(keys.head(agreement_id))
        heads = {stream.meter_id: stream.next_sequence for stream in head.streams} if head else {}
        for meter_id, next_sequence in sorted(expected.items()):
            if heads.get(meter_id) != next_sequence:
                yield agreement_id, f"stream {meter_id!r} is at {heads.get(meter_id)}, its batches at {next_sequence}"


def open_lines_sum_to_unclaimed(state: WorldState) -> Violations:
    """The lines since the last claim add up to the amount accrued since; those of a head claimed alone are billed."""
    accounts = {account.agreement_id: account for account in state.records("account", Account)}
    for agreement_id, commitment in state.commitments():
        account, head = accounts.get(agreement_id, Account()), state.find_private(keys.head(agreement_id))
        if head is None or head.sequence == account.shown.sequence:
            continue
        before = claimed(account, commitment)
        usage = sum(line.amount_micro for line in head.open_lines)
        correction = sum(line.amount_micro for line in head.open_correction_lines)
        if usage != head.usage_micro - before.usage_micro:
            yield agreement_id, f"open lines of {agreement_id} add up to {usage}"
        if correction != head.correction_micro - before.correction_micro:
            yield agreement_id, f"open correction lines of {agreement_id} add up to {correction}"


def what_is_claimed_alone_is_the_head_s(state: WorldState) -> Violations:
    """The amounts that one party claimed alone are the endorsed head's, and its invoices are the head's lines."""
    invoices = list(state.records("invoice", Invoice))
    for account in state.records("account", Account):
        head = state.find_private(keys.head(account.agreement_id))
        if head is None or not head.sequence or head.sequence != account.shown.sequence:
            continue
        shown = (account.shown.usage_micro, account.shown.correction_micro)
        if shown != (head.usage_micro, head.correction_micro):
            yield account.agreement_id, f"shown are {shown}, the head says something else"
        lines = sum(line.amount_micro for line in (*head.open_lines, *head.open_correction_lines))
        own = [one for one in invoices if one.agreement_id == account.agreement_id]
        billed = sum(_billed_micro(one) for one in own if one.head_sequence == head.sequence)
        invoiced = (account.invoiced_usage_micro, account.invoiced_correction_micro)
        if invoiced == shown and billed != lines:
            yield account.agreement_id, f"billed are {billed} for lines of {lines}"


def claims_add_up(state: WorldState) -> Violations:
    """A claim's lines add up to its amounts."""
    for agreement_id, archived in state.archived("claim").items():
        for key in archived:
            claim = readable(Claim, state.private[key]) or Claim()
            usage = sum(line.amount_micro for line in claim.lines)
            correction = sum(line.amount_micro for line in claim.correction_lines)
            if (usage, correction) != (claim.usage_micro, claim.correction_micro):
                yield agreement_id, f"lines of {key} add up to {usage} and {correction}"


def claims_sum_to_commitment(state: WorldState) -> Violations:
    """The archived claims and the bills of heads add up to the claimed amount on the channel."""
    of_heads = [invoice for invoice in state.records("invoice", Invoice) if invoice.head_sequence]
    archived = state.archived("claim")
    for agreement_id, commitment in state.commitments():
        values = [state.private[key] for key in archived.get(agreement_id, [])][: commitment.claim_number]
        if not values or len(values) < commitment.claim_number:
            continue
        claims = [readable(Claim, value) or Claim() for value in values]
        total = sum(one.usage_micro + one.correction_micro for one in claims) + sum(
            _billed_micro(one)
            for one in of_heads
            if one.agreement_id == agreement_id and one.head_sequence < commitment.claimed_sequence
        )
        if total != commitment.claimed_usage_micro + commitment.claimed_correction_micro:
            yield agreement_id, f"claims of {agreement_id} add up to {total}"
        if hashlib.sha256(values[-1]).digest() != commitment.claim_digest:
            yield agreement_id, f"the last claim of {agreement_id} is not the committed one"


ACCOUNT_INVARIANTS: tuple[Callable[[WorldState], Violations], ...] = (
    what_the_parties_wrote_can_be_read,
    terms_are_archived,
    heads_match_commitments,
    usage_is_covered,
    records_are_gap_free,
    streams_are_gap_free,
    open_lines_sum_to_unclaimed,
    what_is_claimed_alone_is_the_head_s,
    claims_add_up,
    claims_sum_to_commitment,
)


# --- details ----------------------------------------------------------------------------------------------------------


def _is_given_up(account: Account, commitment: Commitment | None) -> bool:
    """Whether the issuer has closed it for a member that is gone, and nobody has claimed the last head's amounts."""
    is_closed = account.status == ACCOUNT_STATUS_CLOSED
    return is_closed and commitment is not None and is_unclaimed(account, commitment)


def _digest_of(head: bytes) -> bytes:
    """The digest of a head; empty where the bytes are no head."""
    try:
        return head_digest(head)
    except (DecodeError, HeadMismatch):
        return b""


def _numbered(agreement_id: str, sequence: int) -> list[str]:
    return [keys.record(agreement_id, number).name for number in range(1, sequence + 1)]


def _archived_batches(state: WorldState, archived: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for key in archived:
        record = readable(UsageRecord, state.private[key]) or UsageRecord()
        for signed in record.batches:
            yield key, signed.batch


def _billed_micro(invoice: Invoice) -> int:
    """The amount that the invoice adds to the bill; goodwill does not change the bill."""
    signs = {INVOICE_KIND_INVOICE: 1, INVOICE_KIND_CREDIT_NOTE: -1}
    return signs.get(invoice.kind, 0) * invoice.amount_micro


def _terms_in_force_so_far(state: WorldState, agreement_id: str) -> list[Terms]:
    """Every accepted version that the checker may see."""
    agreement = Agreement.FromString(state.public[keys.agreement(agreement_id).name])
    versions = [reference.version for reference in (*agreement.superseded, agreement.terms)]
    found = [state.find_private(keys.terms(agreement_id, version)) for version in versions]
    return [terms for terms in found if terms is not None]
