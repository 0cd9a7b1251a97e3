"""The agreement's prepaid account: funded by the customer, drawn by usage, claimed by the provider.

escrow = funded - withdrawn - paid. Usage is bounded by funded - withdrawn - noticed + the agreement's credit limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from chaincode import keys
from chaincode.checks import MAX_AMOUNT_MICRO, check_amount, check_caller, check_named, check_party, format_amount
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    InsufficientFunds,
    NoticePeriod,
    WrongStatus,
)
from chaincode.invoice import bill_claim, is_invoiced, write_invoices
from chaincode.keys import Key
from chaincode.membership import check_parties_new_business, end_obligation, note_obligation
from chaincode.token import check_balance, credited, move
from chaincode.transaction import TAKING_PART, Loaded, Transaction
from zunft.v1.account_pb2 import (
    ACCOUNT_STATUS_CLOSED,
    ACCOUNT_STATUS_OPEN,
    Account,
    CloseAccount,
    FundAccount,
    GiveNotice,
    OpenAccount,
    SettleAccount,
    WithdrawFunds,
)
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_ACTIVE, AGREEMENT_STATUS_TERMINATED, Agreement
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED, Member
from zunft.v1.token_pb2 import Posting
from zunft.v1.usage_pb2 import AccountHead, Commitment


async def open_account(tx: Transaction, request: OpenAccount) -> Account:
    """account.open: creates the account, and the commitment that only the two parties endorse from then on."""
    key, commitment_key = keys.account(request.agreement_id), keys.commitment(request.agreement_id)
    loaded = await tx.load(keys.agreement(request.agreement_id), key)
    agreement = loaded.require(keys.agreement(request.agreement_id))
    parties = (agreement.provider_msp_id, agreement.customer_msp_id)

    check_party(tx, *parties)
    if agreement.status != AGREEMENT_STATUS_ACTIVE:
        raise WrongStatus(f"agreement {request.agreement_id} is not in force: have it accepted first")
    if loaded.has(key):
        raise AlreadyExists(f"the account of {request.agreement_id} is open already")
    await check_parties_new_business(tx, parties)

    account = Account(
        agreement_id=request.agreement_id,
        provider_msp_id=agreement.provider_msp_id,
        customer_msp_id=agreement.customer_msp_id,
        status=ACCOUNT_STATUS_OPEN,
    )

    tx.put(commitment_key, Commitment(agreement_id=request.agreement_id))
    tx.stub.set_key_policy(commitment_key.name, parties)
    if agreement.open:
        tx.put(keys.head(request.agreement_id), AccountHead(agreement_id=request.agreement_id))
        tx.stub.set_key_policy(keys.head(request.agreement_id).name, parties)
    for party in parties:
        note_obligation(tx, party, key)
    return _write(tx, "account.open", account)


async def fund(tx: Transaction, request: FundAccount) -> Account:
    """account.fund: from the customer's balance into the escrow."""
    loaded = await _load(tx, request.agreement_id, keys.balance(tx.caller.msp_id))
    account = _require_open(loaded, request.agreement_id)

    check_amount(request.amount_micro)
    check_caller(tx, account.customer_msp_id, "fund the account")
    check_balance(loaded, account.customer_msp_id, request.amount_micro)
    if account.funded_micro + request.amount_micro > MAX_AMOUNT_MICRO:
        raise AmountOutOfRange(f"an account can be funded with {format_amount(MAX_AMOUNT_MICRO)} in all")

    balance = credited(loaded, account.customer_msp_id, -request.amount_micro)
    account.funded_micro += request.amount_micro
    posting = move(keys.balance(account.customer_msp_id).name, escrow_account(account), request.amount_micro)

    tx.put(keys.balance(account.customer_msp_id), balance)
    return _write(tx, "account.fund", account, [posting])


async def give_notice(tx: Transaction, request: GiveNotice) -> Account:
    """account.give_notice: usage can no longer draw on this amount; 0 takes the notice back."""
    loaded = await tx.load(keys.account(request.agreement_id), keys.agreement(request.agreement_id))
    account = _require_open(loaded, request.agreement_id)
    agreement = loaded.require(keys.agreement(request.agreement_id))

    check_caller(tx, account.customer_msp_id, "give notice of a withdrawal")
    if request.amount_micro < 0:
        raise AmountOutOfRange("the amount must not be negative")
    if request.amount_micro > escrow_micro(account):
        raise InsufficientFunds(f"the escrow holds {format_amount(escrow_micro(account))}: give notice of that at most")

    account.ClearField("notice")
    if request.amount_micro:
        account.notice.amount_micro = request.amount_micro
        account.notice.not_before_s = tx.timestamp_s + agreement.withdrawal_notice_s

    return _write(tx, "account.give_notice", account)


async def withdraw(tx: Transaction, request: WithdrawFunds) -> Account:
    """account.withdraw: what notice was given of goes back to the customer, less what is claimed meanwhile."""
    loaded = await _load(tx, request.agreement_id, keys.balance(tx.caller.msp_id))
    account = _require_open(loaded, request.agreement_id)
    commitment = loaded.require(keys.commitment(request.agreement_id))

    check_caller(tx, account.customer_msp_id, "withdraw")
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
    return _write(tx, "account.withdraw", account, [posting])


async def settle(tx: Transaction, request: SettleAccount) -> Account:
    """account.settle: issues the claim's invoice and credit note, and pays what the escrow covers.

    What a credit limit left uncovered is paid when the customer has funded the account and it is settled again. A claim
    that fell is refunded from the provider's balance into the escrow.
    """
    balance_key = keys.balance(request.provider_msp_id)
    loaded = await _load(tx, request.agreement_id, balance_key, keys.invoice_counter(request.provider_msp_id))
    account = _require_open(loaded, request.agreement_id)
    commitment = loaded.require(keys.commitment(request.agreement_id))

    check_party(tx, account.provider_msp_id, account.customer_msp_id)
    check_named(request.provider_msp_id, account.provider_msp_id)
    payment_micro = min(due_micro(account, commitment), escrow_micro(account))
    invoices = bill_claim(account, commitment, loaded, tx.timestamp_s)
    if not invoices and payment_micro == 0:
        raise WrongStatus("nothing to settle: claim usage first, or fund the account")
    if payment_micro < 0:
        check_balance(loaded, account.provider_msp_id, -payment_micro)

    account.invoiced_usage_micro = commitment.claimed_usage_micro
    account.invoiced_correction_micro = commitment.claimed_correction_micro
    account.paid_micro += payment_micro
    balance = credited(loaded, account.provider_msp_id, payment_micro)
    postings = [move(escrow_account(account), balance_key.name, payment_micro)] if payment_micro else []

    tx.put(balance_key, balance)
    write_invoices(tx, invoices)
    return _write(tx, "account.settle", account, postings)


async def close(tx: Transaction, request: CloseAccount) -> Account:
    """account.close: of a terminated agreement, everything claimed and paid; the rest goes back to the customer.

    The customer has to wait for the withdrawal's notice to run out, so that the provider can charge late readings. With
    an excluded party there is nothing to wait for: what it has not claimed, or cannot pay, is lost.
    """
    balance_key = keys.balance(request.customer_msp_id)
    loaded = await _load(tx, request.agreement_id, balance_key, keys.agreement(request.agreement_id))
    account = _require_open(loaded, request.agreement_id)
    parties = (account.provider_msp_id, account.customer_msp_id)

    check_party(tx, *parties)
    check_named(request.customer_msp_id, account.customer_msp_id)
    other = await _load_other(tx, parties)
    if other.status == MEMBER_STATUS_EXCLUDED:
        _check_settled_as_far_as_can_be(loaded, account)
    else:
        _check_finished(tx, loaded, account)

    rest_micro = escrow_micro(account)
    account.withdrawn_micro += rest_micro
    account.ClearField("notice")
    account.status = ACCOUNT_STATUS_CLOSED
    balance = credited(loaded, account.customer_msp_id, rest_micro)
    postings = [move(escrow_account(account), balance_key.name, rest_micro)] if rest_micro else []

    tx.put(balance_key, balance)
    for party in parties:
        end_obligation(tx, party, keys.account(account.agreement_id))
    if other.status in TAKING_PART:
        _drop_key_policies(tx, loaded.require(keys.agreement(account.agreement_id)))
    return _write(tx, "account.close", account, postings)


# --- shared with the other nouns -----------------------------------------------------------------------------------


def escrow_micro(account: Account) -> int:
    """Tokens that the account holds."""
    return account.funded_micro - account.withdrawn_micro - account.paid_micro


def due_micro(account: Account, commitment: Commitment) -> int:
    """What is claimed and not paid yet; negative: what the provider owes back."""
    return commitment.claimed_usage_micro + commitment.claimed_correction_micro - account.paid_micro


def drawable_micro(account: Account) -> int:
    """What all usage together may reach without credit."""
    return account.funded_micro - account.withdrawn_micro - account.notice.amount_micro


def escrow_account(account: Account) -> str:
    return f"escrow/{account.agreement_id}"


async def _load(tx: Transaction, agreement_id: str, *more: Key[Message]) -> Loaded:
    return await tx.load(keys.account(agreement_id), keys.commitment(agreement_id), *more)


def _require_open(loaded: Loaded, agreement_id: str) -> Account:
    account = loaded.require(keys.account(agreement_id))
    if account.status != ACCOUNT_STATUS_OPEN:
        raise WrongStatus(f"the account of {agreement_id} is closed")
    return account


def _check_finished(tx: Transaction, loaded: Loaded, account: Account) -> None:
    agreement = loaded.require(keys.agreement(account.agreement_id))
    commitment = loaded.require(keys.commitment(account.agreement_id))
    if agreement.status != AGREEMENT_STATUS_TERMINATED:
        raise WrongStatus(f"agreement {account.agreement_id} is in force: terminate it first")
    waits_s = agreement.terminated_at_s + agreement.withdrawal_notice_s - tx.timestamp_s
    if tx.caller.msp_id == account.customer_msp_id and waits_s > 0:
        raise NoticePeriod(f"the provider may charge late readings for another {waits_s} s, or close the account")
    if commitment.claimed_sequence != commitment.sequence:
        raise WrongStatus("there is usage that is not claimed: usage.claim, then account.settle")
    if not is_invoiced(account, commitment) or due_micro(account, commitment):
        raise WrongStatus("the claim is not settled: account.settle")


def _check_settled_as_far_as_can_be(loaded: Loaded, account: Account) -> None:
    commitment = loaded.require(keys.commitment(account.agreement_id))
    collectable = escrow_micro(account) and due_micro(account, commitment) > 0
    if not is_invoiced(account, commitment) or collectable:
        raise WrongStatus("the last claim is not settled: account.settle")


async def _load_other(tx: Transaction, parties: tuple[str, str]) -> Member:
    """The party that is not the caller; only the account says who that is."""
    key = keys.member(next(party for party in parties if party != tx.caller.msp_id))
    return (await tx.load(key)).require(key)


def _drop_key_policies(tx: Transaction, agreement: Agreement) -> None:
    """What the two parties alone endorsed so far is everybody's again, so that no key names a member that leaves later.

    The keys themselves stay: both parties' archives are proven against the last digests. A policy is changed by whom it
    names, so both parties' peers endorse the closing. Where one is suspended or excluded its peer may be out of reach,
    and the policy stays; it bars nobody from anything, as nothing ever writes the keys of a closed account.
    """
    tx.stub.clear_key_policy(keys.commitment(agreement.agreement_id).name)
    if agreement.open:
        tx.stub.clear_key_policy(keys.head(agreement.agreement_id).name)


def _write(tx: Transaction, name: str, account: Account, postings: Sequence[Posting] = ()) -> Account:
    tx.put(keys.account(account.agreement_id), account)
    parties = (account.provider_msp_id, account.customer_msp_id)
    tx.emit(name, msp_ids=parties, agreement_id=account.agreement_id, postings=postings)
    return account
