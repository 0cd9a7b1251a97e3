"""account.close: the end of an account, by either party; it needs nothing of the other one.

Both have endorsed the last head. So who closes shows the majority its amounts, and what they charge is billed and paid.
Where a party is gone, the issuer closes as well, so that nobody's tokens stay in an escrow for ever.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.account.account import (
    due_micro,
    escrow_account,
    escrow_micro,
    is_unclaimed,
    last_amounts,
    load_account,
    note_shown,
    require_open,
    write_account,
)
from chaincode.account.commitment import read_commitment
from chaincode.account.head_digest import SHOWN
from chaincode.account.invoice import (
    bill_claim,
    is_invoiced,
    write_invoices,
)
from chaincode.account.settlement import (
    back_to_customer,
    pay,
    provider_keys,
)
from chaincode.account.withdrawal import (
    check_has_run,
    notice_s,
)
from chaincode.checks import check_named, format_amount
from chaincode.errors import InsufficientFunds, WrongStatus
from chaincode.members.membership import (
    ABSENT,
    check_ends_itself,
    end_obligation,
)
from chaincode.rights.relation import parties
from chaincode.token import credited, issuer, move
from chaincode.transaction import Loaded, Transaction
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account, CloseAccount
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_TERMINATED
from zunft.v1.member_pb2 import Member
from zunft.v1.usage_pb2 import Commitment


async def close(tx: Transaction, request: CloseAccount) -> Account:
    """account.close: of a terminated agreement, or with a party that is gone.

    What the last head charges is billed and paid as far as the escrow goes; the rest goes back to the customer.
    The customer has to wait as for a withdrawal, so that the provider can charge late readings, and to fund what it
    still owes. A provider that closes waits for nothing and does without what the escrow does not cover. The issuer
    waits as a customer, since the party went.
    """
    customer_key, agreement_key = keys.balance(request.customer_msp_id), keys.agreement(request.agreement_id)
    head_key = keys.head(request.agreement_id)
    loaded = await load_account(tx, request.agreement_id, customer_key, agreement_key, head_key, keys.CHARTER)
    account = require_open(loaded, request.agreement_id)
    commitment = read_commitment(loaded, account)
    provider, customer = account.provider_msp_id, account.customer_msp_id
    # The provider changes its balance as often as it likes: only a closing that pays something may conflict with that.
    is_settled = not is_unclaimed(account, commitment) and due_micro(account, commitment) == 0
    members = keys.member(provider), keys.member(customer)
    money = await tx.load(*members, *(() if is_settled else provider_keys(provider)))

    tx.check_relation(*parties(account), issuer(loaded))
    check_named(request.customer_msp_id, customer)
    gone = await check_ends_itself(tx, provider, customer)
    _check_ended(tx, loaded, money, account, gone)
    if not is_invoiced(account, commitment):
        raise WrongStatus("the last claim is not paid yet: settle the last claim first")
    if is_unclaimed(account, commitment) and not (gone and _is_hidden(tx, loaded, account)):
        note_shown(account, commitment, last_amounts(tx, loaded, account, commitment))
    _check_paid(tx, account, commitment)

    invoices = [] if is_settled else bill_claim(account, commitment, money, tx.timestamp_s)
    payment = None if is_settled else pay(money, account, commitment)
    rest_micro = back_to_customer(account)
    account.ClearField("notice")
    account.status = ACCOUNT_STATUS_CLOSED
    customer_balance = credited(loaded, customer, rest_micro)
    rest = [move(escrow_account(account), customer_key.name, rest_micro)] if rest_micro else []

    postings = [*(payment.write(tx) if payment else ()), *rest]
    tx.put(customer_key, customer_balance)
    write_invoices(tx, invoices)
    for party in (provider, customer):
        end_obligation(tx, party, keys.account(account.agreement_id))
    return write_account(tx, "account.close", account, postings)


def _check_ended(tx: Transaction, loaded: Loaded, members: Loaded, account: Account, gone: tuple[Member, ...]) -> None:
    """Whether no more usage is to come. `gone`: for whom the issuer speaks. Raises WrongStatus, NoticePeriod."""
    provider = members.require(keys.member(account.provider_msp_id))
    customer = members.require(keys.member(account.customer_msp_id))
    agreement, charter = loaded.require(keys.agreement(account.agreement_id)), loaded.require(keys.CHARTER)
    if gone:
        # Who is left can claim until then, and a provider for as long as it was suspended, whenever that was.
        # Where an earlier contract has not noted since when one is gone, it runs from when that is noted.
        left_at_s = max(member.left_at_s or tx.timestamp_s for member in gone)
        not_before_s = left_at_s + notice_s(agreement, charter)
        check_has_run(tx, not_before_s, 0, provider)
        return
    if {provider.status, customer.status} & ABSENT:
        return
    if agreement.status != AGREEMENT_STATUS_TERMINATED:
        raise WrongStatus(f"agreement {account.agreement_id} is in force: terminate it first")
    if tx.caller.msp_id == account.customer_msp_id:
        not_before_s = agreement.terminated_at_s + notice_s(agreement, charter)
        check_has_run(tx, not_before_s, agreement.suspended_before_s, provider)


def _is_hidden(tx: Transaction, loaded: Loaded, account: Account) -> bool:
    """Whether the issuer does not show the last head: what no party has claimed by then is not charged."""
    return SHOWN not in tx.stub.transient and not loaded.has(keys.head(account.agreement_id))


def _check_paid(tx: Transaction, account: Account, commitment: Commitment) -> None:
    """Whether a customer that closes leaves nothing unpaid. Raises InsufficientFunds."""
    missing_micro = due_micro(account, commitment) - escrow_micro(account)
    if tx.caller.msp_id == account.customer_msp_id and missing_micro > 0:
        raise InsufficientFunds(f"{format_amount(missing_micro)} tokens are charged and not covered: fund the account")
