"""Claims: what a period came to, made public so that account.settle can pay it."""

from __future__ import annotations

import hashlib

from google.protobuf.message import Message

from chaincode.errors import WrongStatus
from chaincode.head import Standing, load_standing, read_disclosure, write_head
from chaincode.invoice import is_invoiced
from chaincode.transaction import Transaction, serialise
from zunft.v1.usage_pb2 import AccountHead, Claim, ClaimUsage, UsageRecord


async def claim(tx: Transaction, request: ClaimUsage) -> Message:
    """usage.claim: closes a period; the amounts become public, so that account.settle can pay them."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    if standing.commitment.claimed_sequence == standing.commitment.sequence:
        raise WrongStatus("there is nothing new to claim")
    if not is_invoiced(standing.account, standing.commitment):
        raise WrongStatus("the previous claim is not settled yet: account.settle")

    head, period = close_period(standing)

    _write_claim(standing, head, period)
    return write_head(tx, standing, head, UsageRecord(transaction="usage.claim", claim=period))


def close_period(standing: Standing) -> tuple[AccountHead, Claim]:
    """The head with no open lines, and the claim that has them."""
    head, commitment = standing.head_to_move(), standing.commitment
    period = Claim(
        agreement_id=head.agreement_id,
        number=commitment.claim_number + 1,
        up_to_sequence=head.sequence,
        lines=head.open_lines,
        correction_lines=head.open_correction_lines,
        usage_micro=head.usage_micro - commitment.claimed_usage_micro,
        correction_micro=head.correction_micro - commitment.claimed_correction_micro,
        terms_version=standing.terms.version,
        salt=standing.terms.salt,
    )
    del head.open_lines[:]
    del head.open_correction_lines[:]
    return head, period


def _write_claim(standing: Standing, head: AccountHead, period: Claim) -> None:
    commitment = standing.commitment
    commitment.claimed_usage_micro = head.usage_micro
    commitment.claimed_correction_micro = head.correction_micro
    commitment.claimed_sequence = head.sequence + 1
    commitment.claim_number = period.number
    commitment.claim_digest = hashlib.sha256(serialise(period)).digest()
