"""What must hold after every transaction: small pure functions over a whole state, each a list of violations.

Tests and simulation run them after each transaction; an audit runs those that need only what it can see.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account import claimed, escrow_micro
from chaincode.ballot import count
from chaincode.electorate import Electorate
from chaincode.head import accrued_micro
from chaincode.head_digest import head_digest
from chaincode.identifiers import distinct_value
from chaincode.membership import ABSENT
from zunft.v1.account_pb2 import ACCOUNT_STATUS_OPEN, Account
from zunft.v1.agreement_pb2 import Agreement, Terms
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE, INVOICE_KIND_GOODWILL, INVOICE_KIND_INVOICE, Invoice
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, Member
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, Meter
from zunft.v1.token_pb2 import (
    REDEMPTION_STATUS_CONFIRMED,
    REDEMPTION_STATUS_HELD,
    Balance,
    MintRecord,
    Redemption,
)
from zunft.v1.usage_pb2 import Claim, Commitment, UsageBatch, UsageRecord

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class State:
    """All keys and values: of the channel, and of the private collections that the checker may see (merged)."""

    public: Mapping[str, bytes]
    private: Mapping[str, bytes]

    def records(self, noun: str, message: type[M]) -> Iterator[M]:
        """The public records of one noun, in key order."""
        for key in sorted(self.public):
            if key.startswith(f"{noun}/"):
                yield message.FromString(self.public[key])

    def find_private(self, key: keys.Key[M]) -> M | None:
        """A private record, or the open one at the same key."""
        value = self.private.get(key.name, self.public.get(key.name))
        return None if value is None else key.message.FromString(value)


def violations(state: State) -> list[str]:
    """Everything that does not hold; empty if all is well."""
    return [violation for invariant in INVARIANTS for violation in invariant(state)]


def tokens_are_conserved(state: State) -> Iterator[str]:
    """minted - burned = balances + escrows + holds + deposits."""
    supply = keys.SUPPLY.message.FromString(state.public.get(keys.SUPPLY.name, b""))
    balances = sum(balance.amount_micro for balance in state.records("balance", Balance))
    escrows = sum(escrow_micro(account) for account in state.records("account", Account))
    holds = sum(
        one.amount_micro for one in state.records("redemption", Redemption) if one.status == REDEMPTION_STATUS_HELD
    )
    deposits = sum(member.deposit_micro for member in state.records("member", Member))
    circulating = supply.minted_micro - supply.burned_micro
    if circulating != balances + escrows + holds + deposits:
        yield f"{circulating} circulating, balances {balances}, escrows {escrows}, holds {holds}, deposits {deposits}"


def supply_matches_its_records(state: State) -> Iterator[str]:
    """What was minted is the sum of the bank's credits, what was burned the sum of confirmed redemptions."""
    supply = keys.SUPPLY.message.FromString(state.public.get(keys.SUPPLY.name, b""))
    minted = sum(record.amount_micro for record in state.records("mint", MintRecord))
    burned = sum(
        one.amount_micro for one in state.records("redemption", Redemption) if one.status == REDEMPTION_STATUS_CONFIRMED
    )
    if (supply.minted_micro, supply.burned_micro) != (minted, burned):
        yield f"supply is {supply.minted_micro} less {supply.burned_micro}, the records say {minted} less {burned}"


def nothing_is_negative(state: State) -> Iterator[str]:
    """No balance, no escrow and no deposit is overdrawn."""
    for balance in state.records("balance", Balance):
        if balance.amount_micro < 0:
            yield f"balance of {balance.msp_id} is {balance.amount_micro}"
    for account in state.records("account", Account):
        if escrow_micro(account) < 0:
            yield f"escrow of {account.agreement_id} is {escrow_micro(account)}"
    for member in state.records("member", Member):
        if member.deposit_micro < 0:
            yield f"deposit of {member.msp_id} is {member.deposit_micro}"


def heads_match_commitments(state: State) -> Iterator[str]:
    """The digest on the channel is that of the head that both parties archived."""
    for commitment in state.records("commitment", Commitment):
        head = state.private.get(keys.head(commitment.agreement_id).name) or state.public.get(
            keys.head(commitment.agreement_id).name
        )
        if commitment.sequence and head and head_digest(head) != commitment.head_digest:
            yield f"head of {commitment.agreement_id} is not the committed one"


def usage_is_covered(state: State) -> Iterator[str]:
    """accrued <= funded - withdrawn + the highest credit limit so far: nobody takes back what was charged.

    Each debit was covered when it was made. Afterwards an amendment may lower the limit: that in force does not count.
    """
    for account in state.records("account", Account):
        head = state.find_private(keys.head(account.agreement_id))
        versions = _terms_in_force_so_far(state, account.agreement_id)
        if head is None or not versions:
            continue
        limit_micro = (
            account.funded_micro - account.withdrawn_micro + max(terms.credit_limit_micro for terms in versions)
        )
        if accrued_micro(head) > limit_micro:
            yield f"{account.agreement_id} accrued {accrued_micro(head)}, covered are {limit_micro}"


def nothing_is_paid_without_invoice(state: State) -> Iterator[str]:
    """paid <= invoiced: tokens leave an escrow for the provider only against a document.

    What a provider could not give back of what fell later is noted as owed.
    """
    for account in state.records("account", Account):
        invoiced_micro = account.invoiced_usage_micro + account.invoiced_correction_micro
        if account.paid_micro - account.owed_back_micro > max(invoiced_micro, 0):
            yield f"{account.agreement_id} paid {account.paid_micro}, invoiced are {invoiced_micro}"


def refunds_owed_are_counted(state: State) -> Iterator[str]:
    """A provider's balance says what it owes all its accounts."""
    owed: dict[str, int] = defaultdict(int)
    for account in state.records("account", Account):
        owed[account.provider_msp_id] += account.owed_back_micro
    for balance in state.records("balance", Balance):
        if balance.owed_micro != owed.pop(balance.msp_id, 0):
            yield f"{balance.msp_id} owes {balance.owed_micro}, its accounts say something else"
    for msp_id, owed_micro in sorted(owed.items()):
        if owed_micro:
            yield f"{msp_id} owes {owed_micro}, and has no balance that says so"


def terms_are_archived(state: State) -> Iterator[str]:
    """Whoever is a party can show the terms in force: the archived ones have the digest that is on the channel."""
    for agreement in state.records("agreement", Agreement):
        for reference in (*agreement.superseded, agreement.terms):
            key = keys.terms(agreement.agreement_id, reference.version).name
            value = state.private.get(key, state.public.get(key))
            if reference.version and value and hashlib.sha256(value).digest() != reference.digest:
                yield f"{key} is not what both parties accepted"


def records_are_gap_free(state: State) -> Iterator[str]:
    """A confidential account's archive holds every two-party transaction, 1, 2, 3 … up to its commitment."""
    archived: dict[str, list[str]] = defaultdict(list)
    for key in sorted(key for key in state.private if key.startswith("record/")):
        archived[key.split("/")[1]].append(key)
    for agreement_id, found in archived.items():
        commitment = keys.commitment(agreement_id).message.FromString(state.public[keys.commitment(agreement_id).name])
        wanted = [keys.record(agreement_id, number).name for number in range(1, commitment.sequence + 1)]
        if found != wanted:
            yield f"the archive of {agreement_id} has {len(found)} records, its commitment stands at {len(wanted)}"


def streams_are_gap_free(state: State) -> Iterator[str]:
    """The archived batches of a stream follow one another and end where its head says."""
    expected: dict[tuple[str, str], int] = defaultdict(lambda: 1)
    digests: dict[tuple[str, str], bytes] = defaultdict(bytes)
    for key in sorted(key for key in state.private if key.startswith("record/")):
        for signed in UsageRecord.FromString(state.private[key]).batches:
            batch = UsageBatch.FromString(signed.batch)
            stream = (batch.agreement_id, batch.meter_id)
            if (batch.first_sequence, batch.previous_digest) != (expected[stream], digests[stream]):
                yield f"{key}: batch of {batch.meter_id} does not follow"
            expected[stream] += batch.reading_count
            digests[stream] = hashlib.sha256(signed.batch).digest()
    for (agreement_id, meter_id), next_sequence in sorted(expected.items()):
        head = state.find_private(keys.head(agreement_id))
        heads = {stream.meter_id: stream.next_sequence for stream in head.streams} if head else {}
        if heads.get(meter_id) != next_sequence:
            yield f"stream {meter_id} of {agreement_id} is at {heads.get(meter_id)}, its batches at {next_sequence}"


def open_lines_sum_to_unclaimed(state: State) -> Iterator[str]:
    """The lines since the last claim add up to what has accrued since; those of a head claimed alone are billed."""
    accounts = {account.agreement_id: account for account in state.records("account", Account)}
    for commitment in state.records("commitment", Commitment):
        account, head = accounts[commitment.agreement_id], state.find_private(keys.head(commitment.agreement_id))
        if head is None or head.sequence == account.shown.sequence:
            continue
        before = claimed(account, commitment)
        usage = sum(line.amount_micro for line in head.open_lines)
        correction = sum(line.amount_micro for line in head.open_correction_lines)
        if usage != head.usage_micro - before.usage_micro:
            yield f"open lines of {commitment.agreement_id} add up to {usage}"
        if correction != head.correction_micro - before.correction_micro:
            yield f"open correction lines of {commitment.agreement_id} add up to {correction}"


def what_is_claimed_alone_is_the_head_s(state: State) -> Iterator[str]:
    """One party claims what the head says that both endorsed, and its invoices are the head's lines."""
    invoices = list(state.records("invoice", Invoice))
    for account in state.records("account", Account):
        head = state.find_private(keys.head(account.agreement_id))
        if head is None or not head.sequence or head.sequence != account.shown.sequence:
            continue
        shown = (account.shown.usage_micro, account.shown.correction_micro)
        if shown != (head.usage_micro, head.correction_micro):
            yield f"{account.agreement_id} has shown {shown}, its head says something else"
        lines = sum(line.amount_micro for line in (*head.open_lines, *head.open_correction_lines))
        own = [one for one in invoices if one.agreement_id == account.agreement_id]
        billed = sum(_billed_micro(one) for one in own if one.head_sequence == head.sequence)
        invoiced = (account.invoiced_usage_micro, account.invoiced_correction_micro)
        if invoiced == shown and billed != lines:
            yield f"{account.agreement_id} is billed {billed} for lines of {lines}"


def claims_add_up(state: State) -> Iterator[str]:
    """A claim's lines are its amounts."""
    for key in sorted(key for key in state.private if key.startswith("claim/")):
        claim = Claim.FromString(state.private[key])
        usage = sum(line.amount_micro for line in claim.lines)
        correction = sum(line.amount_micro for line in claim.correction_lines)
        if (usage, correction) != (claim.usage_micro, claim.correction_micro):
            yield f"lines of {key} add up to {usage} and {correction}"


def claims_sum_to_commitment(state: State) -> Iterator[str]:
    """The archived claims and what was billed of heads are what the channel says is claimed."""
    of_heads = [invoice for invoice in state.records("invoice", Invoice) if invoice.head_sequence]
    for commitment in state.records("commitment", Commitment):
        claim_keys = [
            keys.claim(commitment.agreement_id, number).name for number in range(1, commitment.claim_number + 1)
        ]
        values = [state.private[key] for key in claim_keys if key in state.private]
        if not values or len(values) < len(claim_keys):
            continue
        claims = [Claim.FromString(value) for value in values]
        total = sum(one.usage_micro + one.correction_micro for one in claims) + sum(
            _billed_micro(one)
            for one in of_heads
            if one.agreement_id == commitment.agreement_id and one.head_sequence < commitment.claimed_sequence
        )
        if total != commitment.claimed_usage_micro + commitment.claimed_correction_micro:
            yield f"claims of {commitment.agreement_id} add up to {total}"
        if hashlib.sha256(values[-1]).digest() != commitment.claim_digest:
            yield f"the last claim of {commitment.agreement_id} is not the committed one"


def invoices_sum_to_claims(state: State) -> Iterator[str]:
    """Invoices less credit notes are what was claimed and settled."""
    billed: dict[str, int] = defaultdict(int)
    for invoice in state.records("invoice", Invoice):
        if invoice.kind == INVOICE_KIND_INVOICE:
            billed[invoice.agreement_id] += invoice.amount_micro
        elif invoice.kind == INVOICE_KIND_CREDIT_NOTE:
            billed[invoice.agreement_id] -= invoice.amount_micro
    for account in state.records("account", Account):
        settled = account.invoiced_usage_micro + account.invoiced_correction_micro
        if billed[account.agreement_id] != settled:
            yield f"{account.agreement_id}: invoices {billed[account.agreement_id]}, settled {settled}"


def invoice_numbers_are_gap_free(state: State) -> Iterator[str]:
    """1, 2, 3 … per provider."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for invoice in state.records("invoice", Invoice):
        numbers[invoice.provider_msp_id].append(invoice.number)
    for provider, used in sorted(numbers.items()):
        counter_key = keys.invoice_counter(provider)
        counter = counter_key.message.FromString(state.public.get(counter_key.name, b""))
        if used != list(range(1, counter.last_number + 1)):
            yield f"invoice numbers of {provider} are {used}, its counter stands at {counter.last_number}"


def goodwill_sums_to_its_notes(state: State) -> Iterator[str]:
    """What an invoice says was granted on it is the sum of its goodwill notes, and not more than the invoice."""
    granted: dict[tuple[str, int], int] = defaultdict(int)
    for note in state.records("invoice", Invoice):
        if note.kind == INVOICE_KIND_GOODWILL:
            granted[note.provider_msp_id, note.refers_to_number] += note.amount_micro
    for invoice in state.records("invoice", Invoice):
        notes = granted[invoice.provider_msp_id, invoice.number]
        if invoice.goodwill_micro != notes or notes > invoice.amount_micro:
            yield f"goodwill on {invoice.provider_msp_id} {invoice.number} is {invoice.goodwill_micro}, notes {notes}"


def obligations_are_what_is_open(state: State) -> Iterator[str]:
    """A member is held by exactly its open accounts and its active meters."""
    accounts = [account for account in state.records("account", Account) if account.status == ACCOUNT_STATUS_OPEN]
    meters = [meter for meter in state.records("meter", Meter) if meter.status == METER_STATUS_ACTIVE]
    held = {keys.obligation(meter.provider_msp_id, keys.meter(meter.meter_id)).name for meter in meters}
    for account in accounts:
        for msp_id in (account.provider_msp_id, account.customer_msp_id):
            held.add(keys.obligation(msp_id, keys.account(account.agreement_id)).name)
    for key in sorted(held ^ {key for key in state.public if key.startswith("obligation/")}):
        yield f"{key} is {'missing' if key in held else 'ended'}"


def ballots_are_counted(state: State) -> Iterator[str]:
    """Each member has one vote and none on itself; what has its approvals is carried."""
    for ballot in state.records("ballot", Ballot):
        voters = [vote.msp_id for vote in ballot.votes]
        if len(set(voters)) < len(voters) or ballot.msp_id in voters:
            yield f"ballot {ballot.ballot_id[:16]} has votes of {voters}"
        if count(ballot) != ballot.status:
            yield f"ballot {ballot.ballot_id[:16]} is {ballot.status}, its votes make it {count(ballot)}"


def members_are_told_apart(state: State) -> Iterator[str]:
    """No two members that are there have the same legal identifier."""
    owners: dict[tuple[str, str], str] = {}
    for member in state.records("member", Member):
        if member.status in (MEMBER_STATUS_APPLIED, *ABSENT):
            continue
        for one in member.identifiers:
            owner = owners.setdefault((one.scheme, distinct_value(one)), member.msp_id)
            if owner != member.msp_id:
                yield f"{owner} and {member.msp_id} have the same {one.scheme}"


def the_electorate_is_who_sits_there(state: State) -> Iterator[str]:
    """The one record says what the members' records say."""
    value = state.public.get(keys.ELECTORATE.name)
    if value is None:
        return
    kept = {seat.msp_id: seat.votes for seat in keys.ELECTORATE.message.FromString(value).seats}
    sitting = Electorate({}).seating(*state.records("member", Member)).votes
    if kept != sitting:
        yield f"the electorate is {kept}, the members' records say {dict(sitting)}"


INVARIANTS: tuple[Callable[[State], Iterator[str]], ...] = (
    tokens_are_conserved,
    supply_matches_its_records,
    nothing_is_negative,
    terms_are_archived,
    heads_match_commitments,
    usage_is_covered,
    nothing_is_paid_without_invoice,
    refunds_owed_are_counted,
    records_are_gap_free,
    streams_are_gap_free,
    open_lines_sum_to_unclaimed,
    what_is_claimed_alone_is_the_head_s,
    claims_add_up,
    claims_sum_to_commitment,
    invoices_sum_to_claims,
    invoice_numbers_are_gap_free,
    goodwill_sums_to_its_notes,
    obligations_are_what_is_open,
    ballots_are_counted,
    members_are_told_apart,
    the_electorate_is_who_sits_there,
)


def _billed_micro(invoice: Invoice) -> int:
    """What it adds to the bill: goodwill is given beside it."""
    signs = {INVOICE_KIND_INVOICE: 1, INVOICE_KIND_CREDIT_NOTE: -1}
    return signs.get(invoice.kind, 0) * invoice.amount_micro


def _terms_in_force_so_far(state: State, agreement_id: str) -> list[Terms]:
    """Every accepted version that the checker may see."""
    agreement = Agreement.FromString(state.public[keys.agreement(agreement_id).name])
    versions = [reference.version for reference in (*agreement.superseded, agreement.terms)]
    found = [state.find_private(keys.terms(agreement_id, version)) for version in versions]
    return [terms for terms in found if terms is not None]
