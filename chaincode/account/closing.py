"""account.close: the end of an account. Either party can close it, and needs nothing from the other one.

Both have endorsed the last head. So the party that closes shows the majority its amounts, which are billed and paid.
Where a party is gone, the issuer may close as well, so that nobody's tokens stay in an escrow for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode import keys
from chaincode.account.account import (
    charged_micro,
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
from chaincode.account.invoice import is_invoiced
from chaincode.account.settlement import (
    Shares,
    is_settled,
    money_keys,
    pay_out,
)
from chaincode.account.withdrawal import (
    check_has_run,
    notice_s,
)
from chaincode.checks import check_named, format_amount
from chaincode.errors import InsufficientFunds, WrongStatus
from chaincode.members.status import (
    ABSENT,
    check_ends_itself,
    end_obligation,
)
from chaincode.rights.relation import parties
from chaincode.token import issuer
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account, CloseAccount
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_TERMINATED
from zunft.v1.member_pb2 import Member
from zunft.v1.usage_pb2 import Commitment


async def close(tx: TransactionContext, request: CloseAccount) -> Account:
    """account.close: closes the account of a terminated agreement, or one with a party that is gone.

    The amounts of the last head are billed and paid as far as the escrow goes; the rest goes back to the customer.
    A customer that closes has to wait as for a withdrawal, so that the provider can charge late readings, and has to
    fund everything that it still owes. A provider that closes waits for nothing, and gives up the amounts that the
    escrow does not cover. The issuer waits as long as a customer, from the time when the party went. Each may leave
    the share of a party that is still there in the escrow.
    """
    ending = await _load_ending(tx, request)
    account, commitment = ending.account, ending.commitment

    _check_ended(tx, ending)
    _check_last_claim(ending)
    if is_unclaimed(account, commitment) and not _is_hidden(tx, ending):
        amounts = last_amounts(tx, ending.loaded, account, commitment)
        note_shown(account.shown if is_invoiced(account, commitment) else account.left, commitment, amounts)
    _check_paid(tx, account, commitment)

    paid = pay_out(ending.loaded, account, commitment, ending.shares, tx.timestamp_s)
    account.ClearField("notice")
    account.status = ACCOUNT_STATUS_CLOSED

    for party in (account.provider_msp_id, account.customer_msp_id):
        end_obligation(tx, party, keys.account(account.agreement_id))
    return write_account(tx, "account.close", account, paid.write(tx))


@dataclass(frozen=True, slots=True)
class _Ending:
    """The start of a closing. `gone`: members for which the issuer acts; `shares`: the parties that are paid now."""

    loaded: Loaded
    account: Account
    commitment: Commitment
    gone: tuple[Member, ...]
    shares: Shares


async def _load_ending(tx: TransactionContext, request: CloseAccount) -> _Ending:
    """Does LOAD, and CHECK of the caller. Raises NotFound, WrongStatus, Forbidden, MalformedRequest, UnsoundRecord."""
    agreement_key, head_key = keys.agreement(request.agreement_id), keys.head(request.agreement_id)
    loaded = await load_account(tx, request.agreement_id, agreement_key, head_key, keys.CHARTER)
    account = require_open(loaded, request.agreement_id)
    commitment = read_commitment(loaded, account)

    tx.check_relation(*parties(account), issuer(loaded))
    check_named(request.customer_msp_id, account.customer_msp_id)
    gone = await check_ends_itself(tx, account.provider_msp_id, account.customer_msp_id)

    served = {tx.caller.msp_id, *(member.msp_id for member in gone)}
    moved = is_unclaimed(account, commitment) or not is_settled(account, commitment)
    shares = Shares(
        provider=moved and (not request.leaves_share or account.provider_msp_id in served),
        customer=not request.leaves_share or account.customer_msp_id in served,
    )
    members = keys.member(account.provider_msp_id), keys.member(account.customer_msp_id)
    money = await tx.load(*members, *money_keys(account, shares))
    return _Ending(loaded.with_more(money), account, commitment, gone, shares)


def _check_ended(tx: TransactionContext, ending: _Ending) -> None:
    """Checks that no more usage is to come. Raises WrongStatus, NoticePeriod."""
    loaded, account = ending.loaded, ending.account
    provider = loaded.require(keys.member(account.provider_msp_id))
    customer = loaded.require(keys.member(account.customer_msp_id))
    agreement, charter = loaded.require(keys.agreement(account.agreement_id)), loaded.require(keys.CHARTER)
    if ending.gone:
        # The party that is left can claim until then. All the time for which the provider was suspended is added.
        # Where an earlier contract has not noted when a member went, the time runs from the moment that notes it.
        left_at_s = max(member.left_at_s or tx.timestamp_s for member in ending.gone)
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


def _check_last_claim(ending: _Ending) -> None:
    """Checks that the last claim is settled, or is left for the provider to settle. Raises WrongStatus."""
    if ending.shares.provider and not is_invoiced(ending.account, ending.commitment):
        raise WrongStatus("the last claim is not paid yet: settle the last claim first")


def _is_hidden(tx: TransactionContext, ending: _Ending) -> bool:
    """Whether the issuer does not show the last head; then amounts that no party has claimed are not charged."""
    is_public = ending.loaded.has(keys.head(ending.account.agreement_id))
    return bool(ending.gone) and SHOWN not in tx.stub.transient and not is_public


def _check_paid(tx: TransactionContext, account: Account, commitment: Commitment) -> None:
    """Checks that a customer that closes leaves nothing unpaid. Raises InsufficientFunds."""
    missing_micro = charged_micro(account, commitment) - escrow_micro(account)
    if tx.caller.msp_id == account.customer_msp_id and missing_micro > 0:
        raise InsufficientFunds(f"{format_amount(missing_micro)} tokens are charged and not covered: fund the account")
