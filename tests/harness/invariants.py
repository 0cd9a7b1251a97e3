"""Conditions that hold after every transaction: small pure functions over a whole state that find violations.

These are about the records that a majority of the members keeps. They hold whatever the two parties of an account write
into their own part of it, which has conditions of its own in account_invariants.py. Tests and simulation check both
after each transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from chaincode import keys
from chaincode.account.account import escrow_micro
from chaincode.members.ballot import count
from chaincode.members.electorate import Electorate
from chaincode.members.identifiers import distinct_value
from chaincode.members.status import ABSENT
from zunft.v1.account_pb2 import ACCOUNT_STATUS_OPEN, Account
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN, BALLOT_SUBJECT_DEPARTURE, Ballot, Question
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE, INVOICE_KIND_GOODWILL, INVOICE_KIND_INVOICE, Invoice
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, Member
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, Meter
from zunft.v1.token_pb2 import (
    REDEMPTION_STATUS_CONFIRMED,
    REDEMPTION_STATUS_HELD,
    Balance,
    Debts,
    MintRecord,
    Redemption,
)
from zunft.v1.usage_pb2 import Commitment

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class WorldState:
    """All keys and values of the channel, and of the private collections that the checker may see (merged)."""

    public: Mapping[str, bytes]
    private: Mapping[str, bytes]

    def records(self, noun: str, message: type[M]) -> Iterator[M]:
        """The public records of one noun, in key order."""
        for key in sorted(self.public):
            if key.startswith(f"{noun}/"):
                yield message.FromString(self.public[key])

    def commitments(self) -> Iterator[tuple[str, Commitment]]:
        """The commitments that can be read, in key order, each with its account's name, which the key gives."""
        for agreement_id in self.names("commitment"):
            commitment = readable(Commitment, self.public[keys.commitment(agreement_id).name])
            if commitment is not None:
                yield agreement_id, commitment

    def names(self, noun: str) -> list[str]:
        """The part after this noun in the public keys, in key order."""
        return sorted(key.partition("/")[2] for key in self.public if key.startswith(f"{noun}/"))

    def archived(self, noun: str) -> dict[str, list[str]]:
        """The private keys of one noun by their agreement, in key order."""
        found: dict[str, list[str]] = defaultdict(list)
        for key in sorted(key for key in self.private if key.startswith(f"{noun}/")):
            found[key.split("/")[1]].append(key)
        return found

    def find_private(self, key: keys.Key[M]) -> M | None:
        """A private record, or the open one at the same key; None where there is none that can be read."""
        value = self.private.get(key.name, self.public.get(key.name))
        return None if value is None else readable(key.message, value)


def readable(message: type[M], value: bytes) -> M | None:
    """The message in the bytes; None where they are none, as two parties may write anything."""
    try:
        return message.FromString(value)
    except DecodeError:
        return None


def violations(state: WorldState) -> list[str]:
    """All violations; empty if there are none."""
    return [violation for invariant in INVARIANTS for violation in invariant(state)]


def tokens_are_conserved(state: WorldState) -> Iterator[str]:
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


def supply_matches_its_records(state: WorldState) -> Iterator[str]:
    """The minted amount is the sum of the bank's credits, and the burned amount that of confirmed redemptions."""
    supply = keys.SUPPLY.message.FromString(state.public.get(keys.SUPPLY.name, b""))
    minted = sum(record.amount_micro for record in state.records("mint", MintRecord))
    burned = sum(
        one.amount_micro for one in state.records("redemption", Redemption) if one.status == REDEMPTION_STATUS_CONFIRMED
    )
    if (supply.minted_micro, supply.burned_micro) != (minted, burned):
        yield f"supply is {supply.minted_micro} less {supply.burned_micro}, the records say {minted} less {burned}"


def nothing_is_negative(state: WorldState) -> Iterator[str]:
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


def nothing_is_paid_without_invoice(state: WorldState) -> Iterator[str]:
    """paid <= invoiced: tokens leave an escrow for the provider only against a document.

    When the invoiced sum falls later, the part that the provider could not give back is noted as owed.
    """
    for account in state.records("account", Account):
        invoiced_micro = account.invoiced_usage_micro + account.invoiced_correction_micro
        if account.paid_micro - account.owed_back_micro > max(invoiced_micro, 0):
            yield f"{account.agreement_id} paid {account.paid_micro}, invoiced are {invoiced_micro}"


def refunds_owed_are_counted(state: WorldState) -> Iterator[str]:
    """A provider's balance has the sum that it owes all its accounts, and its debts have the parts in order."""
    owed: dict[str, int] = defaultdict(int)
    in_line: dict[str, int] = defaultdict(int)
    for debts in state.records("debts", Debts):
        for debt in debts.debts:
            in_line[debt.agreement_id] += debt.owed_micro
    for account in state.records("account", Account):
        owed[account.provider_msp_id] += account.owed_back_micro
        if account.owed_back_micro != in_line.pop(account.agreement_id, 0):
            yield f"{account.agreement_id} is owed {account.owed_back_micro}, the debts of its provider say otherwise"
        if account.owed_back_micro > account.paid_micro:
            yield f"{account.agreement_id} is owed more than it has paid"
    for balance in state.records("balance", Balance):
        if balance.owed_micro != owed.pop(balance.msp_id, 0):
            yield f"{balance.msp_id} owes {balance.owed_micro}, its accounts say something else"
    for msp_id, owed_micro in sorted(owed.items()):
        if owed_micro:
            yield f"{msp_id} owes {owed_micro}, and has no balance that says so"


def invoices_sum_to_claims(state: WorldState) -> Iterator[str]:
    """Invoices less credit notes are the amounts that were claimed and settled."""
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


def invoice_numbers_are_gap_free(state: WorldState) -> Iterator[str]:
    """Each provider's invoices have the numbers 1, 2, 3 … up to its counter."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for invoice in state.records("invoice", Invoice):
        numbers[invoice.provider_msp_id].append(invoice.number)
    for provider, used in sorted(numbers.items()):
        counter_key = keys.invoice_counter(provider)
        counter = counter_key.message.FromString(state.public.get(counter_key.name, b""))
        if used != list(range(1, counter.last_number + 1)):
            yield f"invoice numbers of {provider} are {used}, its counter stands at {counter.last_number}"


def goodwill_sums_to_its_notes(state: WorldState) -> Iterator[str]:
    """An invoice's goodwill is the sum of its goodwill notes, and not more than the invoice."""
    granted: dict[tuple[str, int], int] = defaultdict(int)
    for note in state.records("invoice", Invoice):
        if note.kind == INVOICE_KIND_GOODWILL:
            granted[note.provider_msp_id, note.refers_to_number] += note.amount_micro
    for invoice in state.records("invoice", Invoice):
        notes = granted[invoice.provider_msp_id, invoice.number]
        if invoice.goodwill_micro != notes or notes > invoice.amount_micro:
            yield f"goodwill on {invoice.provider_msp_id} {invoice.number} is {invoice.goodwill_micro}, notes {notes}"


def obligations_are_what_is_open(state: WorldState) -> Iterator[str]:
    """A member's obligations are exactly its open accounts and its active meters."""
    accounts = [account for account in state.records("account", Account) if account.status == ACCOUNT_STATUS_OPEN]
    meters = [meter for meter in state.records("meter", Meter) if meter.status == METER_STATUS_ACTIVE]
    held = {keys.obligation(meter.provider_msp_id, keys.meter(meter.meter_id)).name for meter in meters}
    for account in accounts:
        for msp_id in (account.provider_msp_id, account.customer_msp_id):
            held.add(keys.obligation(msp_id, keys.account(account.agreement_id)).name)
    for key in sorted(held ^ {key for key in state.public if key.startswith("obligation/")}):
        yield f"{key} is {'missing' if key in held else 'ended'}"


def ballots_are_counted(state: WorldState) -> Iterator[str]:
    """Each member has one vote, and none on itself except in its own departure; enough approvals carry a ballot."""
    for ballot in state.records("ballot", Ballot):
        voters = [vote.msp_id for vote in ballot.votes]
        on_itself = ballot.msp_id in voters and ballot.subject != BALLOT_SUBJECT_DEPARTURE
        if len(set(voters)) < len(voters) or on_itself:
            yield f"ballot {ballot.ballot_id[:16]} has votes of {voters}"
        if count(ballot) != ballot.status:
            yield f"ballot {ballot.ballot_id[:16]} is {ballot.status}, its votes make it {count(ballot)}"


def questions_know_their_ballots(state: WorldState) -> Iterator[str]:
    """The ballot that a question names is on it, and is decided where the question says so."""
    ballots = {ballot.ballot_id: ballot for ballot in state.records("ballot", Ballot)}
    for question in state.records("question", Question):
        ballot = ballots.get(question.ballot_id, Ballot())
        about = ballot.msp_id or ballot.opened_by_msp_id
        if (about, ballot.subject) != (question.msp_id, question.subject):
            yield f"ballot {question.ballot_id[:16]} is not on {question.subject} of {question.msp_id}"
        if (ballot.status != BALLOT_STATUS_OPEN) != question.is_decided:
            yield f"ballot {question.ballot_id[:16]} is {ballot.status}, its question says otherwise"


def members_are_told_apart(state: WorldState) -> Iterator[str]:
    """No two present members have the same legal identifier."""
    owners: dict[tuple[str, str], str] = {}
    for member in state.records("member", Member):
        if member.status in (MEMBER_STATUS_APPLIED, *ABSENT):
            continue
        for one in member.identifiers:
            owner = owners.setdefault((one.scheme, distinct_value(one)), member.msp_id)
            if owner != member.msp_id:
                yield f"{owner} and {member.msp_id} have the same {one.scheme}"


def the_electorate_is_who_sits_there(state: WorldState) -> Iterator[str]:
    """The electorate's record agrees with the members' records."""
    value = state.public.get(keys.ELECTORATE.name)
    if value is None:
        return
    kept = {seat.msp_id: seat.votes for seat in keys.ELECTORATE.message.FromString(value).seats}
    sitting = Electorate({}).seating(*state.records("member", Member)).votes
    if kept != sitting:
        yield f"the electorate is {kept}, the members' records say {dict(sitting)}"


INVARIANTS: tuple[Callable[[WorldState], Iterator[str]], ...] = (
    tokens_are_conserved,
    supply_matches_its_records,
    nothing_is_negative,
    nothing_is_paid_without_invoice,
    refunds_owed_are_counted,
    invoices_sum_to_claims,
    invoice_numbers_are_gap_free,
    goodwill_sums_to_its_notes,
    obligations_are_what_is_open,
    ballots_are_counted,
    questions_know_their_ballots,
    members_are_told_apart,
    the_electorate_is_who_sits_there,
)
