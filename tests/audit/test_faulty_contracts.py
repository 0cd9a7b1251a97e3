"""All endorsers run an altered contract, so that every node accepts a wrong transaction: the audit finds it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from audit import (
    Status,
    audit,
)
from chaincode import (
    contract,
    keys,
    token,
)
from chaincode.account import account, claim, closing, settlement, usage, withdrawal
from chaincode.account import invoice as invoices
from chaincode.rights.relation import Relation
from chaincode.transaction_context import Loaded, TransactionContext
from node.meter.reading import Reading
from tests.audit.run import begin, delivered, genesis
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    HandMeter,
    Member,
    per_unit,
    start_consortium,
)
from zunft.v1.usage_pb2 import CorrectionReading, SubmitUsage


@pytest.fixture
def deal(tmp_path: Path) -> Iterator[Deal]:
    """An agreement in a fresh consortium, whose harness does not check the contracts' invariants."""
    with start_consortium(tmp_path / "consortium") as consortium:
        begun = begin(consortium)
        consortium.violations = list  # type: ignore[method-assign]
        yield begun


def failed(consortium: Consortium) -> set[str]:
    """The names of the verdicts that fail. They are the same for both parties."""
    reports = [audit(delivered(consortium, name), genesis(consortium), f"{name.capitalize()}MSP") for name in PARTIES]
    first, second = ({verdict.name for verdict in report.failed} for report in reports)
    assert first == second
    return first


PARTIES = ("maker", "factory")


def test_the_audit_finds_a_micro_token_too_much(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = usage.charge

    def charge(*args: Any) -> Any:
        head, lines = honest(*args)
        lines[0].amount_micro += 1
        head.usage_micro += 1
        head.open_lines[0].amount_micro += 1
        return head, lines

    monkeypatch.setattr(usage, "charge", charge)
    deal.use(UNIT)
    deal.provider.claim(deal)
    deal.provider.settle(deal)
    assert failed(deal.consortium) == {"rating"}


def test_the_audit_finds_a_line_that_the_total_does_not_have(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = claim.close_period

    def close_period(*args: Any) -> Any:
        head, period = honest(*args)
        del period.lines[0]
        return head, period

    deal.use(UNIT)
    monkeypatch.setattr(claim, "close_period", close_period)
    deal.provider.claim(deal)
    assert failed(deal.consortium) == {"rating", "invoices"}


def test_the_audit_finds_usage_beyond_the_funds(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    # 100 tokens are funded and one is credit; 40 hours cost 80 + 5 + 17.50.
    monkeypatch.setattr(usage, "check_funds", lambda *_args: None)
    deal.use(40 * UNIT)
    assert failed(deal.consortium) == {"prepaid"}


def test_the_last_token_may_be_used(deal: Deal) -> None:
    # 39 hours cost 78 + 5 + 17 = 100 tokens; two fifths more cost 0.80 + 0.20, which the credit limit just covers.
    deal.use(39 * UNIT)
    deal.use(2 * UNIT // 5)
    assert deal.accrued == 101 * TOKEN
    assert failed(deal.consortium) == set()


def test_the_audit_finds_a_debtor_that_spends(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider has spent everything that it was paid, and owes the customer what a correction took back."""
    maker, bank = deal.provider, deal.consortium.member("bank")
    deal.use(3 * UNIT)
    maker.claim(deal)
    maker.settle(deal)
    maker.transfer(bank, maker.balance)
    deal.customer.correct(deal, "c1", CorrectionReading(time_us=deal.consortium.clock.now_us, quantity_micro=-UNIT))
    maker.agree(deal, "c1")
    maker.claim(deal)
    maker.settle(deal)
    bank.transfer(maker, TOKEN)
    assert failed(deal.consortium) == set()
    monkeypatch.setattr(token, "free_micro", lambda balance, more_micro=0: balance.amount_micro + more_micro)
    maker.transfer(bank, TOKEN)
    assert failed(deal.consortium) == {"tokens"}


def test_the_audit_finds_a_batch_that_the_meter_did_not_sign(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "verify_batch", lambda *_args: None)
    deal.provider.submit(deal, deal.batch([UNIT], key=HandMeter("somebody else's").key()))
    assert failed(deal.consortium) == {"meters"}


@pytest.mark.parametrize("changes", [{"first_sequence": 5}, {"previous_digest": bytes(32)}])
def test_the_audit_finds_a_batch_that_does_not_follow(
    deal: Deal, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    deal.use(UNIT)
    monkeypatch.setattr(usage, "check_chain", lambda *_args: None)
    deal.provider.submit(deal, deal.batch([UNIT], **changes))
    assert failed(deal.consortium) == {"meters"}


def test_the_audit_finds_usage_of_a_revoked_meter(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    deal.provider.revoke(deal.meter)
    monkeypatch.setattr(usage, "METER_STATUS_ACTIVE", 2)
    deal.use(UNIT)
    assert failed(deal.consortium) == {"meters"}


def test_the_audit_finds_readings_of_the_future(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "check_times", lambda *_args: None)
    deal.provider.submit(deal, deal.batch([UNIT], at_us=deal.consortium.clock.now_us + 10**10))
    assert failed(deal.consortium) == {"meters"}


def test_the_audit_finds_readings_that_are_older_than_agreed(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last batch is too old, and was not announced.

    Two batches before it are right: one was read less than five minutes after the cut-off was agreed, and the other
    one was announced in time and charged late.
    """
    deal.amend(late_cut_off_s=60)
    deal.consortium.clock.advance(299)
    before_us = deal.consortium.clock.now_us
    deal.consortium.clock.advance(61)
    deal.provider.submit(deal, deal.batch([UNIT], at_us=before_us))
    announced = deal.batch([UNIT])
    deal.provider.announce(announced)
    deal.consortium.clock.advance(61)
    deal.provider.submit(deal, announced)
    late_us = deal.consortium.clock.now_us
    deal.consortium.clock.advance(61)
    assert failed(deal.consortium) == set()
    monkeypatch.setattr(usage, "check_times", lambda *_args: None)
    deal.provider.submit(deal, deal.batch([UNIT], at_us=late_us))
    assert failed(deal.consortium) == {"meters"}


def test_the_audit_finds_tokens_from_nowhere(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = token.credited
    monkeypatch.setattr(token, "credited", lambda loaded, msp_id, amount: honest(loaded, msp_id, amount + 1))
    deal.consortium.member("bank").mint(deal.customer, TOKEN)
    assert failed(deal.consortium) == {"tokens"}


def test_the_audit_finds_a_bank_credit_that_mints_twice(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = deal.consortium.member("bank")
    bank.mint(deal.customer, TOKEN, "camt-once")
    monkeypatch.setattr(Loaded, "has", lambda *_args: False)
    bank.mint(deal.customer, TOKEN, "camt-once")
    assert failed(deal.consortium) == {"tokens"}


def test_the_audit_finds_tokens_minted_by_a_member_that_is_not_the_issuer(
    deal: Deal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token, "issuer", lambda _loaded: (Relation.ISSUER, deal.customer.msp_id))
    deal.customer.mint(deal.customer, TOKEN)
    assert failed(deal.consortium) == {"tokens"}


def test_the_audit_finds_a_reserve_that_falls_short(deal: Deal) -> None:
    """The contracts accept such a statement from the issuer. The audit shows it to all members."""
    deal.consortium.member("bank").post_reserve("statement-2", 1500 * TOKEN - 1, deal.consortium.clock.now_s)
    assert failed(deal.consortium) == {"reserve"}


def test_money_paid_out_but_not_burned_yet_is_covered(deal: Deal) -> None:
    deal.customer.redeem(5 * TOKEN)
    deal.consortium.member("bank").post_reserve("statement-2", 1495 * TOKEN, deal.consortium.clock.now_s)
    assert failed(deal.consortium) == set()


def test_a_missing_reserve_statement_is_named(tmp_path: Path) -> None:
    with start_consortium(tmp_path / "consortium") as consortium:
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        consortium.member("bank").mint(consortium.member("maker"), TOKEN)
        report = audit(delivered(consortium, "bank"), genesis(consortium), "BankMSP")
    assert report.verdict("reserve").status is Status.UNCHECKED
    assert "posted no bank statement" in next(iter(report.verdict("reserve").unchecked))


def test_the_audit_finds_an_invoice_of_more_than_was_claimed(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = invoices._document

    def document(template: Any, kind: Any, amount_micro: int, issued_at_s: int) -> Any:
        return honest(template, kind, amount_micro + 1, issued_at_s)

    deal.use(UNIT)
    deal.provider.claim(deal)
    monkeypatch.setattr(invoices, "_document", document)
    deal.provider.settle(deal)
    assert failed(deal.consortium) == {"invoices"}


def test_the_audit_finds_an_invoice_number_left_out(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = invoices.InvoiceCounter
    deal.use(UNIT)
    deal.provider.claim(deal)
    monkeypatch.setattr(invoices, "InvoiceCounter", lambda last_number=1: honest(last_number=last_number))
    deal.provider.settle(deal)
    assert failed(deal.consortium) == {"invoices"}


def test_records_that_cannot_be_decoded_spoil_no_other_audit(deal: Deal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def garble(tx: TransactionContext, request: SubmitUsage) -> Message:
        await tx.load(keys.commitment(request.agreement_id))
        tx.stub.put(keys.commitment(request.agreement_id).name, b"\xff")
        return request

    consortium = deal.consortium
    entry = contract.TRANSACTIONS["usage.submit"]
    altered = dataclasses.replace(entry, handler=garble)
    monkeypatch.setitem(contract.TRANSACTIONS, "usage.submit", altered)
    deal.use(UNIT)
    monkeypatch.setitem(contract.TRANSACTIONS, "usage.submit", entry)
    other = consortium.agree(deal.provider, deal.customer, per_unit("hours", TOKEN), funds=TOKEN)
    other.use(UNIT)
    report = audit(delivered(consortium, "maker"), genesis(consortium), "MakerMSP")
    assert report.failed == ()
    assert [bill.usage_micro for bill in report.bills] == [TOKEN]
    unchecked = {verdict.name for verdict in report.verdicts if verdict.status is Status.UNCHECKED}
    assert unchecked == {"meters", "rating", "prepaid", "invoices"}
    others = audit(delivered(consortium, "bank"), genesis(consortium), "BankMSP")
    assert others.failed == ()
    assert not any(verdict.unchecked for verdict in others.verdicts if verdict.name != "reserve")
    assert others.verdict("endorsement").alarm_count


@pytest.mark.parametrize("too_much_micro", [0, 1])
@pytest.mark.parametrize("how", ["closing", "claim"])
def test_the_audit_checks_the_amounts_that_one_party_alone_has_billed(
    deal: Deal, monkeypatch: pytest.MonkeyPatch, how: str, too_much_micro: int
) -> None:
    honest = account.last_amounts

    def last_amounts(*args: Any) -> account.Claimed:
        amounts = honest(*args)
        return amounts._replace(usage_micro=amounts.usage_micro + too_much_micro)

    deal.use(UNIT)
    monkeypatch.setattr(closing, "last_amounts", last_amounts)
    monkeypatch.setattr(claim, "last_amounts", last_amounts)
    if how == "closing":
        exclude(deal.customer)
        deal.provider.close(deal)
    else:
        deal.provider.claim_alone(deal)
        deal.provider.settle(deal)
    assert deal.account.paid_micro > too_much_micro
    assert failed(deal.consortium) == ({"invoices"} if too_much_micro else set())


@pytest.mark.parametrize("too_much_micro", [0, 1])
def test_the_audit_finds_a_customer_that_takes_back_charged_funds(
    deal: Deal, monkeypatch: pytest.MonkeyPatch, too_much_micro: int
) -> None:
    honest = withdrawal.last_amounts

    def last_amounts(*args: Any) -> account.Claimed:
        amounts = honest(*args)
        return amounts._replace(usage_micro=amounts.usage_micro - too_much_micro)

    deal.use(UNIT)
    deal.customer.give_notice(deal, deal.escrow)
    deal.consortium.clock.advance(400)
    monkeypatch.setattr(withdrawal, "last_amounts", last_amounts)
    deal.customer.withdraw(deal)
    assert deal.escrow == deal.accrued - too_much_micro
    assert failed(deal.consortium) == ({"prepaid"} if too_much_micro else set())


def test_the_audit_finds_a_provider_that_is_paid_more_than_was_billed(
    deal: Deal, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = settlement.payment_micro
    deal.use(UNIT)
    deal.provider.claim(deal)
    monkeypatch.setattr(settlement, "payment_micro", lambda *args: honest(*args) + 1)
    deal.provider.settle(deal)
    assert failed(deal.consortium) == {"prepaid"}


def test_a_batch_across_a_notice_may_use_the_amount_under_notice_for_its_earlier_readings(deal: Deal) -> None:
    clock, held = deal.consortium.clock, 95 * TOKEN
    deal.customer.give_notice(deal, held)
    noticed_us = clock.now_us
    clock.advance(600)
    before, after = Reading(noticed_us, 3 * UNIT), Reading(clock.now_us, 0)
    deal.provider.submit(deal, deal.batch([before, after]))
    assert deal.accrued == 9 * TOKEN
    assert failed(deal.consortium) == set()


def exclude(member: Member) -> None:
    others = [one for one in member.consortium.members if one != member]
    ballot = others[0].admin.exclude(member)
    for voter in others:
        voter.admin.vote(ballot)
