"""account.settle: the claimed amounts are invoiced and paid, and amounts that were paid too much are given back.

Neither party needs the other for it, and neither can stop it: the escrow pays as far as it goes, and a refund for which
the provider lacks tokens is noted as a debt. Where one of them is gone, the issuer may settle as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.account import (
    charged_micro,
    claimed,
    due_micro,
    escrow_account,
    escrow_micro,
    load_account,
    write_account,
)
from chaincode.account.commitment import read_commitment
from chaincode.account.debts import (
    MOST_OWED_MICRO,
    as_debts,
    given_back,
    noted,
    owed_to,
    queue_of,
    total_micro,
)
from chaincode.account.invoice import (
    bill_claim,
    is_invoiced,
    write_invoices,
)
from chaincode.checks import check_named, format_amount
from chaincode.errors import AmountOutOfRange, WrongStatus
from chaincode.keys import Key
from chaincode.members.status import check_ends_itself
from chaincode.rights.relation import parties
from chaincode.token import LEAST_TRANSFER_MICRO, Released, credited, find_balance, issuer, move
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account, SettleAccount
from zunft.v1.invoice_pb2 import Invoice
from zunft.v1.token_pb2 import Balance, Debts, Posting
from zunft.v1.usage_pb2 import Commitment


async def settle(tx: TransactionContext, request: SettleAccount) -> Account:
    """account.settle: issues the claim's invoice and credit note, and pays as far as the escrow goes.

    An amount that a credit limit left uncovered is paid when the customer has funded the account and it is settled
    again. If the claimed total has fallen, the difference is refunded from the provider's balance as
    far as that goes, and the rest at the next settlement, whether the account is open or closed. If the account is
    closed, the tokens that were left in its escrow are paid out, too. If the last claim was not settled before the
    closing, it is settled first, and the later charges with the next settlement.
    """
    loaded = await load_account(tx, request.agreement_id, keys.CHARTER)
    account = loaded.require(keys.account(request.agreement_id))
    commitment = read_commitment(loaded, account)
    shares = Shares(
        provider=not is_settled(account, commitment),
        customer=account.status == ACCOUNT_STATUS_CLOSED and charged_micro(account, commitment) <= 0,
    )
    money = await tx.load(*money_keys(account, shares))

    tx.check_relation(*parties(account), issuer(loaded))
    check_named(request.provider_msp_id, account.provider_msp_id)
    await check_ends_itself(tx, account.provider_msp_id, account.customer_msp_id)
    _check_can_be_settled(account, commitment)

    paid = pay_out(money, account, commitment, shares, tx.timestamp_s)
    if account.HasField("left"):
        account.shown.CopyFrom(account.left)
        account.ClearField("left")

    _check_worth_it(tx, account, paid)

    return write_account(tx, "account.settle", account, paid.write(tx))


# --- shared with account.close ---------------------------------------------------------------------------------------


class Shares(NamedTuple):
    """The parties whose share is paid, or given back, in this transaction.

    No record of the other party is read: it can change its balance as often as it likes, and any transaction that has
    read the balance would conflict.
    """

    provider: bool
    customer: bool


def is_settled(account: Account, commitment: Commitment) -> bool:
    """Whether everything that is claimed is invoiced and paid."""
    return is_invoiced(account, commitment) and due_micro(account, commitment) == 0


def money_keys(account: Account, shares: Shares) -> list[Key[Message]]:
    """The keys of the records that `pay_out` needs."""
    provider = provider_keys(account.provider_msp_id) if shares.provider else ()
    return [*provider, *([keys.balance(account.customer_msp_id)] if shares.customer else [])]


@dataclass(frozen=True, slots=True)
class PaidOut:
    """The documents, the provider's payment, the customer's balance afterwards, and the movement back to it."""

    invoices: Sequence[Invoice]
    payment: Payment | None
    customer: Balance | None
    back: Sequence[Posting]

    def write(self, tx: TransactionContext) -> list[Posting]:
        """All movements."""
        write_invoices(tx, self.invoices)
        if self.customer is not None:
            tx.put(keys.balance(self.customer.msp_id), self.customer)
        return [*(self.payment.write(tx) if self.payment else ()), *self.back]


def pay_out(money: Loaded, account: Account, commitment: Commitment, shares: Shares, now_s: int) -> PaidOut:
    """Bills and pays the claimed amounts, and gives the customer the rest; changes the account in place."""
    invoices = bill_claim(account, commitment, money, now_s) if shares.provider else []
    payment = pay(money, account, commitment) if shares.provider else None
    rest_micro = back_to_customer(account, commitment) if shares.customer else 0
    if not rest_micro:
        return PaidOut(invoices, payment, None, ())
    customer = credited(money, account.customer_msp_id, rest_micro)
    back = move(escrow_account(account), keys.balance(customer.msp_id).name, rest_micro)
    return PaidOut(invoices, payment, customer, [back])


@dataclass(frozen=True, slots=True)
class Payment:
    """The provider's balance and debts afterwards, the deposit that went into the balance, and the movement."""

    balance: Balance
    before: Debts
    debts: Debts
    released: Released
    # The amount that went from the escrow to the provider; negative if the provider gave it back.
    paid_micro: int
    postings: list[Posting]

    def write(self, tx: TransactionContext) -> list[Posting]:
        """All movements."""
        tx.put(keys.balance(self.balance.msp_id), self.balance)
        key = keys.debts(self.balance.msp_id)
        if self.debts.debts and self.debts != self.before:
            tx.put(key, self.debts)
        elif self.debts != self.before:
            tx.delete(key)
        return [*self.released.write(tx), *self.postings]


def provider_keys(provider: str) -> tuple[Key[Message], ...]:
    """The keys of the provider's records that `pay` and `bill_claim` need."""
    return keys.balance(provider), keys.debts(provider), keys.invoice_counter(provider), keys.member(provider)


def pay(loaded: Loaded, account: Account, commitment: Commitment) -> Payment:
    """Pays the provider, and notes in the account, in place, the invoiced, paid and owed amounts.

    `loaded` has the provider's keys. The provider gives back as far as it has more than it owed others before. A member
    that is gone gives its deposit, too.
    """
    provider, owed_micro = account.provider_msp_id, max(-due_micro(account, commitment), 0)
    released = Released(loaded.require(keys.member(provider)))
    debts, balance = loaded.find(keys.debts(provider)) or Debts(), find_balance(loaded, provider)
    owing = noted(queue_of(debts, balance, account), account.agreement_id, owed_micro)
    queue = given_back(owing, account.agreement_id, balance.amount_micro + released.amount_micro)
    paid_micro = payment_micro(account, commitment, total_micro(owing) - total_micro(queue))

    _, account.invoiced_usage_micro, account.invoiced_correction_micro = claimed(account, commitment)
    account.paid_micro += paid_micro
    account.owed_back_micro = owed_to(queue, account.agreement_id)
    balance.amount_micro += paid_micro + released.amount_micro
    balance.owed_micro = min(total_micro(queue), MOST_OWED_MICRO)
    movement = move(escrow_account(account), keys.balance(provider).name, paid_micro)
    return Payment(balance, debts, as_debts(queue), released, paid_micro, [movement] if paid_micro else [])


def payment_micro(account: Account, commitment: Commitment, back_micro: int) -> int:
    """The amount from the escrow to the provider, as far as the escrow goes; negative if the provider gives it back."""
    due = due_micro(account, commitment)
    return min(due, escrow_micro(account)) if due > 0 else -back_micro


def back_to_customer(account: Account, commitment: Commitment) -> int:
    """Takes the rest that is not due out of the escrow of an account that is closed, or is about to be; in place."""
    rest_micro = max(escrow_micro(account) - max(charged_micro(account, commitment), 0), 0)
    account.withdrawn_micro += rest_micro
    return rest_micro


# --- details ---------------------------------------------------------------------------------------------------------


def _check_worth_it(tx: TransactionContext, account: Account, paid: PaidOut) -> None:
    """Checks that something is billed or paid, and that a debtor gives back a token at least, or all that is left.

    Each refund conflicts with the customer's own transactions of that moment. The customer itself may take any amount.
    Raises WrongStatus, AmountOutOfRange.
    """
    paid_micro = paid.payment.paid_micro if paid.payment else 0
    if not (paid.invoices or paid_micro or paid.back):
        raise WrongStatus("there is nothing to settle: claim what was used first, or fund the account")
    is_debtor = tx.caller.msp_id == account.provider_msp_id and not paid.invoices
    back_micro, left_micro = -paid_micro, account.owed_back_micro
    if is_debtor and left_micro and 0 < back_micro < LEAST_TRANSFER_MICRO:
        least, owed = format_amount(LEAST_TRANSFER_MICRO), format_amount(left_micro + back_micro)
        raise AmountOutOfRange(
            f"{format_amount(back_micro)} tokens are too little to give back: have {least} at least, or all {owed} "
            "that are owed"
        )


def _check_can_be_settled(account: Account, commitment: Commitment) -> None:
    """Checks that a closed account still has a refund to get, or tokens in its escrow. Raises WrongStatus."""
    is_done = is_invoiced(account, commitment) and due_micro(account, commitment) >= 0 and not escrow_micro(account)
    if account.status == ACCOUNT_STATUS_CLOSED and is_done:
        raise WrongStatus(f"the account of {account.agreement_id} is closed, and nothing is owed to it")
