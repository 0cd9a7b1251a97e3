"""Checks that invoices are numbered without a gap and bill the claimed amounts, and that claims match their lines."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256

from audit.bills import (
    OpenBill,
    sum_micro,
)
from audit.movement import Movement
from audit.report import Tally
from audit.world import Step
from chaincode import keys
from chaincode.transaction_context import serialise
from zunft.v1.account_pb2 import Account, ShownClaim
from zunft.v1.invoice_pb2 import (
    INVOICE_KIND_CREDIT_NOTE,
    INVOICE_KIND_GOODWILL,
    INVOICE_KIND_INVOICE,
    Invoice,
)
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED
from zunft.v1.usage_pb2 import Claim, Commitment

# A dispute or goodwill may change these fields of an issued invoice.
_MAY_CHANGE = ("disputed", "dispute_digest", "goodwill_micro")


class Invoices:
    """Follows every provider's numbers, and every claim from its lines to its invoice."""

    def __init__(self, member: str) -> None:
        self._member = member
        question = "Is no invoice number missing, does each bill what was used?"
        self.tally = Tally("invoices", question, "invoices and claims")
        self._numbers: dict[str, int] = defaultdict(int)
        self._bills: dict[str, OpenBill] = {}

    # --- public: invoices ---------------------------------------------------------------------------------------------

    def check(self, step: Step) -> None:
        issued = []
        for name in step.written("invoice"):
            invoice = Invoice.FromString(step.transaction.writes[f"invoice/{name}"] or b"")
            before = step.before(keys.invoice(invoice.provider_msp_id, invoice.number))
            if before is None:
                issued.append(invoice)
                self._check_number(step, name, invoice)
            else:
                self._check_unchanged(step, before, invoice)
        if step.transaction.name == "account.settle":
            self._check_settlement(step, issued)
        elif step.transaction.name == "account.close":
            self._check_closing(step, issued)
        elif step.transaction.name == "account.claim":
            self._check_claimed_alone(step)
        else:
            for invoice in issued:
                self._check_goodwill(step, invoice)

    def _check_number(self, step: Step, name: str, invoice: Invoice) -> None:
        provider = invoice.provider_msp_id
        self.tally.count()
        self._numbers[provider] += 1
        expected = f"{provider}/{self._numbers[provider]:010d}"
        self.tally.demand(name == expected, f"{step}: invoice {name} is issued, the next number is {expected}")
        self._numbers[provider] = invoice.number

    def _check_unchanged(self, step: Step, before: Invoice, after: Invoice) -> None:
        for name in _MAY_CHANGE:
            before.ClearField(name)
            after.ClearField(name)
        self.tally.demand(before == after, f"{step}: invoice {after.number} was altered after it had been issued")

    def _check_settlement(self, step: Step, issued: list[Invoice]) -> None:
        """Checks that the invoices bill what was claimed and not invoiced yet: usage, then corrections.

        Each must name the digest of the claim or of the head.
        """
        for agreement_id in step.written("account"):
            before, after, commitment = _records(step, agreement_id)
            changes_micro = _changes_micro(before, _claimed_micro(before, commitment))
            billed = [(invoice.kind, invoice.amount_micro) for invoice in issued]
            self.tally.demand(
                billed == _kinds(changes_micro), f"{step}: the invoices are not what {agreement_id} claimed"
            )
            self._check_named(step, before, commitment, issued)
            noted = (after.invoiced_usage_micro, after.invoiced_correction_micro)
            same = noted == _claimed_micro(before, commitment)
            self.tally.demand(same, f"{step}: the account of {agreement_id} notes other invoices")
            same = after.shown == (before.left if before.HasField("left") else before.shown)
            self.tally.demand(same, f"{step}: the account of {agreement_id} notes another claim")

    def _check_named(self, step: Step, account: Account, commitment: Commitment, issued: list[Invoice]) -> None:
        """Checks that each invoice names the source of its lines: both parties' claim, or the head that one showed."""
        is_alone = account.shown.sequence > commitment.claimed_sequence
        expected = (b"", account.shown.head_digest) if is_alone else (commitment.claim_digest, b"")
        named = {(invoice.claim_digest, invoice.head_digest) for invoice in issued}
        self.tally.demand(named <= {expected}, f"{step}: an invoice names another claim than that of the account")

    def _check_claimed_alone(self, step: Step) -> None:
        for agreement_id in step.written("account"):
            before, after, commitment = _records(step, agreement_id)
            self.tally.count()
            self._check_shown(step, after, commitment, after.shown)
            was, now = _claimed_micro(before, commitment), _claimed_micro(after, commitment)
            self._check_unclaimed(step, agreement_id, (now[0] - was[0], now[1] - was[1]))

    def _check_shown(self, step: Step, account: Account, commitment: Commitment, shown: ShownClaim) -> None:
        """Checks that the shown head is the last one: a party alone can claim only what both endorsed there."""
        same = (shown.sequence, shown.head_digest) == (commitment.sequence, commitment.head_digest)
        self.tally.demand(same, f"{step}: the head that was shown is not the last one of {account.agreement_id}")

    def _check_closing(self, step: Step, issued: list[Invoice]) -> None:
        """Checks that closing bills the usage that was not claimed yet, by the last head.

        Earlier contracts billed it only if a party was excluded, and did not note the head.
        """
        for agreement_id in step.written("account"):
            before, after, commitment = _records(step, agreement_id)
            changes_micro = _changes_micro(before, (after.invoiced_usage_micro, after.invoiced_correction_micro))
            billed = [(invoice.kind, invoice.amount_micro) for invoice in issued]
            same = billed == _kinds(changes_micro)
            self.tally.demand(same, f"{step}: the account of {agreement_id} notes other invoices")
            if after.HasField("left"):
                # The last claim is not settled yet; the share that is left for the provider is billed after it.
                self._check_shown(step, after, commitment, after.left)
                was = _claimed_micro(before, commitment)
                changes_micro = after.left.usage_micro - was[0], after.left.correction_micro - was[1]
            elif after.shown != before.shown:
                self._check_shown(step, after, commitment, after.shown)
                self._check_named(step, after, commitment, issued)
                # A provider's share that is left in the escrow is billed when the account is settled.
                was, now = _claimed_micro(before, commitment), _claimed_micro(after, commitment)
                changes_micro = now[0] - was[0], now[1] - was[1]
            elif step.transaction.creator.msp_id not in (after.provider_msp_id, after.customer_msp_id):
                # The issuer closes it for a member that is gone, and nobody has shown the last head: no charge for it.
                self.tally.demand(not issued, f"{step}: the last period of {agreement_id} was not claimed")
                continue
            else:
                alone = _is_excluded(step, after.provider_msp_id) or _is_excluded(step, after.customer_msp_id)
                self.tally.demand(alone or not issued, f"{step}: the last period of {agreement_id} was not claimed")
            self._check_unclaimed(step, agreement_id, changes_micro)

    def _check_unclaimed(self, step: Step, agreement_id: str, claimed_micro: tuple[int, int]) -> None:
        """Compares the billed amounts with the lines that were not claimed yet, if the member can see them."""
        bill = self._bills.get(agreement_id)
        if bill is None:
            return
        if bill.complete:
            lines, correction_lines = bill.due()
            due_micro = (sum_micro(lines), sum_micro(correction_lines))
            violation = f"{step}: {claimed_micro} micro-tokens are billed, {due_micro} were not claimed"
            is_own = self._member in (bill.agreement.provider_msp_id, bill.agreement.customer_msp_id)
            with self.tally.of_others(not is_own):
                self.tally.demand(claimed_micro == due_micro, violation)
        bill.close_period()

    def _check_goodwill(self, step: Step, note: Invoice) -> None:
        credited = step.world.find(keys.invoice(note.provider_msp_id, note.refers_to_number)) or Invoice()
        fits = note.kind == INVOICE_KIND_GOODWILL and credited.goodwill_micro <= credited.amount_micro
        self.tally.demand(fits, f"{step}: number {note.number} bills nothing that was claimed")

    # --- the two parties': claims -------------------------------------------------------------------------------------

    def check_claim(self, movement: Movement, bill: OpenBill) -> None:
        self._bills[movement.agreement_id] = bill
        if movement.step.transaction.name != "usage.claim":
            return
        if movement.record is None:
            self.tally.cannot_check("the record with the claim is missing from the archive")
        else:
            self.tally.count()
            self._check_amounts(movement, movement.record.claim)
            self._check_lines(movement, movement.record.claim, bill)
        bill.close_period()

    def note_unseen(self, movement: Movement) -> None:
        """Takes note of a claim of others, which the member cannot see."""
        if movement.step.transaction.name == "usage.claim":
            self.tally.cannot_see("claims of others, not visible to this member (their invoices were checked)")

    def _check_amounts(self, movement: Movement, claim: Claim) -> None:
        now, before = movement.commitment, movement.previous
        same_digest = sha256(serialise(claim)).digest() == now.claim_digest
        self.tally.demand(same_digest, f"{movement}: the archived claim is not the one on the channel")
        was = _claimed_micro(movement.account, before)
        public = (now.claimed_usage_micro - was[0], now.claimed_correction_micro - was[1])
        amounts = (claim.usage_micro, claim.correction_micro)
        self.tally.demand(public == amounts, f"{movement}: {public} micro-tokens are public, the claim says {amounts}")

    def _check_lines(self, movement: Movement, claim: Claim, bill: OpenBill) -> None:
        amounts = (claim.usage_micro, claim.correction_micro)
        sums = (sum_micro(claim.lines), sum_micro(claim.correction_lines))
        self.tally.demand(sums == amounts, f"{movement}: the claim's lines add up to {sums}, it says {amounts}")
        if not bill.complete:
            self.tally.cannot_check("a record of the claimed period is missing from the archive")
            return
        claimed = (list(claim.lines), list(claim.correction_lines))
        self.tally.demand(claimed == bill.due(), f"{movement}: the claim has other lines than its transactions")


def _records(step: Step, agreement_id: str) -> tuple[Account, Account, Commitment]:
    """The account before and after the step, and its commitment."""
    key = keys.account(agreement_id)
    commitment = step.world.find(keys.commitment(agreement_id)) or Commitment()
    return step.before(key) or Account(), step.after(key) or Account(), commitment


def _claimed_micro(account: Account, commitment: Commitment) -> tuple[int, int]:
    """The claimed usage and corrections: by both parties, or by one that showed a later head."""
    if account.shown.sequence > commitment.claimed_sequence:
        return account.shown.usage_micro, account.shown.correction_micro
    return commitment.claimed_usage_micro, commitment.claimed_correction_micro


def _changes_micro(before: Account, after_micro: tuple[int, int]) -> tuple[int, int]:
    """The usage and corrections that are not invoiced yet."""
    usage_micro, correction_micro = after_micro
    return usage_micro - before.invoiced_usage_micro, correction_micro - before.invoiced_correction_micro


def _kinds(changes_micro: tuple[int, int]) -> list[tuple[int, int]]:
    """The kind and amount of the documents for these changes of usage and corrections; none for a change of zero."""
    return [
        (INVOICE_KIND_INVOICE if change > 0 else INVOICE_KIND_CREDIT_NOTE, abs(change))
        for change in changes_micro
        if change
    ]


def _is_excluded(step: Step, msp_id: str) -> bool:
    member = step.world.find(keys.member(msp_id))
    return member is not None and member.status == MEMBER_STATUS_EXCLUDED
