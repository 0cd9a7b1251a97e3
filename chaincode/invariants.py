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
from chaincode.account import drawable_micro, escrow_micro
from chaincode.head import accrued_micro
from zunft.v1.account_pb2 import Account
from zunft.v1.agreement_pb2 import Agreement, Terms
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE, INVOICE_KIND_INVOICE, Invoice
from zunft.v1.token_pb2 import REDEMPTION_STATUS_HELD, Balance, Redemption
from zunft.v1.usage_pb2 import AccountHead, Commitment, UsageBatch, UsageRecord

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
    """minted - burned = balances + escrows + holds."""
    value = state.public.get(keys.SUPPLY.name)
    supply = keys.SUPPLY.message() if value is None else keys.SUPPLY.message.FromString(value)
    balances = sum(balance.amount_micro for balance in state.records("balance", Balance))
    escrows = sum(escrow_micro(account) for account in state.records("account", Account))
    holds = sum(
        one.amount_micro for one in state.records("redemption", Redemption) if one.status == REDEMPTION_STATUS_HELD
    )
    circulating = supply.minted_micro - supply.burned_micro
    if circulating != balances + escrows + holds:
        yield f"{circulating} circulating, but balances {balances}, escrows {escrows}, holds {holds}"


def nothing_is_negative(state: State) -> Iterator[str]:
    """No balance and no escrow is overdrawn."""
    for balance in state.records("balance", Balance):
        if balance.amount_micro < 0:
            yield f"balance of {balance.msp_id} is {balance.amount_micro}"
    for account in state.records("account", Account):
        if escrow_micro(account) < 0:
            yield f"escrow of {account.agreement_id} is {escrow_micro(account)}"


def heads_match_commitments(state: State) -> Iterator[str]:
    """The digest on the channel is that of the head that both parties archived."""
    for commitment in state.records("commitment", Commitment):
        head = state.private.get(keys.head(commitment.agreement_id).name) or state.public.get(
            keys.head(commitment.agreement_id).name
        )
        if commitment.sequence and head and hashlib.sha256(head).digest() != commitment.head_digest:
            yield f"head of {commitment.agreement_id} is not the committed one"


def usage_is_covered(state: State) -> Iterator[str]:
    """accrued <= funded - withdrawn + credit limit. (A notice may come after the usage, so it does not count here.)"""
    for account in state.records("account", Account):
        head, terms = _head_and_terms(state, account.agreement_id)
        if head is None or terms is None:
            continue
        limit_micro = drawable_micro(account) + account.notice.amount_micro + terms.credit_limit_micro
        if accrued_micro(head) > max(limit_micro, 0):
            yield f"{account.agreement_id} accrued {accrued_micro(head)}, covered are {limit_micro}"


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
    """The lines since the last claim add up to what has accrued since."""
    for commitment in state.records("commitment", Commitment):
        head = state.find_private(keys.head(commitment.agreement_id))
        if head is None:
            continue
        usage = sum(line.amount_micro for line in head.open_lines)
        correction = sum(line.amount_micro for line in head.open_correction_lines)
        if usage != head.usage_micro - commitment.claimed_usage_micro:
            yield f"open lines of {commitment.agreement_id} add up to {usage}"
        if correction != head.correction_micro - commitment.claimed_correction_micro:
            yield f"open correction lines of {commitment.agreement_id} add up to {correction}"


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
        if used != list(range(1, len(used) + 1)):
            yield f"invoice numbers of {provider} are {used}"


INVARIANTS: tuple[Callable[[State], Iterator[str]], ...] = (
    tokens_are_conserved,
    nothing_is_negative,
    heads_match_commitments,
    usage_is_covered,
    streams_are_gap_free,
    open_lines_sum_to_unclaimed,
    invoices_sum_to_claims,
    invoice_numbers_are_gap_free,
)


def _head_and_terms(state: State, agreement_id: str) -> tuple[AccountHead | None, Terms | None]:
    agreement = Agreement.FromString(state.public[keys.agreement(agreement_id).name])
    terms = state.find_private(keys.terms(agreement_id, agreement.terms.version))
    return state.find_private(keys.head(agreement_id)), terms
