"""How a customer takes funds back: it gives notice, waits, and leaves the amount that the last head charges.

A notice holds back funds only from usage later than itself, so earlier usage can be charged until it has run out. It
rests while the provider is suspended and can charge nothing.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.account.account import (
    check_may_change,
    drawable_micro,
    escrow_account,
    escrow_micro,
    last_amounts,
    load_account,
    require_open,
    write_account,
)
from chaincode.account.commitment import read_commitment
from chaincode.checks import MAX_CLOCK_SKEW_S, format_amount, format_duration
from chaincode.errors import AmountOutOfRange, InsufficientFunds, NoticePeriod
from chaincode.members.status import suspended_s
from chaincode.recent import note_change
from chaincode.rights.relation import parties
from chaincode.token import credited, move
from chaincode.transaction_context import TransactionContext
from zunft.v1.account_pb2 import Account, GiveNotice, WithdrawFunds
from zunft.v1.agreement_pb2 import Agreement
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import Member

# The notice where the charter names none: a plant may be cut off over a weekend and a holiday.
LEAST_NOTICE_S = 7 * 86_400
# The longest time for which a suspension holds a customer's funds.
MAX_REST_S = 90 * 86_400


async def give_notice(tx: TransactionContext, request: GiveNotice) -> Account:
    """account.give_notice: keeps usage from now on from drawing on this amount; 0 takes the notice back."""
    agreement_key = keys.agreement(request.agreement_id)
    loaded = await tx.load(keys.account(request.agreement_id), agreement_key, keys.CHARTER)
    account = require_open(loaded, request.agreement_id)
    agreement, charter = loaded.require(agreement_key), loaded.require(keys.CHARTER)
    provider = (await tx.load(keys.member(account.provider_msp_id))).require(keys.member(account.provider_msp_id))

    tx.check_relation(*parties(account))
    if request.amount_micro < 0:
        raise AmountOutOfRange("the amount must not be negative")
    if request.amount_micro > escrow_micro(account):
        raise InsufficientFunds(
            f"the escrow holds {format_amount(escrow_micro(account))} tokens: give notice of that at most"
        )
    check_may_change(tx, account)

    account.ClearField("notice")
    note_change(account.changes, tx.timestamp_s)
    if request.amount_micro:
        account.notice.amount_micro = request.amount_micro
        account.notice.holds_from_s = tx.timestamp_s + MAX_CLOCK_SKEW_S
        account.notice.not_before_s = tx.timestamp_s + notice_s(agreement, charter)
        account.notice.suspended_before_s = suspended_s(provider, tx.timestamp_s)

    return write_account(tx, "account.give_notice", account)


async def withdraw(tx: TransactionContext, request: WithdrawFunds) -> Account:
    """account.withdraw: gives the notice's amount back to the customer; the amount that the last head charges stays."""
    customer_key, head_key = keys.balance(tx.caller.msp_id), keys.head(request.agreement_id)
    loaded = await load_account(tx, request.agreement_id, customer_key, head_key)
    account = require_open(loaded, request.agreement_id)
    commitment = read_commitment(loaded, account)
    provider = (await tx.load(keys.member(account.provider_msp_id))).require(keys.member(account.provider_msp_id))

    tx.check_relation(*parties(account))
    if not account.HasField("notice"):
        raise NoticePeriod("no notice is running: give notice of the withdrawal first")
    check_has_run(tx, account.notice.not_before_s, account.notice.suspended_before_s, provider)
    check_may_change(tx, account)
    unpaid_micro = max(last_amounts(tx, loaded, account, commitment).micro - account.paid_micro, 0)
    amount_micro = min(account.notice.amount_micro, escrow_micro(account) - unpaid_micro)
    if amount_micro <= 0:
        raise InsufficientFunds("everything in the escrow is charged by the provider: claim and settle the account")

    account.ClearField("notice")
    note_change(account.changes, tx.timestamp_s)
    account.withdrawn_micro += amount_micro
    balance = credited(loaded, account.customer_msp_id, amount_micro)
    posting = move(escrow_account(account), keys.balance(account.customer_msp_id).name, amount_micro)

    tx.put(keys.balance(account.customer_msp_id), balance)
    return write_account(tx, "account.withdraw", account, [posting])


# --- shared with the other nouns -----------------------------------------------------------------------------------


def notice_s(agreement: Agreement, charter: Charter) -> int:
    """The time for which a notice runs: the agreed one, and not less than the charter's.

    The member that gives notice dates it, and could give an earlier date, so the possible difference is added. Without
    a notice period that member gains nothing by it, and nothing is added.
    """
    longer_s = max(agreement.withdrawal_notice_s, least_notice_s(charter))
    return longer_s + MAX_CLOCK_SKEW_S if longer_s else 0


def least_notice_s(charter: Charter) -> int:
    """The shortest notice for every agreement, also for one that is older than this rule of the charter."""
    rules = charter.accounts
    return rules.withdrawal_notice_s if rules.HasField("withdrawal_notice_s") else LEAST_NOTICE_S


def check_has_run(tx: TransactionContext, not_before_s: int, suspended_before_s: int, provider: Member) -> None:
    """Checks that the notice has run out. Raises NoticePeriod.

    `suspended_before_s` is the time for which the provider had been suspended when the notice began.
    """
    rested_s = max(suspended_s(provider, tx.timestamp_s) - suspended_before_s, 0)
    waits_s = not_before_s + min(rested_s, MAX_REST_S) - tx.timestamp_s
    if waits_s > 0:
        raise NoticePeriod(
            f"the notice runs for another {format_duration(waits_s)}: until then the provider may charge what was used"
        )


def covered_micro(account: Account, agreement: Agreement, time_us: int) -> int:
    """The amount that all usage together may reach without credit, up to a reading of this time."""
    if account.HasField("notice") and time_us < holds_from_us(account, agreement):
        return drawable_micro(account) + account.notice.amount_micro
    return drawable_micro(account)


def holds_from_us(account: Account, agreement: Agreement) -> int:
    """The time from which on the notice holds its amount back; computed for a notice that an earlier contract took."""
    notice = account.notice
    given_s = notice.not_before_s - agreement.withdrawal_notice_s
    return (notice.holds_from_s or given_s + MAX_CLOCK_SKEW_S) * 10**6
