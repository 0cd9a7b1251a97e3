"""The consortium's token: account-based, with double entry, backed by money at the issuer's bank.

Always true: minted - burned = balances + escrows + holds + deposits.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode import keys
from chaincode.checks import check_amount, check_identifier, check_text, format_amount
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    InsufficientFunds,
    MalformedRequest,
    RefundOwed,
    WrongStatus,
)
from chaincode.members.status import (
    GONE,
    check_gone,
    check_holds_tokens,
    check_takes_transfers,
)
from chaincode.recent import (
    check_not_too_often,
    note_change,
)
from chaincode.rights.relation import (
    RelatedMember,
    Relation,
)
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.account_pb2 import RecentChanges
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import Member
from zunft.v1.token_pb2 import (
    REDEMPTION_STATUS_CONFIRMED,
    REDEMPTION_STATUS_HELD,
    REDEMPTION_STATUS_REJECTED,
    Balance,
    ConfirmRedemption,
    Entry,
    MintRecord,
    MintTokens,
    Posting,
    PostReserve,
    RedeemTokens,
    Redemption,
    RejectRedemption,
    Supply,
    TransferTokens,
)

MAX_SUPPLY_MICRO = 2**62
# A transfer or a mint writes the receiver's balance, so the receiver's own transactions of that moment conflict. Nobody
# shall do that to another member for nothing: each time costs a token, which goes to the disturbed member.
LEAST_TRANSFER_MICRO = 10**6


async def mint(tx: TransactionContext, request: MintTokens) -> Balance:
    """token.mint: the issuer mints tokens against a bank credit; one bank reference mints once."""
    record_key, balance_key = keys.mint(request.bank_reference), keys.balance(request.msp_id)
    loaded = await tx.load(keys.CHARTER, keys.SUPPLY, keys.member(request.msp_id), record_key, balance_key)
    supply = loaded.require(keys.SUPPLY)

    tx.check_relation(issuer(loaded))
    check_identifier("bank_reference", request.bank_reference)
    check_amount(request.amount_micro)
    if request.amount_micro < LEAST_TRANSFER_MICRO:
        raise AmountOutOfRange(
            f"{format_amount(LEAST_TRANSFER_MICRO)} tokens are the least that is minted: pay a smaller credit back"
        )
    check_holds_tokens(loaded, request.msp_id)
    if loaded.has(record_key):
        raise AlreadyExists(f"bank reference {request.bank_reference} has been minted already")
    if supply.minted_micro + request.amount_micro > MAX_SUPPLY_MICRO:
        raise AmountOutOfRange(f"no more than {format_amount(MAX_SUPPLY_MICRO)} tokens can ever be minted")

    balance = credited(loaded, request.msp_id, request.amount_micro)
    supply.minted_micro += request.amount_micro

    tx.put(
        record_key,
        MintRecord(bank_reference=request.bank_reference, msp_id=request.msp_id, amount_micro=request.amount_micro),
    )
    tx.put(balance_key, balance)
    tx.put(keys.SUPPLY, supply)
    posting = move("issued", balance_key.name, request.amount_micro)
    tx.emit("token.mint", msp_ids=[request.msp_id], postings=[posting])
    return balance


async def transfer(tx: TransactionContext, request: TransferTokens) -> Balance:
    """token.transfer: moves tokens from the caller's member to another one."""
    sender, receiver = tx.caller.msp_id, request.to_msp_id
    loaded = await tx.load(keys.balance(sender), keys.balance(receiver), keys.member(receiver))

    check_amount(request.amount_micro)
    if request.amount_micro < LEAST_TRANSFER_MICRO:
        raise AmountOutOfRange(
            f"a transfer moves {format_amount(LEAST_TRANSFER_MICRO)} tokens at least: redeem the rest, or send it with "
            "the next transfer"
        )
    check_text("reference", request.reference)
    check_takes_transfers(loaded, receiver)
    if sender == receiver:
        raise MalformedRequest("sender and receiver are the same member")
    check_balance(loaded, sender, request.amount_micro)

    left = credited(loaded, sender, -request.amount_micro)
    grown = credited(loaded, receiver, request.amount_micro)

    tx.put(keys.balance(sender), left)
    tx.put(keys.balance(receiver), grown)
    posting = move(keys.balance(sender).name, keys.balance(receiver).name, request.amount_micro)
    tx.emit("token.transfer", msp_ids=[sender, receiver], postings=[posting])
    return left


async def redeem(tx: TransactionContext, request: RedeemTokens) -> Redemption:
    """token.redeem: holds the caller's tokens until the issuer has paid them out, or rejects the redemption.

    A member that has left or was excluded cannot send transactions. It claims its tokens and its deposit from the
    issuer, which redeems them for it.
    """
    msp_id = request.for_msp_id or tx.caller.msp_id
    lately_key, is_small = keys.small_redemptions(msp_id), request.amount_micro < LEAST_TRANSFER_MICRO
    loaded = await tx.load(keys.CHARTER, keys.balance(msp_id), keys.member(msp_id), lately_key)
    lately = loaded.find(lately_key) or RecentChanges()

    tx.check_relation(issuer(loaded), (Relation.OWNER, msp_id))
    check_amount(request.amount_micro)
    if request.for_msp_id:
        check_gone(loaded, msp_id)
    released = Released(loaded.require(keys.member(msp_id)))
    check_balance(loaded, msp_id, request.amount_micro, released.amount_micro)
    _check_worth_paying(request.amount_micro, free_micro(find_balance(loaded, msp_id), released.amount_micro))
    if is_small:
        check_not_too_often(lately, tx.timestamp_s, f"{msp_id} has had less than a token redeemed")

    left = credited(loaded, msp_id, released.amount_micro - request.amount_micro)
    redemption = Redemption(
        redemption_id=tx.stub.tx_id,
        msp_id=msp_id,
        amount_micro=request.amount_micro,
        status=REDEMPTION_STATUS_HELD,
    )

    tx.put(keys.balance(msp_id), left)
    if is_small:
        note_change(lately, tx.timestamp_s)
        tx.put(lately_key, lately)
    tx.put(keys.redemption(redemption.redemption_id), redemption)
    posting = move(keys.balance(msp_id).name, hold_account(redemption), request.amount_micro)
    tx.emit("token.redeem", msp_ids=[msp_id], postings=[*released.write(tx), posting])
    return redemption


async def confirm_redemption(tx: TransactionContext, request: ConfirmRedemption) -> Redemption:
    """token.confirm_redemption: burns the held tokens, as the bank has paid. One bank reference confirms once."""
    payout_key = keys.payout(request.bank_reference)
    loaded = await tx.load(keys.CHARTER, keys.SUPPLY, keys.redemption(request.redemption_id), payout_key)
    redemption = loaded.require(keys.redemption(request.redemption_id))
    supply = loaded.require(keys.SUPPLY)

    tx.check_relation(issuer(loaded))
    check_identifier("bank_reference", request.bank_reference)
    _check_held(redemption)
    if loaded.has(payout_key):
        raise AlreadyExists(f"bank reference {request.bank_reference} has confirmed a redemption already")

    redemption.status = REDEMPTION_STATUS_CONFIRMED
    redemption.bank_reference = request.bank_reference
    supply.burned_micro += redemption.amount_micro

    tx.put(keys.redemption(redemption.redemption_id), redemption)
    tx.put(payout_key, redemption)
    tx.put(keys.SUPPLY, supply)
    posting = move(hold_account(redemption), "issued", redemption.amount_micro)
    tx.emit("token.confirm_redemption", msp_ids=[redemption.msp_id], postings=[posting])
    return redemption


async def reject_redemption(tx: TransactionContext, request: RejectRedemption) -> Redemption:
    """token.reject_redemption: gives the held tokens back, as the bank cannot pay."""
    key, balance_key = keys.redemption(request.redemption_id), keys.balance(request.msp_id)
    loaded = await tx.load(keys.CHARTER, key, balance_key)
    redemption = loaded.require(key)

    tx.check_relation(issuer(loaded))
    check_text("reason", request.reason)
    _check_held(redemption)
    if redemption.msp_id != request.msp_id:
        raise MalformedRequest(f"the redemption is {redemption.msp_id}'s, not {request.msp_id}'s")

    grown = credited(loaded, redemption.msp_id, redemption.amount_micro)
    redemption.status = REDEMPTION_STATUS_REJECTED
    redemption.rejection_reason = request.reason

    tx.put(key, redemption)
    tx.put(balance_key, grown)
    posting = move(hold_account(redemption), balance_key.name, redemption.amount_micro)
    tx.emit("token.reject_redemption", msp_ids=[redemption.msp_id], postings=[posting])
    return redemption


async def post_reserve(tx: TransactionContext, request: PostReserve) -> Supply:
    """token.post_reserve: writes the issuer's bank balance, so that everybody can compare it with the tokens."""
    loaded = await tx.load(keys.CHARTER, keys.SUPPLY)
    supply = loaded.require(keys.SUPPLY)

    tx.check_relation(issuer(loaded))
    check_identifier("statement_id", request.statement.statement_id)
    if request.statement.balance_micro < 0:
        raise AmountOutOfRange("the reserve cannot be negative")
    if request.statement.booked_at_s < supply.reserve.booked_at_s:
        raise MalformedRequest("a later statement has been posted already")

    supply.reserve.CopyFrom(request.statement)

    tx.put(keys.SUPPLY, supply)
    tx.emit("token.post_reserve", msp_ids=[tx.caller.msp_id])
    return supply


# --- shared with the other nouns that move tokens --------------------------------------------------------------------


def credited(loaded: Loaded, msp_id: str, amount_micro: int) -> Balance:
    """The member's balance after an amount (negative: a debit)."""
    balance = find_balance(loaded, msp_id)
    balance.amount_micro += amount_micro
    return balance


def find_balance(loaded: Loaded, msp_id: str) -> Balance:
    """The member's balance; an empty one where it never had any tokens."""
    return loaded.find(keys.balance(msp_id)) or Balance(msp_id=msp_id)


def free_micro(balance: Balance, more_micro: int = 0) -> int:
    """The tokens that the member may spend: all but its debts. `more_micro` comes in with the same transaction."""
    return max(balance.amount_micro + more_micro - balance.owed_micro, 0)


def check_balance(loaded: Loaded, msp_id: str, amount_micro: int, more_micro: int = 0) -> None:
    """Checks that the member may spend the amount and keeps enough for its debts.

    `more_micro` is the amount that it gets in the same transaction. Raises RefundOwed, InsufficientFunds.
    """
    balance = find_balance(loaded, msp_id)
    spare_micro = free_micro(balance, more_micro)
    if amount_micro <= spare_micro:
        return
    has = format_amount(balance.amount_micro + more_micro)
    if balance.owed_micro:
        raise RefundOwed(
            f"{msp_id} owes {format_amount(balance.owed_micro)} tokens to its customers and may spend "
            f"{format_amount(spare_micro)} of its {has}: settle the accounts concerned, or pay in at the issuer's bank"
        )
    raise InsufficientFunds(
        f"{msp_id} has {has} tokens and needs {format_amount(amount_micro)}: pay in at the issuer's bank first"
    )


@dataclass(frozen=True, slots=True)
class Released:
    """A member's deposit that is free again: all of it if the member is gone, else nothing.

    It goes into the balance with the first transaction that debits the balance. The deciding vote moves no tokens: it
    would have to read the balance, and the member could change that again and again to block the vote.
    """

    member: Member

    @property
    def amount_micro(self) -> int:
        return self.member.deposit_micro if self.member.status in GONE else 0

    def write(self, tx: TransactionContext) -> list[Posting]:
        """Takes the deposit out of the member's record; the caller has to credit the amount to the balance."""
        amount_micro, msp_id = self.amount_micro, self.member.msp_id
        if not amount_micro:
            return []
        self.member.deposit_micro = 0
        tx.put(keys.member(msp_id), self.member)
        return [move(deposit_account(msp_id), keys.balance(msp_id).name, amount_micro)]


def deposit_account(msp_id: str) -> str:
    return f"deposit/{msp_id}"


def issuer(loaded: Loaded) -> RelatedMember:
    """The charter's issuer, as the member in this relation."""
    charter: Charter = loaded.require(keys.CHARTER)
    return Relation.ISSUER, charter.token.issuer_msp_id


def move(source: str, target: str, amount_micro: int) -> Posting:
    """One balanced movement between two token accounts."""
    return Posting(
        entries=[Entry(account=source, amount_micro=-amount_micro), Entry(account=target, amount_micro=amount_micro)]
    )


def hold_account(redemption: Redemption) -> str:
    return f"hold/{redemption.redemption_id}"


def _check_held(redemption: Redemption) -> None:
    if redemption.status != REDEMPTION_STATUS_HELD:
        raise WrongStatus(f"redemption {redemption.redemption_id[:16]} is decided already")


def _check_worth_paying(amount_micro: int, all_micro: int) -> None:
    """Checks that the amount is a token at least, or all that there is: the issuer makes no smaller payments.

    Raises AmountOutOfRange.
    """
    if amount_micro < min(LEAST_TRANSFER_MICRO, all_micro):
        raise AmountOutOfRange(
            f"{format_amount(amount_micro)} tokens are too little to be paid out: "
            f"name {format_amount(LEAST_TRANSFER_MICRO)} at least, or all {format_amount(all_micro)} that there are"
        )
