"""Checks that usage never went beyond the funds, and that nobody took another party's money out of an escrow."""

from __future__ import annotations

from audit.movement import Movement
from audit.recompute import accrued_before
from audit.report import Tally
from audit.world import Step
from chaincode import keys
from zunft.v1.account_pb2 import Account, CloseAccount
from zunft.v1.member_pb2 import Member
from zunft.v1.token_pb2 import Balance, Debts
from zunft.v1.usage_pb2 import AccountHead, Commitment

# The party that gives a notice dates it, and could date it back.
GUARD_S = 300


class Prepaid:
    """Compares every head with the account at that moment, and every payment with the last head."""

    def __init__(self, member: str) -> None:
        self._member = member
        question = "Was usage covered at every moment, and did each party get what was its own?"
        self.tally = Tally("prepaid", question, "transactions")
        # The last sequence and accrued amount of the heads that the member can see, by agreement.
        self._accrued_micro: dict[str, tuple[int, int]] = {}

    # --- usage --------------------------------------------------------------------------------------------------------

    def check(self, movement: Movement) -> None:
        if movement.head is not None:
            accrued_micro = _accrued_micro(movement.head)
            self._accrued_micro[movement.agreement_id] = (movement.commitment.sequence, accrued_micro)
        if not movement.visible:
            self.tally.cannot_see("transactions of others, not visible to this member")
            return
        if movement.head is None or movement.before is None or movement.terms is None:
            self.tally.cannot_check("head or terms are missing from the archive")
            return
        self.tally.count()
        before_micro, after_micro = _accrued_micro(movement.before), _accrued_micro(movement.head)
        credit_micro = movement.terms.credit_limit_micro
        covered_micro = _covered_micro(movement, before_micro, credit_micro)
        violation = f"{movement}: accrued {after_micro} micro-tokens, covered are {covered_micro}"
        self.tally.demand(after_micro <= max(before_micro, covered_micro), violation)

    # --- what leaves an escrow ----------------------------------------------------------------------------------------

    def check_account(self, step: Step) -> None:
        for agreement_id in step.written("account"):
            before, after = step.before(keys.account(agreement_id)), step.after(keys.account(agreement_id))
            if before is None or after is None:
                continue
            if step.transaction.name in ("account.settle", "account.close"):
                self._check_payment(step, before, after)
            else:
                unpaid = before.paid_micro == after.paid_micro
                self.tally.demand(unpaid, f"{step}: the account of {agreement_id} paid without a settlement")
            if step.transaction.name == "account.withdraw":
                is_own = self._member in (after.provider_msp_id, after.customer_msp_id)
                # The amount that had to stay follows from the commitment, which the two parties alone endorse.
                with self.tally.of_others(not is_own):
                    self._check_withdrawal(step, before, after)

    def _check_payment(self, step: Step, before: Account, after: Account) -> None:
        """Checks that the provider got all that is billed, up to the escrow; or gave back a refund.

        The provider gives back as much as it has and does not owe to others before. A closing that leaves the other
        party's share in the escrow pays nothing of it.
        """
        billed_micro = max(after.invoiced_usage_micro + after.invoiced_correction_micro, 0)
        due_micro = billed_micro - before.paid_micro
        payment_micro = min(due_micro, _escrow_micro(before))
        if due_micro < 0:
            payment_micro = -_given_back_micro(step, before, -due_micro)
        paid_micro = after.paid_micro - before.paid_micro
        if not paid_micro and _leaves_share(step):
            payment_micro = 0
            self._check_left(step, before, after)
        violation = f"{step}: {paid_micro} micro-tokens went to the provider, {payment_micro} were due"
        self.tally.demand(paid_micro == payment_micro, violation)

    def _check_left(self, step: Step, before: Account, after: Account) -> None:
        """Checks that the claimed amount is still in the escrow, up to all that the escrow held."""
        due_micro = max(_claimed_micro(step, after), 0) - before.paid_micro
        left_micro = min(max(due_micro, 0), _escrow_micro(before))
        kept = _escrow_micro(after) >= left_micro
        self.tally.demand(kept, f"{step}: {left_micro} micro-tokens were due, and are not left in the escrow")

    def _check_withdrawal(self, step: Step, before: Account, after: Account) -> None:
        """Checks that a withdrawal takes at most the amount of a notice that has run, and leaves what is charged."""
        if not before.notice.holds_from_s:
            # An earlier contract took this notice; it left only the claimed amount to the provider.
            return
        accrued_micro = self._last_micro(step, before)
        left_micro = _escrow_micro(before) - max(accrued_micro - before.paid_micro, 0)
        most_micro = max(min(before.notice.amount_micro, left_micro), 0)
        taken_micro = after.withdrawn_micro - before.withdrawn_micro
        violation = f"{step}: {taken_micro} micro-tokens were withdrawn, {most_micro} were free"
        self.tally.demand(taken_micro <= most_micro, violation)
        in_time = step.transaction.time_us >= before.notice.not_before_s * 10**6
        self.tally.demand(in_time, f"{step}: the notice had not run out")

    def _last_micro(self, step: Step, account: Account) -> int:
        """The amount of the last head, if the member can see it; else the claimed amount, which is a lower bound."""
        commitment = step.world.find(keys.commitment(account.agreement_id)) or Commitment()
        sequence, accrued_micro = self._accrued_micro.get(account.agreement_id, (0, 0))
        return accrued_micro if sequence == commitment.sequence else _claimed_micro(step, account)


def _claimed_micro(step: Step, account: Account) -> int:
    """The claimed amount: by both parties, or by one that showed a later head."""
    commitment = step.world.find(keys.commitment(account.agreement_id)) or Commitment()
    if account.HasField("left"):
        return account.left.usage_micro + account.left.correction_micro
    if account.shown.sequence > commitment.claimed_sequence:
        return account.shown.usage_micro + account.shown.correction_micro
    return commitment.claimed_usage_micro + commitment.claimed_correction_micro


def _accrued_micro(head: AccountHead) -> int:
    return head.usage_micro + head.correction_micro


def _escrow_micro(account: Account) -> int:
    return account.funded_micro - account.withdrawn_micro - account.paid_micro


def _leaves_share(step: Step) -> bool:
    name, args = step.transaction.name, step.transaction.args
    return name == "account.close" and CloseAccount.FromString(args[0]).leaves_share


def _given_back_micro(step: Step, account: Account, owed_micro: int) -> int:
    """The amount that the account gets of its refund: earlier debts of the same provider are paid first.

    Before there was a record of debts, the first account that asked got all that there was.
    """
    provider = account.provider_msp_id
    left_micro, key = _has_micro(step, provider), keys.debts(provider)
    is_written = key.name in step.transaction.writes
    noted = (step.before(key) if is_written else step.world.find(key)) or Debts()
    if not noted.debts and not is_written:
        return min(owed_micro, left_micro)
    queue = [(one.agreement_id, one.owed_micro) for one in noted.debts]
    own_micro = sum(micro for agreement_id, micro in queue if agreement_id == account.agreement_id)
    older_micro = account.owed_back_micro - own_micro
    balance = step.before(keys.balance(provider)) or Balance()
    others_micro = balance.owed_micro - older_micro - sum(micro for _, micro in queue)
    older, others = (account.agreement_id, older_micro), ("", others_micro)
    latest = (account.agreement_id, owed_micro - account.owed_back_micro)
    got_micro = 0
    for agreement_id, micro in (older, others, *queue, latest):
        share_micro = max(min(micro, left_micro), 0)
        left_micro -= share_micro
        got_micro += share_micro if agreement_id == account.agreement_id else 0
    return min(got_micro, owed_micro)


def _has_micro(step: Step, msp_id: str) -> int:
    """The amount that a member can give back: its balance, and its deposit if the transaction moves it there."""
    balance = step.before(keys.balance(msp_id)) or Balance()
    member = step.before(keys.member(msp_id)) or Member()
    return balance.amount_micro + member.deposit_micro


def _covered_micro(movement: Movement, before_micro: int, credit_micro: int) -> int:
    """The amount that covers usage. The amount of a notice no longer covers usage later than the notice."""
    account = movement.account
    all_micro = account.funded_micro - account.withdrawn_micro + credit_micro
    if not account.HasField("notice"):
        return all_micro
    given_s = account.notice.not_before_s - movement.agreement.withdrawal_notice_s
    holds_us = (account.notice.holds_from_s or given_s + GUARD_S) * 10**6
    if _latest_us(movement) < holds_us:
        return all_micro
    earlier_micro = accrued_before(movement, holds_us) if movement.batches else before_micro
    return max(all_micro - account.notice.amount_micro, min(earlier_micro, all_micro))


def _latest_us(movement: Movement) -> int:
    """The time of the latest usage that the transaction charges, in microseconds."""
    record = movement.record
    times_us = [int(one.columns.time_us[-1]) for one in movement.batches if one.columns is not None]
    if record is not None and movement.step.transaction.name == "usage.agree":
        times_us += [reading.time_us for reading in record.correction.readings]
    return max(times_us, default=movement.step.transaction.time_us)
