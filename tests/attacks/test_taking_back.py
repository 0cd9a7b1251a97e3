"""A customer tries to get used tokens back while others are silent, suspended or excluded. An hour costs one token."""

from __future__ import annotations

import hashlib

import pytest

from audit import audit
from chaincode import keys
from chaincode.account.head_digest import SHOWN
from chaincode.errors import ContractError, HeadMismatch, InsufficientFunds, MalformedRequest, NoticePeriod, WrongStatus
from chaincode.transaction_context import serialise
from node.meter.reading import Reading
from tests.attacks.silence import silent
from tests.audit.run import delivered, genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
    per_unit,
)
from zunft.v1.account_pb2 import WithdrawFunds
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN, Ballot
from zunft.v1.charter_pb2 import AccountRules
from zunft.v1.usage_pb2 import AccountHead, HeadAmounts, ShownAmounts, UsageRecord

HOUR = UNIT
DAY_S = 86_400
# How long a notice counts against the party that dated it.
GUARD_S = 300


@pytest.fixture
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since members are suspended and excluded."""
    return own_scene


def carry(ballot: Ballot, *voters: Member) -> None:
    for voter in voters:
        if ballot.status == BALLOT_STATUS_OPEN:
            ballot.CopyFrom(voter.admin.vote(ballot))


def grab(deal: Deal) -> None:
    """The customer withdraws and shows nothing."""
    deal.customer.call("account.withdraw", WithdrawFunds(agreement_id=deal.agreement_id))


def used_up(scene: Scene, provider: Member | None = None, notice_s: int = 0) -> Deal:
    """An account with 100 tokens, which are all charged and not claimed."""
    provider = provider or scene.maker
    deal = scene.consortium.agree(
        provider, scene.factory, per_unit("hours", TOKEN), funds=100 * TOKEN, notice_s=notice_s
    )
    deal.use(100 * HOUR)
    return deal


def check_refused(scene: Scene, deal: Deal) -> None:
    """Checks that the customer gets no micro-token back, with amounts shown or not."""
    before = scene.factory.balance
    with pytest.raises(ContractError):
        grab(deal)
    with pytest.raises(ContractError):
        scene.factory.withdraw(deal)
    assert (scene.factory.balance, deal.escrow) == (before, 100 * TOKEN)


@pytest.mark.fault(6)
def test_nothing_comes_back_from_a_provider_that_is_suspended(scene: Scene) -> None:
    """It can claim nothing meanwhile. The notice rests for 90 days, and the last head's amount stays even then."""
    deal, clock, maker = used_up(scene, notice_s=DAY_S), scene.consortium.clock, scene.maker
    carry(scene.factory.admin.suspend(maker), scene.factory, scene.bank, scene.forge)
    scene.factory.give_notice(deal, 100 * TOKEN)
    for days in (30, 59):
        clock.advance(days * DAY_S)
        scene.refuses(NoticePeriod, lambda: grab(deal))
    clock.advance(2 * DAY_S + GUARD_S)
    scene.refuses(MalformedRequest, lambda: grab(deal))
    check_refused(scene, deal)

    carry(scene.bank.admin.reinstate(maker), scene.bank, scene.factory, scene.forge)
    before = maker.balance
    maker.claim(deal)
    maker.settle(deal)
    assert (maker.balance - before, deal.escrow) == (100 * TOKEN, 0)


@pytest.mark.fault(7)
def test_nothing_comes_back_by_endorsing_no_claim(scene: Scene) -> None:
    """The customer's peer is gone. The provider claims the last head's amount, and is paid."""
    deal, clock, maker = used_up(scene, notice_s=7 * DAY_S), scene.consortium.clock, scene.maker
    scene.factory.give_notice(deal, 100 * TOKEN)
    with silent(scene, scene.factory) as alone:
        clock.advance(DAY_S)
        maker.claim_alone(deal, **alone)
        scene.refuses(WrongStatus, lambda: maker.claim_alone(deal, **alone))
        before = maker.balance
        maker.settle(deal, **alone)
        assert (maker.balance - before, deal.escrow) == (100 * TOKEN, 0)
    clock.advance(7 * DAY_S)
    scene.refuses(InsufficientFunds, lambda: scene.factory.withdraw(deal))

    [invoice] = deal.invoices
    assert (invoice.amount_micro, invoice.head_digest) == (100 * TOKEN, deal.commitment.head_digest)
    head = AccountHead.FromString(UsageRecord.FromString(scene.factory.read_record(deal, invoice.head_sequence)).head)
    assert sum(line.amount_micro for line in head.open_lines) == 100 * TOKEN
    # Usage of a claim alone is billed once: the next head has no such lines any more.
    scene.factory.give_notice(deal, 0)
    scene.factory.fund(deal, 5 * TOKEN)
    deal.use(2 * HOUR)
    maker.claim(deal)
    maker.settle(deal)
    assert [one.amount_micro for one in deal.invoices] == [100 * TOKEN, 2 * TOKEN]


@pytest.mark.fault(7)
def test_nothing_comes_back_by_showing_less_than_the_last_head_charges(scene: Scene) -> None:
    deal = scene.agree(funds=100 * TOKEN)
    deal.use(HOUR)
    deal.use(99 * HOUR)
    scene.factory.give_notice(deal, 100 * TOKEN)
    honest = ShownAmounts.FromString(scene.factory.shown(deal)[SHOWN])
    amounts = HeadAmounts.FromString(honest.amounts)
    amounts.usage_micro = TOKEN
    first = UsageRecord.FromString(scene.factory.read_record(deal, 1)).head
    # The two digests, one after the other, hash to the channel's digest.
    inside_out = b"\0zunft head" + hashlib.sha256(honest.amounts).digest() + honest.rest_digest
    assert hashlib.sha256(inside_out).digest() == deal.commitment.head_digest
    for shown in (
        ShownAmounts(amounts=serialise(amounts), rest_digest=honest.rest_digest),
        ShownAmounts(amounts=b"", rest_digest=honest.rest_digest),
        ShownAmounts.FromString(scene.factory.shown(deal, first)[SHOWN]),
        ShownAmounts(head=scene.factory.read_head(deal)[:-1]),
        ShownAmounts(head=inside_out),
    ):
        lies = {SHOWN: serialise(shown)}
        scene.refuses(HeadMismatch, lambda lies=lies: scene.factory.withdraw(deal, transient=lies))
        scene.refuses(HeadMismatch, lambda lies=lies: scene.factory.claim_alone(deal, transient=lies))
    check_refused(scene, deal)


def test_shown_amounts_reveal_nothing_else(scene: Scene) -> None:
    """They have neither the parties' secret nor the salt of this head's rest, or of another head's amounts."""
    deal = scene.agree(funds=100 * TOKEN)
    seen: list[HeadAmounts] = []
    for _ in range(2):
        deal.use(HOUR)
        [shown] = scene.factory.shown(deal).values()
        seen.append(HeadAmounts.FromString(ShownAmounts.FromString(shown).amounts))
        for secret in (deal.terms_in_force().salt, deal.head.salt, deal.meter.meter_id.encode()):
            assert secret not in shown
    assert seen[0].amounts_salt != seen[1].amounts_salt
    seen[1].amounts_salt = seen[0].amounts_salt
    guessed = ShownAmounts(amounts=serialise(seen[1]), rest_digest=ShownAmounts.FromString(shown).rest_digest)
    scene.refuses(HeadMismatch, lambda: scene.maker.claim_alone(deal, transient={SHOWN: serialise(guessed)}))


@pytest.mark.fault(31)
def test_usage_from_before_a_notice_does_not_come_back_when_it_is_charged_after_it(scene: Scene) -> None:
    """Five hours are used; before they are charged, the customer gives notice of all funds."""
    clock = scene.consortium.clock
    deal = scene.agree(funds=10 * TOKEN, notice_s=DAY_S)
    used = deal.batch([5 * HOUR])
    clock.advance(60)
    scene.factory.give_notice(deal, 10 * TOKEN)
    clock.advance(2 * GUARD_S)
    scene.maker.submit(deal, used)
    scene.refuses(InsufficientFunds, lambda: deal.use(1))

    clock.advance(DAY_S)
    scene.factory.withdraw(deal)
    assert (deal.accrued, deal.escrow) == (5 * TOKEN, 5 * TOKEN)


@pytest.mark.fault(31)
def test_nothing_comes_back_by_a_notice_in_the_middle_of_a_batch(scene: Scene) -> None:
    """Earlier usage may draw on all funds, later usage only on funds without a notice, to the micro-token."""
    clock = scene.consortium.clock
    deal = scene.agree(funds=10 * TOKEN, notice_s=DAY_S)
    begun_us = clock.now_us
    clock.advance(60)
    scene.factory.give_notice(deal, 7 * TOKEN)
    holds_us = (clock.now_s + GUARD_S) * 10**6
    clock.advance(2 * GUARD_S)

    def batch(earlier: int, later: int) -> list[Reading]:
        return [Reading(begun_us, earlier), Reading(holds_us - 1, 0), Reading(holds_us, later)]

    scene.refuses(InsufficientFunds, lambda: scene.maker.submit(deal, deal.batch(batch(2 * HOUR, HOUR + 1))))
    scene.refuses(InsufficientFunds, lambda: scene.maker.submit(deal, deal.batch(batch(10 * HOUR + 1, 0))))
    scene.refuses(InsufficientFunds, lambda: scene.maker.submit(deal, deal.batch(batch(3 * HOUR, 1))))
    scene.maker.submit(deal, deal.batch(batch(5 * HOUR, 0)))
    assert deal.accrued == 5 * TOKEN


@pytest.mark.fault(7)
def test_nothing_comes_back_by_an_agreement_without_notice(scene: Scene) -> None:
    """The charter has a least notice, which also holds for older agreements."""
    clock, deal = scene.consortium.clock, scene.agree(funds=10 * TOKEN)
    used = deal.batch([5 * HOUR])
    charter = scene.consortium.read(keys.CHARTER)
    charter.version += 1
    charter.accounts.CopyFrom(AccountRules(withdrawal_notice_s=3 * DAY_S))
    carry(scene.maker.admin.amend_charter(charter), scene.maker, scene.bank, scene.forge, scene.factory)

    scene.factory.give_notice(deal, 10 * TOKEN)
    clock.advance(3 * DAY_S)
    scene.refuses(NoticePeriod, lambda: grab(deal))
    scene.maker.submit(deal, used)
    clock.advance(GUARD_S)
    scene.factory.withdraw(deal)
    assert (deal.accrued, deal.escrow) == (5 * TOKEN, 5 * TOKEN)

    charter.version += 1
    charter.accounts.CopyFrom(AccountRules(withdrawal_notice_s=0))
    carry(scene.maker.admin.amend_charter(charter), scene.maker, scene.bank, scene.forge, scene.factory)


@pytest.mark.fault(6)
def test_nothing_comes_back_from_a_provider_that_is_excluded(scene: Scene) -> None:
    """This test comes last, since an exclusion is for good. The customer tries to withdraw and to close."""
    deal, credit = used_up(scene, scene.forge), 30 * TOKEN
    on_credit = scene.consortium.agree(
        scene.forge, scene.factory, per_unit("hours", TOKEN), funds=10 * TOKEN, credit_limit_micro=credit
    )
    on_credit.use(25 * HOUR)
    carry(scene.factory.admin.exclude(scene.forge), scene.factory, scene.bank, scene.maker)
    scene.factory.give_notice(deal, 100 * TOKEN)
    scene.consortium.clock.advance(DAY_S)
    check_refused(scene, deal)
    before = scene.forge.balance
    scene.factory.close(deal)
    assert (scene.forge.balance - before, deal.invoices[-1].amount_micro) == (100 * TOKEN, 100 * TOKEN)

    said = scene.refuses(InsufficientFunds, lambda: scene.factory.close(on_credit))
    assert "15.00 tokens" in said
    scene.factory.fund(on_credit, 15 * TOKEN)
    scene.factory.close(on_credit)
    assert scene.forge.balance - before == 125 * TOKEN


def test_every_party_s_audit_holds_in_the_end(scene: Scene) -> None:
    for name in ("maker", "factory", "forge"):
        report = audit(
            delivered(scene.consortium, name), genesis(scene.consortium), scene.consortium.member(name).msp_id
        )
        assert report.verdict("prepaid").violations == ()
        assert report.verdict("invoices").violations == ()
        assert report.verdict("rating").violations == ()
