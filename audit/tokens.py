"""Checks that tokens were minted, moved and burned by double entry, and that the issuer's bank balance covers them.

Always true: minted - burned = balances + escrows + holds + deposits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from audit.report import Tally
from audit.world import (
    Step,
    World,
)
from chaincode import keys
from chaincode.checks import format_amount
from zunft.v1.account_pb2 import Account
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.member_pb2 import Member
from zunft.v1.token_pb2 import (
    REDEMPTION_STATUS_CONFIRMED,
    REDEMPTION_STATUS_HELD,
    Balance,
    MintRecord,
    Redemption,
    ReserveStatement,
    Supply,
)

ISSUED = "issued"


class Tokens:
    """Replays all movements from the state and compares them with the postings."""

    def __init__(self) -> None:
        question = "Is every token accounted for, from its minting to its burning?"
        self.tally = Tally("tokens", question, "postings")
        self.amounts_micro: dict[str, int] = defaultdict(int)

    def check(self, step: Step) -> None:
        changes_micro = _changes_micro(step)
        for account, change_micro in changes_micro.items():
            self.amounts_micro[account] += change_micro
            in_credit = account == ISSUED or self.amounts_micro[account] >= 0
            self.tally.demand(
                in_credit, f"{step}: {account} is overdrawn: it has {format_amount(self.amounts_micro[account])} tokens"
            )
        self._check_debts(step)
        self._check_postings(step, changes_micro)
        self._check_issue(step, changes_micro.get(ISSUED, 0))

    def check_sum(self, block_number: int) -> None:
        """Checks, after each block, that all accounts add up to zero."""
        gap_micro = sum(self.amounts_micro.values())
        self.tally.demand(
            gap_micro == 0, f"block {block_number}: {format_amount(gap_micro)} tokens are not accounted for"
        )

    def _check_debts(self, step: Step) -> None:
        """Checks that no member spends tokens that it owes. Settling an account changes the debt with the balance."""
        for msp_id in step.written("balance"):
            key = keys.balance(msp_id)
            before, after = step.before(key) or Balance(), step.after(key) or Balance()
            spent = after.amount_micro < before.amount_micro and after.owed_micro == before.owed_micro
            self.tally.demand(
                not spent or after.amount_micro >= after.owed_micro,
                f"{step}: {msp_id} spent tokens of which it owes {format_amount(after.owed_micro)}",
            )

    def _check_postings(self, step: Step, changes_micro: Mapping[str, int]) -> None:
        postings = LedgerEvent.FromString(step.transaction.event_payload).postings
        posted_micro: dict[str, int] = defaultdict(int)
        for posting in postings:
            self.tally.count()
            balanced = sum(entry.amount_micro for entry in posting.entries) == 0
            self.tally.demand(balanced, f"{step}: a posting is not balanced")
            for entry in posting.entries:
                posted_micro[entry.account] += entry.amount_micro
        posted = {account: amount for account, amount in posted_micro.items() if amount}
        self.tally.demand(posted == changes_micro, f"{step}: the state moved other amounts than were posted")

    def _check_issue(self, step: Step, issued_micro: int) -> None:
        """Checks that tokens come with a bank credit that is new, and go with a redemption that was held."""
        minted = [_minted_micro(step, reference) for reference in step.written("mint")]
        burned = [_burned_micro(step, redemption_id) for redemption_id in step.written("redemption")]
        explained_micro = sum(burned) - sum(amount for amount in minted if amount is not None)
        self.tally.demand(None not in minted, f"{step}: a bank reference was minted before")
        unexplained = (
            f"{step}: {format_amount(abs(issued_micro))} tokens made or burned without bank credit or redemption"
        )
        self.tally.demand(issued_micro == explained_micro, unexplained)
        charter = step.world.find(keys.CHARTER)
        if issued_micro and charter is not None:
            issuer, creator = charter.token.issuer_msp_id, step.transaction.creator.msp_id
            self.tally.demand(creator == issuer, f"{step}: only {issuer} may issue and burn tokens, not {creator}")


class Reserve:
    """Compares every posted bank statement with the tokens; no statement covers tokens minted after the last one."""

    def __init__(self) -> None:
        question = "Did the issuer's bank balance cover the circulating tokens at each statement?"
        self.tally = Tally("reserve", question, "statements")
        self._last_statement = ""
        self._minted_micro = 0

    def check(self, step: Step, amounts_micro: Mapping[str, int]) -> None:
        """Checks a statement when it is posted. Money for held redemptions may have left the bank already."""
        if step.transaction.name != "token.post_reserve":
            return
        supply = step.after(keys.SUPPLY) or Supply()
        held_micro = sum(amount for account, amount in amounts_micro.items() if account.startswith("hold/"))
        owed_micro = supply.minted_micro - supply.burned_micro - held_micro
        self.tally.count()
        self._last_statement, self._minted_micro = str(step), supply.minted_micro
        self._check_statement(step, supply.reserve, owed_micro)

    def finish(self, world: World) -> None:
        supply = world.find(keys.SUPPLY) or Supply()
        if supply.minted_micro and not self.tally.checked:
            self.tally.cannot_check("the issuer has posted no bank statement")
        if self.tally.checked:
            self.tally.note(f"vouched for until {self._last_statement}")
        if self.tally.checked and (later_micro := supply.minted_micro - self._minted_micro):
            self.tally.note(f"{format_amount(later_micro)} tokens were minted after that: no statement covers them yet")

    def _check_statement(self, step: Step, statement: ReserveStatement, owed_micro: int) -> None:
        covered = statement.balance_micro >= owed_micro
        has, owed = format_amount(statement.balance_micro), format_amount(owed_micro)
        short = f"{step}: {has} in the bank, {owed} tokens in circulation"
        self.tally.demand(covered, short)


# --- what a record holds --------------------------------------------------------------------------------------------


def _changes_micro(step: Step) -> dict[str, int]:
    """The change of each token account; accounts without a change are left out."""
    changes: dict[str, int] = {}
    for key, new in step.transaction.writes.items():
        before, after = _holding_micro(key, step.old.get(key)), _holding_micro(key, new)
        for account in before.keys() | after.keys():
            changes[account] = after.get(account, 0) - before.get(account, 0)
    return {account: change for account, change in changes.items() if change}


def _holding_micro(key: str, value: bytes | None) -> dict[str, int]:
    """The token account that a record stands for, with its amount; "issued" has the negative sum of all others."""
    noun, _, name = key.partition("/")
    if value is None:
        return {}
    if noun == "balance":
        return {key: Balance.FromString(value).amount_micro}
    if noun == "account":
        account = Account.FromString(value)
        return {f"escrow/{name}": account.funded_micro - account.withdrawn_micro - account.paid_micro}
    if noun == "redemption":
        redemption = Redemption.FromString(value)
        return {f"hold/{name}": redemption.amount_micro if redemption.status == REDEMPTION_STATUS_HELD else 0}
    if noun == "member":
        return {f"deposit/{name}": Member.FromString(value).deposit_micro}
    if noun == "supply":
        supply = Supply.FromString(value)
        return {ISSUED: supply.burned_micro - supply.minted_micro}
    return {}


def _minted_micro(step: Step, reference: str) -> int | None:
    """The minted amount; None if the bank reference was used before."""
    record = step.after(keys.mint(reference)) or MintRecord()
    return None if keys.mint(reference).name in step.old else record.amount_micro


def _burned_micro(step: Step, redemption_id: str) -> int:
    """The amount that was held before and is paid out now."""
    key = keys.redemption(redemption_id)
    before, after = step.before(key) or Redemption(), step.after(key) or Redemption()
    paid_out = (before.status, after.status) == (REDEMPTION_STATUS_HELD, REDEMPTION_STATUS_CONFIRMED)
    return before.amount_micro if paid_out else 0
