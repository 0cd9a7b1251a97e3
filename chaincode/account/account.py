"""The agreement's prepaid account: the customer funds it, usage draws on it, the provider claims from it.

escrow = funded - withdrawn - paid. Usage is at most funded - withdrawn + the agreement's credit limit; usage after a
notice is at most that less the notice's amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.commitment import (
    is_plausible,
    read_open_amounts,
)
from chaincode.account.head_digest import (
    SHOWN,
    proven_amounts,
)
from chaincode.checks import MAX_AMOUNT_MICRO, check_amount, format_amount
from chaincode.errors import AlreadyExists, AmountOutOfRange, UnsoundRecord, WrongStatus
from chaincode.keys import Key
from chaincode.members.status import (
    check_parties_new_business,
    note_obligation,
)
from chaincode.recent import (
    check_not_too_often,
    note_change,
)
from chaincode.rights.relation import parties
from chaincode.token import check_balance, credited, move
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.account_pb2 import ACCOUNT_STATUS_OPEN, Account, FundAccount, OpenAccount, ShownClaim
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_ACTIVE
from zunft.v1.token_pb2 import Posting
from zunft.v1.usage_pb2 import AccountHead, Commitment


async def open_account(tx: TransactionContext, request: OpenAccount) -> Account:
    """account.open: creates the account, and the commitment that only the two parties endorse from then on."""
    key, commitment_key = keys.account(request.agreement_id), keys.commitment(request.agreement_id)
    loaded = await tx.load(keys.agreement(request.agreement_id), key)
    agreement = loaded.require(keys.agreement(request.agreement_id))
    members = (agreement.provider_msp_id, agreement.customer_msp_id)

    tx.check_relation(*parties(agreement))
    if agreement.status != AGREEMENT_STATUS_ACTIVE:
        raise WrongStatus(f"agreement {request.agreement_id} is not in force: have it accepted first")
    if loaded.has(key):
        raise AlreadyExists(f"the account of {request.agreement_id} is open already")
    await check_parties_new_business(tx, members)

    account = Account(
        agreement_id=request.agreement_id,
        provider_msp_id=agreement.provider_msp_id,
        customer_msp_id=agreement.customer_msp_id,
        status=ACCOUNT_STATUS_OPEN,
    )

    tx.put(commitment_key, Commitment(agreement_id=request.agreement_id))
    tx.stub.set_key_policy(commitment_key.name, members)
    if agreement.open:
        tx.put(keys.head(request.agreement_id), AccountHead(agreement_id=request.agreement_id))
        tx.stub.set_key_policy(keys.head(request.agreement_id).name, members)
    for party in members:
        note_obligation(tx, party, key)
    return write_account(tx, "account.open", account)


async def fund(tx: TransactionContext, request: FundAccount) -> Account:
    """account.fund: moves tokens from the customer's balance into the escrow."""
    loaded = await tx.load(keys.account(request.agreement_id), keys.balance(tx.caller.msp_id))
    account = require_open(loaded, request.agreement_id)

    tx.check_relation(*parties(account))
    check_amount(request.amount_micro)
    check_balance(loaded, account.customer_msp_id, request.amount_micro)
    check_may_change(tx, account)
    if account.funded_micro + request.amount_micro > MAX_AMOUNT_MICRO:
        raise AmountOutOfRange(f"an account can be funded with {format_amount(MAX_AMOUNT_MICRO)} tokens in all")

    balance = credited(loaded, account.customer_msp_id, -request.amount_micro)
    account.funded_micro += request.amount_micro
    note_change(account.changes, tx.timestamp_s)
    posting = move(keys.balance(account.customer_msp_id).name, escrow_account(account), request.amount_micro)

    tx.put(keys.balance(account.customer_msp_id), balance)
    return write_account(tx, "account.fund", account, [posting])


# --- claimed amounts -------------------------------------------------------------------------------------------------


class Claimed(NamedTuple):
    """The head's amounts at the last claim; `sequence` is the last two-party transaction in it."""

    sequence: int
    usage_micro: int
    correction_micro: int

    @property
    def micro(self) -> int:
        return self.usage_micro + self.correction_micro


def claimed(account: Account, commitment: Commitment) -> Claimed:
    """The claimed amounts: both parties claimed them together, or one that showed the amounts of a later head."""
    shown = account.shown
    if shown.sequence > commitment.claimed_sequence:
        return Claimed(shown.sequence, shown.usage_micro, shown.correction_micro)
    return Claimed(commitment.claimed_sequence, commitment.claimed_usage_micro, commitment.claimed_correction_micro)


def is_unclaimed(account: Account, commitment: Commitment) -> bool:
    """Whether the account has moved since its last claim."""
    return claimed(account, commitment).sequence != commitment.sequence


def last_amounts(tx: TransactionContext, loaded: Loaded, account: Account, commitment: Commitment) -> Claimed:
    """The amounts of the last head. Where they are not claimed yet, the caller shows them, or the agreement is open.

    `loaded` has the head's public key. Raises MalformedRequest, HeadMismatch, UnsoundRecord.
    """
    if not is_unclaimed(account, commitment):
        return claimed(account, commitment)
    public = read_open_amounts(loaded, commitment)
    shown = public or proven_amounts(tx.stub.transient.get(SHOWN), commitment)
    if not is_plausible(shown.usage_micro, shown.correction_micro):
        raise UnsoundRecord(
            f"the last head of {account.agreement_id} comes to more than an account can: both parties have to put back "
            "what the contract wrote"
        )
    return Claimed(commitment.sequence, shown.usage_micro, shown.correction_micro)


def note_shown(shown: ShownClaim, commitment: Commitment, amounts: Claimed) -> None:
    """Notes in place the claim of one party alone, since one party cannot write the commitment without the other."""
    shown.sequence = commitment.sequence
    shown.head_digest = commitment.head_digest
    shown.usage_micro = amounts.usage_micro
    shown.correction_micro = amounts.correction_micro


def without_claimed_lines(head: AccountHead, account: Account) -> AccountHead:
    """The head from which the next transaction starts: if one party claimed it alone, its lines are billed already."""
    if not head.sequence or head.sequence != account.shown.sequence:
        return head
    rest = AccountHead()
    rest.CopyFrom(head)
    del rest.open_lines[:]
    del rest.open_correction_lines[:]
    return rest


# --- shared with the other nouns -----------------------------------------------------------------------------------


def escrow_micro(account: Account) -> int:
    """The tokens that the account holds."""
    return account.funded_micro - account.withdrawn_micro - account.paid_micro


def due_micro(account: Account, commitment: Commitment) -> int:
    """The claimed amount that is not paid yet; negative if the provider owes it back, at most what it was paid."""
    return max(claimed(account, commitment).micro, 0) - account.paid_micro


def charged_micro(account: Account, commitment: Commitment) -> int:
    """The claimed amount that is not paid yet, with the amount that a closed account's next settlement will claim."""
    if not account.HasField("left"):
        return due_micro(account, commitment)
    return max(account.left.usage_micro + account.left.correction_micro, 0) - account.paid_micro


def drawable_micro(account: Account) -> int:
    """The amount that all usage together may reach without credit, if it is later than a notice."""
    return account.funded_micro - account.withdrawn_micro - account.notice.amount_micro


def check_may_change(tx: TransactionContext, account: Account) -> None:
    """Checks that the customer has not changed the account too often of late. Raises TooOften."""
    deed = f"the customer has changed the account of {account.agreement_id}"
    check_not_too_often(account.changes, tx.timestamp_s, deed)


def escrow_account(account: Account) -> str:
    return f"escrow/{account.agreement_id}"


async def load_account(tx: TransactionContext, agreement_id: str, *more: Key[Message]) -> Loaded:
    """The account's two records, and the records at these keys."""
    return await tx.load(keys.account(agreement_id), keys.commitment(agreement_id), *more)


def require_open(loaded: Loaded, agreement_id: str) -> Account:
    """The account, which must be open. Raises NotFound, WrongStatus."""
    account = loaded.require(keys.account(agreement_id))
    if account.status != ACCOUNT_STATUS_OPEN:
        raise WrongStatus(f"the account of {agreement_id} is closed")
    return account


def write_account(tx: TransactionContext, name: str, account: Account, postings: Sequence[Posting] = ()) -> Account:
    tx.put(keys.account(account.agreement_id), account)
    members = (account.provider_msp_id, account.customer_msp_id)
    tx.emit(name, msp_ids=members, agreement_id=account.agreement_id, postings=postings)
    return account
