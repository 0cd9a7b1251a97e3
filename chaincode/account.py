"""The agreement's prepaid account: funded by the customer, drawn by usage, claimed by the provider.

escrow = funded - withdrawn - paid. Usage is bounded by funded - withdrawn - noticed + the agreement's credit limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from chaincode import keys
from chaincode.checks import MAX_AMOUNT_MICRO, check_amount, check_named, format_amount
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    InsufficientFunds,
    NoticePeriod,
    WrongStatus,
)
from chaincode.invoice import bill_claim, write_invoices
from chaincode.keys import Key
from chaincode.membership import check_parties_new_business, note_obligation
from chaincode.relation import parties
from chaincode.token import Released, check_balance, credited, load_released, move
from chaincode.transaction import Loaded, Transaction
from zunft.v1.account_pb2 import (
    ACCOUNT_STATUS_OPEN,
    Account,
    FundAccount,
    GiveNotice,
    OpenAccount,
    SettleAccount,
    WithdrawFunds,
)
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_ACTIVE
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED
from zunft.v1.token_pb2 import Balance, Posting
from zunft.v1.usage_pb2 import AccountHead, Commitment


async def open_account(tx: Transaction, request: OpenAccount) -> Account:
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


async def fund(tx: Transaction, request: FundAccount) -> Account:
    """account.fund: from the customer's balance into the escrow."""
    loaded = await load_account(tx, request.agreement_id, keys.balance(tx.caller.msp_id))
    account = require_open(loaded, request.agreement_id)

    tx.check_relation(*parties(account))
    check_amount(request.amount_micro)
    check_balance(loaded, account.customer_msp_id, request.amount_micro)
    if account.funded_micro + request.amount_micro > MAX_AMOUNT_MICRO:
        raise AmountOutOfRange(f"an account can be funded with {format_amount(MAX_AMOUNT_MICRO)} in all")

    balance = credited(loaded, account.customer_msp_id, -request.amount_micro)
    account.funded_micro += request.amount_micro
    posting = move(keys.balance(account.customer_msp_id).name, escrow_account(account), request.amount_micro)

    tx.put(keys.balance(account.customer_msp_id), balance)
    return write_account(tx, "account.fund", account, [posting])


async def give_notice(tx: Transaction, request: GiveNotice) -> Account:
    """account.give_notice: usage can no longer draw on this amount; 0 takes the notice back."""
    loaded = await tx.load(keys.account(request.agreement_id), keys.agreement(request.agreement_id))
    account = require_open(loaded, request.agreement_id)
    agreement = loaded.require(keys.agreement(request.agreement_id))

    tx.check_relation(*parties(account))
    if request.amount_micro < 0:
        raise AmountOutOfRange("the amount must not be negative")
    if request.amount_micro > escrow_micro(account):
        raise InsufficientFunds(f"the escrow holds {format_amount(escrow_micro(account))}: give notice of that at most")

    account.ClearField("notice")
    if request.amount_micro:
        account.notice.amount_micro = request.amount_micro
        account.notice.not_before_s = tx.timestamp_s + agreement.withdrawal_notice_s

    return write_account(tx, "account.give_notice", account)


async def withdraw(tx: Transaction, request: WithdrawFunds) -> Account:
    """account.withdraw: what notice was given of goes back to the customer, less what is claimed meanwhile."""
    loaded = await load_account(tx, request.agreement_id, keys.balance(tx.caller.msp_id))
    account = require_open(loaded, request.agreement_id)
    commitment = loaded.require(keys.commitment(request.agreement_id))

    tx.check_relation(*parties(account))
    if not account.HasField("notice"):
        raise NoticePeriod("give notice first: account.give_notice")
    if tx.timestamp_s < account.notice.not_before_s:
        raise NoticePeriod(f"the notice runs for another {account.notice.not_before_s - tx.timestamp_s} s")
    amount_micro = min(account.notice.amount_micro, escrow_micro(account) - max(due_micro(account, commitment), 0))
    if amount_micro <= 0:
        raise InsufficientFunds("everything in the escrow is claimed by the provider: settle the account")

    account.ClearField("notice")
    account.withdrawn_micro += amount_micro
    balance = credited(loaded, account.customer_msp_id, amount_micro)
    posting = move(escrow_account(account), keys.balance(account.customer_msp_id).name, amount_micro)

    tx.put(keys.balance(account.customer_msp_id), balance)
    return write_account(tx, "account.withdraw", account, [posting])


async def settle(tx: Transaction, request: SettleAccount) -> Account:
    """account.settle: issues the claim's invoice and credit note, and pays what the escrow covers.

    What a credit limit left uncovered is paid when the customer has funded the account and it is settled again. A claim
    that fell is refunded from the provider's balance into the escrow; by one that is excluded, as far as it can.
    """
    balance_key = keys.balance(request.provider_msp_id)
    loaded = await load_account(tx, request.agreement_id, balance_key, keys.invoice_counter(request.provider_msp_id))
    account = require_open(loaded, request.agreement_id)
    commitment = loaded.require(keys.commitment(request.agreement_id))
    released = await load_released(tx, account.provider_msp_id)

    tx.check_relation(*parties(account))
    check_named(request.provider_msp_id, account.provider_msp_id)
    payment_micro = payable_micro(loaded, account, commitment, released)
    invoices = bill_claim(account, commitment, loaded, tx.timestamp_s)
    if not invoices and payment_micro == 0:
        raise WrongStatus("nothing to settle: claim usage first, or fund the account")

    note_settled(account, commitment, payment_micro)
    balance = credited(loaded, account.provider_msp_id, payment_micro + released.amount_micro)
    postings = [move(escrow_account(account), balance_key.name, payment_micro)] if payment_micro else []

    tx.put(balance_key, balance)
    write_invoices(tx, invoices)
    return write_account(tx, "account.settle", account, [*released.write(tx), *postings])


# --- shared with the other nouns -----------------------------------------------------------------------------------


def escrow_micro(account: Account) -> int:
    """Tokens that the account holds."""
    return account.funded_micro - account.withdrawn_micro - account.paid_micro


def note_settled(account: Account, commitment: Commitment, payment_micro: int) -> None:
    """That everything claimed is invoiced, and what was paid of it; in place."""
    account.invoiced_usage_micro = commitment.claimed_usage_micro
    account.invoiced_correction_micro = commitment.claimed_correction_micro
    account.paid_micro += payment_micro


def due_micro(account: Account, commitment: Commitment) -> int:
    """What is claimed and not paid yet; negative: what the provider owes back."""
    return commitment.claimed_usage_micro + commitment.claimed_correction_micro - account.paid_micro


def payable_micro(loaded: Loaded, account: Account, commitment: Commitment, released: Released) -> int:
    """From the escrow to the provider; negative: what it gives back. Of an excluded one: what it has, with its deposit.

    `loaded`: the provider's balance. Raises InsufficientFunds.
    """
    provider = account.provider_msp_id
    payment_micro = min(due_micro(account, commitment), escrow_micro(account))
    if payment_micro < 0 and released.member.status == MEMBER_STATUS_EXCLUDED:
        has_micro = (loaded.find(keys.balance(provider)) or Balance()).amount_micro + released.amount_micro
        return max(payment_micro, -has_micro)
    check_balance(loaded, provider, -payment_micro)
    return payment_micro


def drawable_micro(account: Account) -> int:
    """What all usage together may reach without credit."""
    return account.funded_micro - account.withdrawn_micro - account.notice.amount_micro


def escrow_account(account: Account) -> str:
    return f"escrow/{account.agreement_id}"


async def load_account(tx: Transaction, agreement_id: str, *more: Key[Message]) -> Loaded:
    """The account's two records and these."""
    return await tx.load(keys.account(agreement_id), keys.commitment(agreement_id), *more)


def require_open(loaded: Loaded, agreement_id: str) -> Account:
    """The account, if it still is open. Raises NotFound, WrongStatus."""
    account = loaded.require(keys.account(agreement_id))
    if account.status != ACCOUNT_STATUS_OPEN:
        raise WrongStatus(f"the account of {agreement_id} is closed")
    return account


def write_account(tx: Transaction, name: str, account: Account, postings: Sequence[Posting] = ()) -> Account:
    tx.put(keys.account(account.agreement_id), account)
    members = (account.provider_msp_id, account.customer_msp_id)
    tx.emit(name, msp_ids=members, agreement_id=account.agreement_id, postings=postings)
    return account
