"""account.close: the end of an account, with the other party; or where that is excluded, without it."""

from __future__ import annotations

from chaincode import keys
from chaincode.account import (
    due_micro,
    escrow_account,
    escrow_micro,
    load_account,
    note_settled,
    payable_micro,
    require_open,
    write_account,
)
from chaincode.business import TAKING_PART
from chaincode.checks import check_named
from chaincode.claim import is_unclaimed, note_claim, open_period
from chaincode.errors import NoticePeriod, WrongStatus
from chaincode.head import proven_head, read_disclosure
from chaincode.invoice import bill_claim, is_invoiced, write_invoices
from chaincode.membership import end_obligation
from chaincode.relation import parties
from chaincode.token import credited, load_released, move
from chaincode.transaction import Loaded, Transaction
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account, CloseAccount
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_TERMINATED, Agreement
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED, Member
from zunft.v1.token_pb2 import Posting
from zunft.v1.usage_pb2 import AccountHead, Commitment


async def close(tx: Transaction, request: CloseAccount) -> Account:
    """account.close: of a terminated agreement, everything claimed and paid; the rest goes back to the customer.

    The customer has to wait for the withdrawal's notice to run out, so that the provider can charge late readings. With
    an excluded party there is nothing to wait for: the caller discloses the last head, and what is not claimed yet is
    billed and paid as far as the escrow goes.
    """
    balance_key = keys.balance(request.customer_msp_id)
    loaded = await load_account(tx, request.agreement_id, balance_key, keys.agreement(request.agreement_id))
    account = require_open(loaded, request.agreement_id)
    members = (account.provider_msp_id, account.customer_msp_id)

    tx.check_relation(*parties(account))
    check_named(request.customer_msp_id, account.customer_msp_id)
    other = await _load_other(tx, members)
    postings = []
    if other.status == MEMBER_STATUS_EXCLUDED:
        postings += await _settle_alone(tx, loaded, account)
    else:
        _check_finished(tx, loaded, account)

    rest_micro = escrow_micro(account)
    account.withdrawn_micro += rest_micro
    account.ClearField("notice")
    account.status = ACCOUNT_STATUS_CLOSED
    balance = credited(loaded, account.customer_msp_id, rest_micro)
    postings += [move(escrow_account(account), balance_key.name, rest_micro)] if rest_micro else []

    tx.put(balance_key, balance)
    for party in members:
        end_obligation(tx, party, keys.account(account.agreement_id))
    if other.status in TAKING_PART:
        _drop_key_policies(tx, loaded.require(keys.agreement(account.agreement_id)))
    return write_account(tx, "account.close", account, postings)


def _check_finished(tx: Transaction, loaded: Loaded, account: Account) -> None:
    agreement = loaded.require(keys.agreement(account.agreement_id))
    commitment = loaded.require(keys.commitment(account.agreement_id))
    if agreement.status != AGREEMENT_STATUS_TERMINATED:
        raise WrongStatus(f"agreement {account.agreement_id} is in force: terminate it first")
    waits_s = agreement.terminated_at_s + agreement.withdrawal_notice_s - tx.timestamp_s
    if tx.caller.msp_id == account.customer_msp_id and waits_s > 0:
        raise NoticePeriod(f"the provider may charge late readings for another {waits_s} s, or close the account")
    if is_unclaimed(commitment):
        raise WrongStatus("there is usage that is not claimed: usage.claim, then account.settle")
    if not is_invoiced(account, commitment) or due_micro(account, commitment):
        raise WrongStatus("the claim is not settled: account.settle")


async def _load_other(tx: Transaction, members: tuple[str, str]) -> Member:
    """The party that is not the caller; only the account says who that is."""
    key = keys.member(next(one for one in members if one != tx.caller.msp_id))
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


# --- without the other party ------------------------------------------------------------------------------------------


async def _settle_alone(tx: Transaction, loaded: Loaded, account: Account) -> list[Posting]:
    """Bills what is not claimed yet, and pays what the escrow covers.

    The claim is nowhere written: the commitment takes nothing that the excluded party does not endorse. Who has the
    last head can tell the claim from it, see usage.read_claim.
    """
    provider = account.provider_msp_id
    commitment = loaded.require(keys.commitment(account.agreement_id))
    money = await tx.load(keys.balance(provider), keys.invoice_counter(provider), keys.head(account.agreement_id))
    released = await load_released(tx, provider)

    if not is_settled_so_far(account, commitment):
        raise WrongStatus("the last claim is not settled: account.settle")
    if is_unclaimed(commitment):
        head = _last_head(tx, loaded, money, commitment)
        note_claim(commitment, head, open_period(head, commitment))

    payment_micro = payable_micro(money, account, commitment, released)
    invoices = bill_claim(account, commitment, money, tx.timestamp_s)
    note_settled(account, commitment, payment_micro)

    tx.put(keys.balance(provider), credited(money, provider, payment_micro + released.amount_micro))
    write_invoices(tx, invoices)
    paid = [move(escrow_account(account), keys.balance(provider).name, payment_micro)] if payment_micro else []
    return [*released.write(tx), *paid]


def is_settled_so_far(account: Account, commitment: Commitment) -> bool:
    """Whether what is claimed is invoiced, and paid as far as the escrow goes."""
    is_collectable = escrow_micro(account) > 0 and due_micro(account, commitment) > 0
    return is_invoiced(account, commitment) and not is_collectable


def _last_head(tx: Transaction, loaded: Loaded, more: Loaded, commitment: Commitment) -> AccountHead:
    """Of an open agreement everybody has it; of another one the caller discloses it, to the endorsers alone."""
    if loaded.require(keys.agreement(commitment.agreement_id)).open:
        return more.require(keys.head(commitment.agreement_id))
    return proven_head(read_disclosure(tx).head, commitment)
