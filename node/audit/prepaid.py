"""Whether usage ever went beyond what the customer had funded and the agreed credit limit."""

from __future__ import annotations

from node.audit.movement import Movement
from node.audit.report import Tally
from zunft.v1.usage_pb2 import AccountHead


class Prepaid:
    """Compares every head with the account as it stood in that moment."""

    def __init__(self) -> None:
        question = "Was usage covered by funds and credit limit at every moment?"
        self.tally = Tally("prepaid", question, "transactions")

    def check(self, movement: Movement) -> None:
        if not movement.visible:
            self.tally.cannot_see("transactions of others, not visible to this member")
            return
        if movement.head is None or movement.before is None or movement.terms is None:
            self.tally.cannot_check("head or terms are missing from the archive")
            return
        self.tally.count()
        before_micro, after_micro = _accrued_micro(movement.before), _accrued_micro(movement.head)
        covered_micro = _covered_micro(movement) + movement.terms.credit_limit_micro
        violation = f"{movement}: accrued {after_micro} micro-tokens, covered are {covered_micro}"
        self.tally.demand(after_micro <= max(before_micro, covered_micro), violation)


def _accrued_micro(head: AccountHead) -> int:
    return head.usage_micro + head.correction_micro


def _covered_micro(movement: Movement) -> int:
    """Funds that usage could draw on; what notice was given of no longer counts."""
    account = movement.account
    return account.funded_micro - account.withdrawn_micro - account.notice.amount_micro
