"""A model of two parties and a majority: from any step on a party is silent, suspended or does anything that it can.

Each ends with the amounts of the last head that both endorsed: the provider gets them as far as the escrow and its own
balance go, the customer the rest, to the micro-token. In the end one of them, or both, may be excluded; then the issuer
closes the account, or the party that is left.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit import audit
from chaincode import keys
from chaincode.errors import ContractError, NoticePeriod
from tests.attacks.rogue import rewritten
from tests.audit.run import delivered, genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    Member,
    on_ledgers,
    per_unit,
    start_consortium,
)
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN
from zunft.v1.member_pb2 import MEMBER_STATUS_ACTIVE, MEMBER_STATUS_EXCLUDED
from zunft.v1.usage_pb2 import CorrectionReading

FUNDS = 20 * TOKEN
NOTICE_S = 3 * 86_400
GUARD_S = 300
# The notice, its rest during a suspension, and a day for a party that dates it wrongly.
MOST_DAYS = 3 + 90 + 1
MILLI = UNIT // 1000
# How many scripts each ledger plays, and their number of steps.
SCRIPTS = {"embedded": (20, 25), "fabric": (4, 15)}
Sides = st.sampled_from(["provider", "customer"])


class LeftAlone(RuleBasedStateMachine):
    """An account, whose majority endorses honestly; `silent` endorses and sends no two-party transaction any more."""

    consortium: Consortium
    number = 0

    @initialize(
        credit=st.sampled_from([0, 4 * TOKEN]),
        openly=st.booleans(),
        gone=st.sampled_from([(), ("customer",), ("provider",), ("customer", "provider")]),
    )
    def begin(self, credit: int, openly: bool, gone: tuple[str, ...]) -> None:
        """Opens the account; the parties in `gone` are excluded in the end."""
        LeftAlone.number += 1
        self.silent = ""
        self.gone = gone
        self.corrections = 0
        provider, customer = self.consortium.member("maker"), self.consortium.member("factory")
        self.customer_had = customer.balance
        price = per_unit("hours", TOKEN // 3)
        self.deal: Deal = self.consortium.agree(
            provider, customer, price, funds=FUNDS, notice_s=NOTICE_S, credit_limit_micro=credit, open_book=openly
        )

    # --- acts of both, as long as both take part ----------------------------------------------------------------------

    @precondition(lambda self: not self.silent)
    @rule(milli_hours=st.integers(1, 40_000))
    def use(self, milli_hours: int) -> None:
        self.attempt(lambda: self.deal.use(milli_hours * MILLI))

    @precondition(lambda self: not self.silent)
    @rule(milli_hours=st.integers(1, 40_000))
    def correct(self, milli_hours: int) -> None:
        """The customer corrects usage that was charged too high."""
        self.corrections += 1
        name, now_us = f"c{self.corrections}", self.consortium.clock.now_us
        reading = CorrectionReading(time_us=now_us, quantity_micro=-milli_hours * MILLI)
        self.attempt(lambda: self.deal.customer.correct(self.deal, name, reading))
        self.attempt(lambda: self.deal.provider.agree(self.deal, name))

    @precondition(lambda self: not self.silent)
    @rule(side=Sides)
    def claim(self, side: str) -> None:
        self.attempt(lambda: self.member(side).claim(self.deal))

    # --- acts of one alone, honest or not -----------------------------------------------------------------------------

    @precondition(lambda self: not self.silent)
    @rule(side=Sides)
    def fall_silent(self, side: str) -> None:
        self.silent = side

    @rule(side=Sides)
    def claim_alone(self, side: str) -> None:
        self.by(side, lambda one, how: one.claim_alone(self.deal, **how))

    @rule(side=Sides)
    def settle(self, side: str) -> None:
        self.by(side, lambda one, how: one.settle(self.deal, **how))

    @rule(amount=st.integers(1, FUNDS))
    def give_notice(self, amount: int) -> None:
        self.by("customer", lambda one, _how: one.give_notice(self.deal, min(amount, self.deal.escrow)))

    @rule(patient=st.booleans())
    def withdraw(self, patient: bool) -> None:
        """The customer withdraws at once, or after a notice of everything."""
        if patient:
            self.give_notice(FUNDS)
            self.consortium.clock.advance(NOTICE_S + GUARD_S)
        self.by("customer", lambda one, how: one.withdraw(self.deal, **how))

    @rule(share=st.integers(1, 4))
    def spend(self, share: int) -> None:
        """The provider moves a share of its tokens out of reach."""
        one = self.deal.provider
        self.by("provider", lambda _one, _how: one.transfer(self.consortium.member("bank"), one.balance // share))

    @rule(days=st.integers(0, 4))
    def wait(self, days: int) -> None:
        self.consortium.clock.advance(days * 86_400 + 1)

    @rule(side=Sides)
    def terminate(self, side: str) -> None:
        self.by(side, lambda one, _how: one.terminate(self.deal))

    @rule(side=Sides, leaves=st.booleans())
    def close(self, side: str, leaves: bool) -> None:
        self.by(side, lambda one, how: one.close(self.deal, leaves=leaves, **how))

    @rule(side=Sides)
    def suspend(self, side: str) -> None:
        """The others suspend the party, or reinstate it, by their votes."""
        one = self.member(side)
        act = "suspend" if one.record.status == MEMBER_STATUS_ACTIVE else "reinstate"
        voters = [
            other for other in self.consortium.members if other != one and other.record.status == MEMBER_STATUS_ACTIVE
        ]
        if len(voters) < 3:
            return
        ballot = getattr(voters[0].admin, act)(one)
        for voter in voters:
            if ballot.status == BALLOT_STATUS_OPEN:
                ballot.CopyFrom(voter.admin.vote(ballot))

    # --- invariants ---------------------------------------------------------------------------------------------------

    @invariant()
    def nobody_has_taken_what_is_charged(self) -> None:
        """The escrow and the credit cover the charges after every step."""
        if not hasattr(self, "deal"):
            return
        account, credit = self.deal.account, self.deal.terms_in_force().credit_limit_micro
        if account.status != ACCOUNT_STATUS_CLOSED:
            self.withdrawn = account.withdrawn_micro
        assert self.deal.accrued <= account.funded_micro - account.withdrawn_micro + credit

    def teardown(self) -> None:
        """The party that is left, or the issuer, closes the account without the other."""
        if not hasattr(self, "deal"):
            return
        for one in self.consortium.members:
            if one.record.status != MEMBER_STATUS_ACTIVE:
                self.suspend("provider" if one == self.deal.provider else "customer")
        if self.gone:
            self.end_without(self.gone)
        else:
            self.end(self.deal.customer if self.silent == "provider" else self.deal.provider)
        self.check_end()

    def end(self, one: Member) -> None:
        deal, alone = self.deal, self.without_silent()
        if deal.account.status == ACCOUNT_STATUS_CLOSED:
            return None
        if not deal.agreement.terminated_at_s:
            one.terminate(deal)
        # Something may be claimed and not settled.
        with suppress(ContractError):
            one.settle(deal, **alone)
        missing = deal.accrued - deal.account.paid_micro - deal.escrow
        if one == deal.customer and missing > 0:
            one.fund(deal, missing)
        for _day in range(MOST_DAYS):
            try:
                return one.close(deal, leaves=self.corrections % 2 == 1, **alone)
            except NoticePeriod:
                self.consortium.clock.advance(86_400)
        raise AssertionError("the notice never ends")

    def end_without(self, gone: tuple[str, ...]) -> None:
        """The issuer acts for excluded parties. A party has shown it the amounts that nobody has claimed."""
        deal, bank = self.deal, self.consortium.member("bank")
        if deal.account.status == ACCOUNT_STATUS_CLOSED:
            return
        before = {key: self.consortium.read(key) for key in (keys.ELECTORATE, *map(keys.member, deal.parties))}
        for side in gone:
            self.exclude(self.member(side))
        if "provider" not in gone:
            self.by("provider", lambda one, how: one.claim_alone(deal, **how))
        self.attempt(lambda: bank.settle(deal))
        self.close_for_the_gone(bank)
        # The next script needs the excluded parties again.
        rewritten(self.consortium, before)

    def close_for_the_gone(self, bank: Member) -> None:
        shown = self.deal.provider.shown(self.deal)
        with pytest.raises(NoticePeriod):
            bank.close(self.deal, transient=shown)
        for _day in range(MOST_DAYS):
            self.consortium.clock.advance(86_400)
            with suppress(NoticePeriod):
                return bank.close(self.deal, leaves=self.corrections % 2 == 1, transient=shown)
        raise AssertionError("the notice never ends")

    def exclude(self, member: Member) -> None:
        bank, *others = (self.consortium.member(name) for name in ("bank", "forge", "press", "mill"))
        ballot = bank.admin.exclude(member)
        for voter in (bank, *others):
            if ballot.status == BALLOT_STATUS_OPEN:
                ballot.CopyFrom(voter.admin.vote(ballot))
        assert member.record.status == MEMBER_STATUS_EXCLUDED

    def check_end(self) -> None:
        deal = self.deal
        # An earlier claim may be left, and usage after it.
        for one in (deal.customer, deal.provider, deal.customer, deal.provider):
            self.attempt(lambda one=one: one.settle(deal))
        account = deal.account
        assert (account.status, deal.escrow) == (ACCOUNT_STATUS_CLOSED, 0)
        owed, got = account.owed_back_micro, account.paid_micro
        # A provider that closes gives up unfunded charges; then the customer gets nothing back.
        assert got - owed == deal.accrued or (got < deal.accrued and account.withdrawn_micro == self.withdrawn)
        assert sum(_signed(one) for one in deal.invoices) == deal.accrued
        if owed:
            self.consortium.member("bank").transfer(deal.provider, owed + TOKEN)
            deal.customer.settle(deal)
        assert deal.account.paid_micro == got - owed
        assert deal.customer.balance == self.customer_had - deal.account.paid_micro

    # --- details ------------------------------------------------------------------------------------------------------

    def member(self, side: str) -> Member:
        return self.deal.provider if side == "provider" else self.deal.customer

    def by(self, side: str, act: Any) -> None:
        self.attempt(lambda: act(self.member(side), self.without_silent()))

    def without_silent(self) -> dict[str, Any]:
        if not self.silent:
            return {}
        silent = self.member(self.silent)
        return {"endorsers": tuple(one.msp_id for one in self.consortium.members if one != silent)}

    def attempt(self, act: Any) -> None:
        """Tries the act; a refusal changes nothing, which is checked in the end."""
        with suppress(ContractError):
            act()


def _signed(invoice: Any) -> int:
    return {1: 1, 2: -1}.get(invoice.kind, 0) * int(invoice.amount_micro)


@pytest.mark.fault(6)
@pytest.mark.fault(7)
@pytest.mark.fault(29)
@pytest.mark.fault(37)
@pytest.mark.parametrize("kind", on_ledgers(*SCRIPTS))
def test_each_party_ends_with_the_amounts_of_the_last_head(tmp_path: Path, kind: str) -> None:
    names = ("maker", "factory", "bank", "forge", "press", "mill")
    scripts, steps = SCRIPTS[kind]
    with start_consortium(tmp_path / "consortium", kind, names=names) as consortium:
        consortium.found()
        scene = Scene(consortium)
        for one in (scene.maker, scene.factory, scene.forge):
            scene.bank.mint(one, 10**6 * TOKEN)
        LeftAlone.consortium = consortium
        run_state_machine_as_test(
            LeftAlone,
            settings=settings(
                max_examples=scripts,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                # Every script goes on where the one before has left the ledger, so none could be made shorter.
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
        for name in ("maker", "factory"):
            report = audit(delivered(consortium, name), genesis(consortium), consortium.member(name).msp_id)
            for verdict in ("prepaid", "invoices", "rating", "tokens"):
                assert report.verdict(verdict).violations == ()
