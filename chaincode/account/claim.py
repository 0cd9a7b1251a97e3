"""Claims: the amounts of a period, made public so that account.settle can pay them.

Both parties together close a period (usage.claim). A party that the other one has left alone claims the amounts of the
last head, which both endorsed (account.claim).
"""

from __future__ import annotations

import hashlib

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.account import (
    claimed,
    is_unclaimed,
    last_amounts,
    load_account,
    note_shown,
    require_open,
    write_account,
)
from chaincode.account.commitment import read_commitment
from chaincode.account.head import (
    Standing,
    load_standing,
    read_disclosure,
    write_head,
)
from chaincode.account.head_digest import derived_salt
from chaincode.account.invoice import is_invoiced
from chaincode.errors import NotFound, WrongStatus
from chaincode.keys import Key
from chaincode.rights.relation import parties
from chaincode.transaction_context import TransactionContext, serialise
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account, ClaimAccount
from zunft.v1.usage_pb2 import AccountHead, Claim, ClaimUsage, Commitment, ReadClaim, UsageRecord


async def claim(tx: TransactionContext, request: ClaimUsage) -> Message:
    """usage.claim: closes a period; the amounts become public, so that account.settle can pay them."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    _check_claimable(standing.account, standing.commitment)

    head, period = close_period(standing)

    note_claim(standing.commitment, head, period)
    return write_head(tx, standing, head, UsageRecord(transaction="usage.claim", claim=period))


async def claim_alone(tx: TransactionContext, request: ClaimAccount) -> Account:
    """account.claim: the same without the other party; the caller shows the majority the amounts of the last head."""
    loaded = await load_account(tx, request.agreement_id, keys.head(request.agreement_id))
    account = require_open(loaded, request.agreement_id)
    commitment = read_commitment(loaded, account)

    tx.check_relation(*parties(account))
    _check_claimable(account, commitment)
    amounts = last_amounts(tx, loaded, account, commitment)

    note_shown(account.shown, commitment, amounts)

    return write_account(tx, "account.claim", account)


async def read_claim(tx: TransactionContext, request: ReadClaim) -> bytes:
    """usage.read_claim: the Claim behind an invoice, as the asking party archived it. Raises NotFound.

    If an earlier contract's account.close billed without the other party, there was no claim on the ledger. Then the
    claim is made from the last head.
    """
    key = keys.claim(request.agreement_id, request.number)
    archived = await tx.read_own(key)
    return archived if archived is not None else serialise(await _billed_in_closing(tx, request, key))


def _check_claimable(account: Account, commitment: Commitment) -> None:
    if not is_unclaimed(account, commitment):
        raise WrongStatus("there is nothing new to claim")
    if not is_invoiced(account, commitment):
        raise WrongStatus("the last claim is not paid yet: settle the last claim first")


def close_period(standing: Standing) -> tuple[AccountHead, Claim]:
    """The head without open lines, and the claim that has these lines."""
    head = standing.head_to_move()
    before = claimed(standing.account, standing.commitment)
    period = Claim(
        agreement_id=head.agreement_id,
        number=standing.commitment.claim_number + 1,
        up_to_sequence=head.sequence,
        lines=head.open_lines,
        correction_lines=head.open_correction_lines,
        usage_micro=head.usage_micro - before.usage_micro,
        correction_micro=head.correction_micro - before.correction_micro,
        terms_version=head.terms_version,
        salt=derived_salt(standing.terms.salt, "claim", head.agreement_id, head.sequence),
    )
    del head.open_lines[:]
    del head.open_correction_lines[:]
    return head, period


def note_claim(commitment: Commitment, head: AccountHead, period: Claim) -> None:
    """Notes in place the part of the claim that the channel sees."""
    commitment.claimed_usage_micro = head.usage_micro
    commitment.claimed_correction_micro = head.correction_micro
    commitment.claimed_sequence = head.sequence + 1
    commitment.claim_number = period.number
    commitment.claim_digest = hashlib.sha256(serialise(period)).digest()


async def _billed_in_closing(tx: TransactionContext, request: ReadClaim, key: Key[Claim]) -> Claim:
    account_key, commitment_key = keys.account(request.agreement_id), keys.commitment(request.agreement_id)
    loaded = await tx.load(account_key, commitment_key)
    account, commitment = loaded.find(account_key) or Account(), loaded.find(commitment_key) or Commitment()
    head = await tx.read_own(keys.head(request.agreement_id))
    was_billed = account.status == ACCOUNT_STATUS_CLOSED and is_unclaimed(account, commitment)
    if head is None or not was_billed or request.number != commitment.claim_number + 1:
        raise NotFound(f"{tx.caller.msp_id} has no {key.name}")
    return _unclaimed_period(AccountHead.FromString(head), commitment)


def _unclaimed_period(head: AccountHead, commitment: Commitment) -> Claim:
    """The claim of everything that a head of an earlier contract has since the last claim."""
    return Claim(
        agreement_id=head.agreement_id,
        number=commitment.claim_number + 1,
        up_to_sequence=head.sequence,
        lines=head.open_lines,
        correction_lines=head.open_correction_lines,
        usage_micro=head.usage_micro - commitment.claimed_usage_micro,
        correction_micro=head.correction_micro - commitment.claimed_correction_micro,
        terms_version=head.terms_version,
        salt=head.salt,
    )
