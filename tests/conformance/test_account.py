"""account: open, fund, notice, withdrawal, settlement, closing; prepaid is hard. One hour costs one token."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaincode.checks import format_duration
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    ContractError,
    Forbidden,
    InsufficientFunds,
    MalformedRequest,
    NotFound,
    NoticePeriod,
    RefundOwed,
    WrongStatus,
)
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
)
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, ACCOUNT_STATUS_OPEN
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE, INVOICE_KIND_INVOICE
from zunft.v1.usage_pb2 import CorrectionReading

HOUR = UNIT
DAY_S = 86_400
# How long a notice counts against the party that dated it.
GUARD_S = 300


def settle(deal: Deal) -> None:
    deal.provider.claim(deal)
    deal.provider.settle(deal)


def take_back(deal: Deal, correction_id: str, quantity_micro: int) -> None:
    """The customer corrects the usage, and the provider agrees."""
    now_us = deal.consortium.clock.now_us
    deal.customer.correct(deal, correction_id, CorrectionReading(time_us=now_us, quantity_micro=quantity_micro))
    deal.provider.agree(deal, correction_id)


def test_funds_move_into_escrow_and_on_to_the_provider(scene: Scene) -> None:
    deal = scene.agree(funds=0)
    maker, factory = scene.maker.balance, scene.factory.balance

    scene.factory.fund(deal, 40 * TOKEN)
    assert (deal.account.status, deal.escrow) == (ACCOUNT_STATUS_OPEN, 40 * TOKEN)
    deal.use(HOUR, 2 * HOUR)
    assert (deal.accrued, deal.escrow) == (3 * TOKEN, 40 * TOKEN)
    settle(deal)

    assert (scene.maker.balance, scene.factory.balance) == (maker + 3 * TOKEN, factory - 40 * TOKEN)
    assert (deal.account.paid_micro, deal.escrow) == (3 * TOKEN, 37 * TOKEN)
    assert [(one.kind, one.amount_micro, one.claim_number) for one in deal.invoices] == [
        (INVOICE_KIND_INVOICE, 3 * TOKEN, 1)
    ]
    scene.refuses(WrongStatus, lambda: scene.maker.settle(deal))
    scene.refuses(WrongStatus, lambda: scene.maker.claim(deal))


@pytest.mark.parametrize("credit_micro", [0, 5 * TOKEN], ids=["prepaid", "with credit"])
def test_usage_stops_at_the_last_micro_token(scene: Scene, credit_micro: int) -> None:
    deal = scene.agree(funds=10 * TOKEN, credit_limit_micro=credit_micro)
    limit_micro = 10 * TOKEN + credit_micro

    said = scene.refuses(InsufficientFunds, lambda: deal.use(limit_micro + 1))
    assert "lacks 0.000001 tokens" in said
    deal.use(limit_micro - 1)
    deal.use(1)
    scene.refuses(InsufficientFunds, lambda: deal.use(1))
    deal.use(0)
    assert deal.accrued == limit_micro

    scene.factory.fund(deal, TOKEN)
    deal.use(HOUR)
    scene.refuses(InsufficientFunds, lambda: deal.use(1))


def test_an_uncovered_claim_is_paid_when_the_escrow_is_funded(scene: Scene) -> None:
    deal = scene.agree(funds=10 * TOKEN, credit_limit_micro=30 * TOKEN)
    before = scene.maker.balance
    deal.use(25 * HOUR)

    settle(deal)
    assert (scene.maker.balance - before, deal.escrow, deal.account.paid_micro) == (10 * TOKEN, 0, 10 * TOKEN)
    assert [one.amount_micro for one in deal.invoices] == [25 * TOKEN]
    scene.refuses(WrongStatus, lambda: scene.maker.settle(deal))

    scene.factory.fund(deal, 4 * TOKEN)
    scene.factory.settle(deal)
    scene.factory.fund(deal, 50 * TOKEN)
    scene.maker.settle(deal)
    assert (scene.maker.balance - before, deal.escrow) == (25 * TOKEN, 39 * TOKEN)
    assert len(deal.invoices) == 1


def test_a_withdrawal_waits_for_its_notice_and_leaves_the_claimed_amount(scene: Scene) -> None:
    clock, deal = scene.consortium.clock, scene.agree(funds=20 * TOKEN, notice_s=DAY_S)
    deal.use(3 * HOUR)
    scene.refuses(NoticePeriod, lambda: scene.factory.withdraw(deal))

    scene.factory.give_notice(deal, 18 * TOKEN)
    clock.advance(GUARD_S)
    scene.refuses(InsufficientFunds, lambda: deal.use(1))
    clock.advance(DAY_S - 1)
    assert "another 1 s" in scene.refuses(NoticePeriod, lambda: scene.factory.withdraw(deal))
    scene.maker.claim(deal)
    clock.advance(1)
    before = scene.factory.balance
    scene.factory.withdraw(deal)

    assert scene.factory.balance - before == 17 * TOKEN
    assert (deal.escrow, deal.account.HasField("notice")) == (3 * TOKEN, False)
    scene.maker.settle(deal)
    assert deal.escrow == 0


def test_a_notice_can_be_changed_and_taken_back(scene: Scene) -> None:
    deal = scene.agree(funds=20 * TOKEN, notice_s=DAY_S)
    scene.factory.give_notice(deal, 20 * TOKEN)
    scene.consortium.clock.advance(DAY_S)

    scene.factory.give_notice(deal, 5 * TOKEN)
    scene.refuses(NoticePeriod, lambda: scene.factory.withdraw(deal))
    scene.consortium.clock.advance(GUARD_S)
    scene.refuses(InsufficientFunds, lambda: deal.use(15 * HOUR + 1))
    scene.factory.give_notice(deal, 0)
    assert not deal.account.HasField("notice")
    deal.use(20 * HOUR)


def test_claimed_funds_are_not_withdrawn(scene: Scene) -> None:
    deal = scene.agree(funds=8 * TOKEN)
    deal.use(8 * HOUR)
    scene.maker.claim(deal)
    scene.factory.give_notice(deal, 8 * TOKEN)
    scene.refuses(InsufficientFunds, lambda: scene.factory.withdraw(deal))


def test_corrections_before_a_claim_lower_it_and_after_it_are_credited(scene: Scene) -> None:
    """10 h used, 2 taken back: invoice 10, credit note 2, paid 8. Then 3 more taken back: credit note 3, refund 3."""
    deal = scene.agree(funds=50 * TOKEN)
    before = scene.maker.balance
    deal.use(10 * HOUR)
    take_back(deal, "c1", -2 * HOUR)
    settle(deal)
    assert (scene.maker.balance - before, deal.escrow) == (8 * TOKEN, 42 * TOKEN)

    take_back(deal, "c2", -3 * HOUR)
    settle(deal)
    assert (scene.maker.balance - before, deal.escrow, deal.account.paid_micro) == (5 * TOKEN, 45 * TOKEN, 5 * TOKEN)
    assert [(one.kind, one.amount_micro, one.claim_number) for one in deal.invoices] == [
        (INVOICE_KIND_INVOICE, 10 * TOKEN, 1),
        (INVOICE_KIND_CREDIT_NOTE, 2 * TOKEN, 1),
        (INVOICE_KIND_CREDIT_NOTE, 3 * TOKEN, 2),
    ]

    take_back(deal, "c3", 4 * HOUR)
    settle(deal)
    assert (deal.invoices[-1].kind, deal.invoices[-1].amount_micro) == (INVOICE_KIND_INVOICE, 4 * TOKEN)
    assert deal.account.paid_micro == 9 * TOKEN


def test_a_refund_comes_out_of_the_provider_s_balance(scene: Scene) -> None:
    """The provider has spent everything: the refund is a debt, stops nothing, and is paid first later."""
    deal = scene.consortium.agree(scene.bank, scene.factory, tariff=scene.deal.terms_in_force().tariff, funds=9 * TOKEN)
    deal.use(9 * HOUR)
    settle(deal)
    scene.bank.transfer(scene.maker, scene.bank.balance)
    take_back(deal, "c1", -4 * HOUR)
    scene.bank.claim(deal)

    scene.bank.settle(deal)
    assert (scene.bank.balance, deal.escrow, deal.account.owed_back_micro) == (0, 0, 4 * TOKEN)
    scene.maker.transfer(scene.bank, TOKEN)
    for spend in (
        lambda: scene.bank.transfer(scene.maker, TOKEN),
        lambda: scene.bank.redeem(1),
        lambda: scene.bank.credit(1, 1, scene.factory),
    ):
        assert "owes 4.00 tokens" in scene.refuses(RefundOwed, spend)
    scene.factory.settle(deal)
    assert (scene.bank.balance, deal.escrow, deal.account.owed_back_micro) == (0, TOKEN, 3 * TOKEN)

    # Claimed usage pays the debt back, too.
    deal.use(HOUR)
    scene.bank.claim(deal)
    scene.bank.settle(deal)
    assert (scene.bank.balance, deal.escrow, deal.account.owed_back_micro) == (0, TOKEN, 2 * TOKEN)
    scene.maker.transfer(scene.bank, 4 * TOKEN)
    scene.bank.settle(deal)
    assert (scene.bank.balance, deal.escrow, deal.account.owed_back_micro) == (2 * TOKEN, 3 * TOKEN, 0)
    scene.bank.transfer(scene.maker, TOKEN)


def test_an_account_closes_when_everything_is_claimed_and_paid(scene: Scene) -> None:
    clock, deal = scene.consortium.clock, scene.agree(funds=30 * TOKEN, credit_limit_micro=5 * TOKEN, notice_s=DAY_S)
    deal.use(32 * HOUR)
    scene.maker.claim(deal)
    deal.use(HOUR)
    scene.refuses(WrongStatus, lambda: scene.maker.close(deal))
    scene.maker.terminate(deal)
    scene.refuses(WrongStatus, lambda: scene.maker.close(deal))
    scene.maker.settle(deal)
    assert f"another {format_duration(DAY_S + GUARD_S)}" in scene.refuses(
        NoticePeriod, lambda: scene.factory.close(deal)
    )
    clock.advance(DAY_S + GUARD_S)
    assert "3.00 tokens" in scene.refuses(InsufficientFunds, lambda: scene.factory.close(deal))
    scene.factory.fund(deal, 10 * TOKEN)
    before = scene.factory.balance
    scene.factory.close(deal)

    assert [one.amount_micro for one in deal.invoices] == [32 * TOKEN, TOKEN]
    assert deal.account.paid_micro == 33 * TOKEN
    assert (scene.factory.balance - before, deal.escrow) == (7 * TOKEN, 0)
    assert deal.account.status == ACCOUNT_STATUS_CLOSED
    for act in (
        lambda: scene.factory.fund(deal, TOKEN),
        lambda: scene.factory.give_notice(deal, 0),
        lambda: scene.factory.close(deal),
        lambda: scene.maker.claim(deal),
        lambda: deal.use(HOUR),
    ):
        scene.refuses(WrongStatus, act)


def test_the_customer_cannot_close_before_the_provider_s_late_readings_are_charged(scene: Scene) -> None:
    """The customer alone terminates, claims, settles and tries to close, while readings are under way."""
    deal = scene.agree(funds=30 * TOKEN, notice_s=DAY_S)
    deal.use(HOUR)
    late = deal.batch([2 * HOUR])
    scene.factory.terminate(deal)
    scene.factory.claim(deal)
    scene.factory.settle(deal)

    scene.refuses(NoticePeriod, lambda: scene.factory.close(deal))
    scene.consortium.clock.advance(DAY_S // 2)
    scene.maker.submit(deal, late)
    settle(deal)
    scene.maker.close(deal)
    assert deal.account.paid_micro == 3 * TOKEN


def test_an_account_takes_10_to_the_18_micro_tokens_in_all(scene: Scene) -> None:
    scene.bank.mint(scene.forge, 10**18)
    deal = scene.consortium.agree(scene.maker, scene.forge, tariff=scene.deal.terms_in_force().tariff, funds=10**18)
    assert "in all" in scene.refuses(AmountOutOfRange, lambda: scene.forge.fund(deal, TOKEN))


@refusals(
    ("open another's", Forbidden, lambda s: s.forge.open_account(s.deal)),
    ("open twice", AlreadyExists, lambda s: s.factory.open_account(s.deal)),
    ("open without agreement", NotFound, lambda s: s.factory.open_account(nowhere(s))),
    ("fund by the provider", Forbidden, lambda s: s.maker.fund(s.deal, TOKEN)),
    ("fund by an outsider", Forbidden, lambda s: s.forge.fund(s.deal, TOKEN)),
    ("fund nothing", AmountOutOfRange, lambda s: s.factory.fund(s.deal, 0)),
    ("fund less than nothing", AmountOutOfRange, lambda s: s.factory.fund(s.deal, -1)),
    ("fund more than the balance", InsufficientFunds, lambda s: s.factory.fund(s.deal, s.factory.balance + 1)),
    ("fund nowhere", NotFound, lambda s: s.factory.fund(nowhere(s), TOKEN)),
    ("notice by the provider", Forbidden, lambda s: s.maker.give_notice(s.deal, TOKEN)),
    ("notice below zero", AmountOutOfRange, lambda s: s.factory.give_notice(s.deal, -1)),
    ("notice of more than the escrow", InsufficientFunds, lambda s: s.factory.give_notice(s.deal, 100 * TOKEN + 1)),
    ("withdraw by the provider", Forbidden, lambda s: s.maker.withdraw(s.deal)),
    ("withdraw without notice", NoticePeriod, lambda s: s.factory.withdraw(s.deal)),
    ("settle another's", Forbidden, lambda s: s.forge.settle(s.deal)),
    ("settle before a claim", WrongStatus, lambda s: s.maker.settle(s.deal)),
    ("settle to another provider", MalformedRequest, lambda s: s.maker.settle(s.deal, provider="ForgeMSP")),
    ("close another's", Forbidden, lambda s: s.forge.close(s.deal)),
    ("close to another customer", MalformedRequest, lambda s: s.maker.close(s.deal, customer="MakerMSP")),
    ("close what is in force", WrongStatus, lambda s: s.factory.close(s.deal)),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


def nowhere(scene: Scene) -> Deal:
    return Deal(scene.consortium, scene.maker, scene.factory, "nowhere", scene.deal.meters)
