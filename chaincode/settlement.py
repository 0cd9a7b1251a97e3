"""account.settle: what is claimed is invoiced and paid, and what was paid too much is given back.

Neither party needs the other for it, nor can either stop it: the escrow pays as far as it goes, and what a provider has
to give back and lacks is noted.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode import keys
from chaincode.account import claimed, due_micro, escrow_account, escrow_micro, load_account, write_account
from chaincode.checks import check_named
from chaincode.errors import WrongStatus
from chaincode.invoice import bill_claim, write_invoices
from chaincode.relation import parties
from chaincode.token import Released, credited, move
from chaincode.transaction import Loaded, Transaction
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account, SettleAccount
from zunft.v1.token_pb2 import Balance, Posting
from zunft.v1.usage_pb2 import Commitment


async def settle(tx: Transaction, request: SettleAccount) -> Account:
    """account.settle: issues the claim's invoice and credit note, and pays what the escrow covers.

    What a credit limit left uncovered is paid when the customer has funded the account and it is settled again. A claim
    that fell is refunded from the provider's balance as far as that goes, and the rest when it is settled again, be the
    account open or closed.
    """
    provider = request.provider_msp_id
    money = keys.balance(provider), keys.invoice_counter(provider), keys.member(provider)
    loaded = await load_account(tx, request.agreement_id, *money)
    account = loaded.require(keys.account(request.agreement_id))
    commitment = loaded.require(keys.commitment(request.agreement_id))
    customer_key = keys.balance(account.customer_msp_id)
    customer = await tx.load(customer_key)

    tx.check_relation(*parties(account))
    check_named(provider, account.provider_msp_id)
    _check_can_be_settled(account)
    invoices = bill_claim(account, commitment, loaded, tx.timestamp_s)
    payment_micro = payable_micro(loaded, account, commitment)
    if not invoices and payment_micro == 0:
        raise WrongStatus("there is nothing to settle: claim what was used first, or fund the account")

    payment = pay(loaded, account, commitment)
    back_micro = back_to_customer(account) if account.status == ACCOUNT_STATUS_CLOSED else 0
    back = [move(escrow_account(account), customer_key.name, back_micro)] if back_micro else []

    postings = [*payment.write(tx), *back]
    if back_micro:
        tx.put(customer_key, credited(customer, account.customer_msp_id, back_micro))
    write_invoices(tx, invoices)
    return write_account(tx, "account.settle", account, postings)


# --- shared with account.close ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payment:
    """The provider's balance afterwards, the deposit that went into it, and the movement."""

    balance: Balance
    released: Released
    postings: list[Posting]

    def write(self, tx: Transaction) -> list[Posting]:
        """All movements."""
        tx.put(keys.balance(self.balance.msp_id), self.balance)
        return [*self.released.write(tx), *self.postings]


def payable_micro(loaded: Loaded, account: Account, commitment: Commitment) -> int:
    """From the escrow to the provider; negative: what it gives back, as far as it has that.

    `loaded`: the provider's balance and its member record, as who is gone gives back its deposit, too.
    """
    balance = loaded.find(keys.balance(account.provider_msp_id)) or Balance()
    released = Released(loaded.require(keys.member(account.provider_msp_id)))
    payment_micro = min(due_micro(account, commitment), escrow_micro(account))
    return max(payment_micro, -balance.amount_micro - released.amount_micro)


def pay(loaded: Loaded, account: Account, commitment: Commitment) -> Payment:
    """The account notes what is invoiced, paid and owed, in place. `loaded`: as for `payable_micro`."""
    provider, payment_micro = account.provider_msp_id, payable_micro(loaded, account, commitment)
    _, account.invoiced_usage_micro, account.invoiced_correction_micro = claimed(account, commitment)
    account.paid_micro += payment_micro
    owed_micro = max(-due_micro(account, commitment), 0)
    released = Released(loaded.require(keys.member(provider)))
    balance = credited(loaded, provider, payment_micro + released.amount_micro)
    balance.owed_micro += owed_micro - account.owed_back_micro
    account.owed_back_micro = owed_micro
    movement = move(escrow_account(account), keys.balance(provider).name, payment_micro)
    return Payment(balance, released, [movement] if payment_micro else [])


def back_to_customer(account: Account) -> int:
    """All that is left in the escrow of an account that is closed, or is about to be; in place."""
    rest_micro = escrow_micro(account)
    account.withdrawn_micro += rest_micro
    return rest_micro


# --- details ---------------------------------------------------------------------------------------------------------


def _check_can_be_settled(account: Account) -> None:
    """A closed account waits for nothing but what its provider owes."""
    if account.status == ACCOUNT_STATUS_CLOSED and not account.owed_back_micro:
        raise WrongStatus(f"the account of {account.agreement_id} is closed, and nothing is owed to it")
