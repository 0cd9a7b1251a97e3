"""ballot: one vote each, before the deadline, signatures over exactly the update, decided by the charter's thresholds.

There are four members, so three approvals are more than half of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chaincode import keys
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    AnotherBallot,
    AskedBefore,
    BallotClosed,
    ContractError,
    ExitCondition,
    Forbidden,
    HeadMismatch,
    InsufficientFunds,
    MalformedRequest,
    NotFound,
    RefundOwed,
    VotedAlready,
    WrongSignature,
    WrongStatus,
)
from chaincode.members.question import LAPSES_AFTER_S
from tests.attacks.rogue import rewritten
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    Deal,
    Member,
)
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, CloseAccount
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_STATUS_REJECTED,
    Ballot,
    EditSignatures,
    Vote,
)
from zunft.v1.charter_pb2 import Charter, EntryConditions, Threshold, VotingRules
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_SUSPENDED,
)
from zunft.v1.usage_pb2 import AccountHead, CorrectionReading, UsageRecord

DAY_S = 86_400


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since members are suspended and excluded."""
    return own_scene


def now(scene: Scene, ballot: Ballot) -> Ballot:
    return scene.consortium.read(keys.ballot(ballot.ballot_id))


def charter_with(scene: Scene, **changes: object) -> Charter:
    """The next version of the charter in force, with these fields changed."""
    charter = scene.consortium.read(keys.CHARTER)
    charter.version += 1
    charter.MergeFrom(Charter(**changes))
    return charter


def carry(ballot: Ballot, *voters: Member) -> None:
    """The voters vote in favour, as long as the ballot is open."""
    for voter in voters:
        if ballot.status == BALLOT_STATUS_OPEN:
            ballot.CopyFrom(voter.admin.vote(ballot))


@contextmanager
def suspended(scene: Scene, member: Member, *others: Member) -> Iterator[None]:
    """Has the member suspended by these others, and reinstated by them at the end."""
    carry(others[0].admin.suspend(member), *others)
    yield
    carry(others[0].admin.reinstate(member), *others)
    assert scene.consortium.read(keys.member(member.msp_id)).status == MEMBER_STATUS_ACTIVE


@contextmanager
def about_forge(scene: Scene) -> Iterator[Ballot]:
    """An open ballot on the forge's exclusion, which is turned down at the end; then the maker may open another."""
    ballot = scene.maker.admin.exclude(scene.forge)
    yield ballot
    while now(scene, ballot).status == BALLOT_STATUS_OPEN:
        waiting = [one for one in (scene.bank, scene.factory, scene.maker) if one.msp_id not in voted(scene, ballot)]
        waiting[0].admin.vote(ballot, in_favour=False)
    scene.consortium.clock.advance(14 * DAY_S)


def voted(scene: Scene, ballot: Ballot) -> list[str]:
    return [vote.msp_id for vote in now(scene, ballot).votes]


def test_the_third_of_four_carries_a_suspension(scene: Scene) -> None:
    ballot = scene.maker.admin.suspend(scene.forge)
    assert (list(ballot.voter_msp_ids), ballot.needed_approvals) == (["BankMSP", "FactoryMSP", "MakerMSP"], 3)
    assert ballot.deadline_s - ballot.opened_at_s == 14 * DAY_S

    carry(ballot, scene.maker, scene.factory)
    assert (now(scene, ballot).status, scene.forge.record.status) == (BALLOT_STATUS_OPEN, MEMBER_STATUS_ACTIVE)
    carry(ballot, scene.bank)
    assert now(scene, ballot).status == BALLOT_STATUS_CARRIED
    assert (scene.forge.record.status, scene.forge.record.HasField("open_ballot")) == (MEMBER_STATUS_SUSPENDED, False)

    for act in (
        lambda: scene.forge.transfer(scene.maker, TOKEN),
        lambda: scene.forge.admin.suspend(scene.maker),
        lambda: scene.forge.admin.vote(ballot),
        lambda: scene.forge.admin.leave(),
    ):
        assert "is suspended: only active members" in scene.refuses(Forbidden, act)
    assert "suspended" in scene.refuses(WrongStatus, lambda: scene.maker.admin.suspend(scene.forge))
    scene.maker.transfer(scene.forge, TOKEN)

    carry(scene.bank.admin.reinstate(scene.forge), scene.bank, scene.factory, scene.maker)
    scene.forge.transfer(scene.maker, TOKEN)


def test_each_member_has_one_vote_and_none_on_itself(scene: Scene) -> None:
    with about_forge(scene) as ballot:
        scene.maker.admin.vote(ballot)
        scene.refuses(VotedAlready, lambda: scene.maker.admin.vote(ballot))
        scene.refuses(VotedAlready, lambda: scene.maker.admin.vote(ballot, in_favour=False))
        scene.refuses(Forbidden, lambda: scene.forge.admin.vote(ballot, in_favour=False))
        assert voted(scene, ballot) == ["MakerMSP"]


def test_a_ballot_that_cannot_be_carried_any_more_is_rejected(scene: Scene) -> None:
    ballot = scene.maker.admin.suspend(scene.forge)
    scene.factory.admin.vote(ballot, in_favour=False)
    assert now(scene, ballot).status == BALLOT_STATUS_REJECTED
    assert "rejected" in scene.refuses(BallotClosed, lambda: scene.bank.admin.vote(ballot))
    assert scene.forge.record.status == MEMBER_STATUS_ACTIVE
    said = scene.refuses(AskedBefore, lambda: scene.maker.admin.suspend(scene.forge))
    assert "wait 14 days before you put it again, or have another member do it" in said
    scene.factory.admin.vote(scene.bank.admin.suspend(scene.forge), in_favour=False)
    scene.consortium.clock.advance(14 * DAY_S)


def test_after_the_deadline_no_vote_counts_and_another_ballot_can_be_opened(scene: Scene) -> None:
    ballot = scene.maker.admin.exclude(scene.forge)
    scene.consortium.clock.advance(14 * DAY_S)
    carry(ballot, scene.maker, scene.factory)
    scene.consortium.clock.advance(1)
    assert "1 s ago" in scene.refuses(BallotClosed, lambda: scene.bank.admin.vote(ballot))
    scene.refuses(BallotClosed, lambda: scene.maker.admin.sign_again(ballot))
    scene.refuses(WrongStatus, lambda: scene.bank.admin.execute(ballot))
    said = scene.refuses(AnotherBallot, lambda: scene.maker.admin.exclude(scene.forge))
    assert "has lapsed in 9 min 59 s" in said
    scene.consortium.clock.advance(LAPSES_AFTER_S)
    with about_forge(scene):
        pass


def test_of_two_ballots_on_one_question_the_second_waits_and_others_do_not(scene: Scene) -> None:
    """Otherwise a member that is to be excluded could have an accomplice put its suspension to the vote for ever."""
    with about_forge(scene):
        scene.refuses(AnotherBallot, lambda: scene.factory.admin.exclude(scene.forge))
        for other in (scene.factory.admin.suspend(scene.forge), scene.factory.admin.suspend(scene.maker)):
            scene.bank.admin.vote(other, in_favour=False)
    scene.consortium.clock.advance(14 * DAY_S)


def test_a_vote_in_favour_signs_the_updates_it_names_with_its_own_certificate(scene: Scene) -> None:
    with about_forge(scene) as ballot:
        admin, (first, second) = scene.factory.admin, scene.consortium.updates(1)
        honest = admin.signs(first, second)
        signed, last = honest["config_signatures"]
        for signatures in ((signed, b""), (signed, scene.maker.admin.config_signature(second))):
            scene.refuses(WrongSignature, lambda some=signatures: admin.vote(ballot, config_signatures=some))
        for changes in (
            {"config_signatures": []},
            {"config_signatures": [signed]},
            {"config_signatures": [signed, last, signed]},
            {"config_signatures": [signed, b"\xff"]},
            {"update_digests": [b"short", b"shorter"]},
            admin.signs(*[first] * 17),
            {"in_favour": False, **honest},
        ):
            scene.refuses(MalformedRequest, lambda some=changes: admin.vote(ballot, **some))
        admin.vote(ballot)
        digest = hashlib.sha256(b"".join(honest["update_digests"])).digest()
        now_s = scene.consortium.clock.now_s
        assert now(scene, ballot).votes == [
            Vote(msp_id="FactoryMSP", in_favour=True, cast_at_s=now_s, edit_digest=digest)
        ]
        assert signatures_of(scene, ballot, scene.factory).update_digests == honest["update_digests"]


def signatures_of(scene: Scene, ballot: Ballot, member: Member) -> EditSignatures:
    return scene.consortium.read(keys.signatures(ballot.ballot_id, member.msp_id))


def test_where_the_configuration_has_moved_on_votes_stay_and_signatures_are_made_again(scene: Scene) -> None:
    threshold = VotingRules(exclusion=Threshold(numerator=1, denominator=2))
    amendment = scene.maker.admin.amend_charter(charter_with(scene, voting=threshold))
    carry(amendment, scene.maker, scene.factory, scene.bank)
    with about_forge(scene) as ballot:
        assert ballot.needed_approvals == 3, "Fabric wants a majority of signatures, whatever the charter says"
        before, after = scene.consortium.updates(1), scene.consortium.updates(2)
        scene.refuses(Forbidden, lambda: scene.maker.admin.sign_again(ballot, *before))
        carry(ballot, scene.maker)
        ballots = now(scene, ballot)
        scene.refuses(WrongSignature, lambda: scene.maker.admin.sign_again(ballot, before[0], config_signatures=[b""]))
        scene.maker.admin.sign_again(ballot, *after)
        assert now(scene, ballot) == ballots
        named = scene.maker.admin.signs(*after)["update_digests"]
        assert signatures_of(scene, ballot, scene.maker).update_digests == named
        for member in (scene.forge, scene.bank):
            scene.refuses(Forbidden, lambda member=member: member.admin.sign_again(ballot, *after))


def test_an_amendment_is_in_force_with_the_vote_that_carries_it(scene: Scene) -> None:
    first = scene.maker.admin.amend_charter(charter_with(scene, entry=EntryConditions(deposit_micro=7 * TOKEN)))
    second = scene.factory.admin.amend_charter(charter_with(scene, entry=EntryConditions(deposit_micro=9 * TOKEN)))
    version = scene.consortium.read(keys.CHARTER).version
    carry(first, scene.maker, scene.factory, scene.forge)
    assert scene.consortium.read(keys.CHARTER) == first.charter
    assert first.charter.version == version + 1

    said = scene.refuses(WrongStatus, lambda: scene.maker.admin.vote(second))
    assert f"propose version {version + 2}" in said
    third = scene.factory.admin.amend_charter(charter_with(scene, entry=EntryConditions(deposit_micro=9 * TOKEN)))
    assert "a later ballot" in scene.refuses(BallotClosed, lambda: scene.maker.admin.vote(second))
    scene.refuses(AnotherBallot, lambda: scene.factory.admin.amend_charter(third.charter))
    scene.refuses(BallotClosed, lambda: scene.bank.admin.vote(first))
    scene.refuses(WrongStatus, lambda: scene.maker.admin.sign_again(first))
    scene.refuses(WrongStatus, lambda: scene.bank.admin.execute(first))


def test_a_member_suspended_at_the_opening_has_no_vote(scene: Scene) -> None:
    with suspended(scene, scene.forge, scene.maker, scene.factory, scene.bank):
        ballot = scene.maker.admin.suspend(scene.factory)
        assert (list(ballot.voter_msp_ids), ballot.needed_approvals) == (["BankMSP", "MakerMSP"], 2)
    assert "when the ballot was opened" in scene.refuses(Forbidden, lambda: scene.forge.admin.vote(ballot))
    scene.bank.admin.vote(ballot, in_favour=False)
    scene.consortium.clock.advance(14 * DAY_S)


def test_a_suspended_member_s_account_is_closed_without_its_peer(scene: Scene) -> None:
    """The policy that names both parties stays, since nobody can make the suspended one give it up."""
    deal = scene.consortium.agree(scene.forge, scene.factory, tariff=scene.deal.terms_in_force().tariff)
    scene.forge.terminate(deal)
    request = CloseAccount(agreement_id=deal.agreement_id, customer_msp_id="FactoryMSP")
    with suspended(scene, scene.forge, scene.maker, scene.factory, scene.bank):
        scene.factory.call("account.close", request, endorsers=("MakerMSP", "FactoryMSP", "BankMSP"))
    assert deal.account.status == ACCOUNT_STATUS_CLOSED


def test_of_two_active_members_neither_can_suspend_the_other(scene: Scene) -> None:
    maker, factory, bank, forge = scene.maker, scene.factory, scene.bank, scene.forge
    with suspended(scene, forge, maker, factory, bank):
        carry(maker.admin.suspend(factory), maker, bank)
        said = scene.refuses(WrongStatus, lambda: maker.admin.suspend(bank))
        assert "only 1 can vote" in said
        carry(maker.admin.reinstate(factory), maker, bank)


def test_a_question_settled_meanwhile_is_not_decided_any_more(scene: Scene) -> None:
    """One ballot suspends the member while a lapsed one on the same question is still there."""
    lapsed = scene.maker.admin.suspend(scene.forge)
    scene.consortium.clock.advance(14 * DAY_S)
    carry(lapsed, scene.maker, scene.factory)
    scene.consortium.clock.advance(LAPSES_AFTER_S + 1)
    with suspended(scene, scene.forge, scene.maker, scene.factory, scene.bank):
        scene.refuses(BallotClosed, lambda: scene.bank.admin.vote(lapsed))


@refusals(
    ("a vote on nothing", NotFound, lambda s: s.maker.admin.vote(Ballot(ballot_id="0" * 64))),
    ("suspend nobody", NotFound, lambda s: s.maker.admin.suspend(Member(s.consortium, "nobody", "NobodyMSP"))),
    ("a reason in two lines", MalformedRequest, lambda s: s.maker.admin.suspend(s.forge, "two\nlines")),
    ("reinstate who is active", WrongStatus, lambda s: s.maker.admin.reinstate(s.forge)),
    ("exclude the issuer", ExitCondition, lambda s: s.maker.admin.exclude(s.bank)),
    ("skip a version", WrongStatus, lambda s: amend(s, version=3)),
    ("another currency", MalformedRequest, lambda s: amend(s, token={"currency": "USD"})),
    ("an issuer that is none", NotFound, lambda s: amend(s, token={"issuer_msp_id": "NobodyMSP"})),
    ("a negative deposit", AmountOutOfRange, lambda s: amend(s, entry=EntryConditions(deposit_micro=-1))),
    ("unknown identifiers", MalformedRequest, lambda s: amend(s, entry={"required_identifiers": ["shoe size"]})),
    ("a notice of ages", MalformedRequest, lambda s: amend(s, exit={"notice_period_s": 2**40})),
    ("no time to vote", MalformedRequest, lambda s: amend(s, voting=VotingRules(ballot_period_s=0))),
    ("half of nothing", MalformedRequest, lambda s: amend(s, voting={"admission": Threshold(numerator=1)})),
    ("more than all", MalformedRequest, lambda s: amend(s, voting={"amendment": {"numerator": 2, "denominator": 1}})),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


def amend(scene: Scene, **changes: object) -> Ballot:
    return scene.maker.admin.amend_charter(charter_with(scene, **changes))


def test_an_excluded_member_s_accounts_are_closed_and_its_tokens_claimed(scene: Scene) -> None:
    """This test is the last in its file, since an exclusion is for good."""
    provides, consumes, corrected, fallen = deals_of_forge(scene)
    scene.forge.transfer(scene.maker, scene.forge.balance - TOKEN // 2)
    make_half_a_deposit(scene, scene.forge)
    ballot = scene.maker.admin.exclude(scene.forge)
    scene.refuses(MalformedRequest, lambda: scene.maker.admin.vote(ballot, msp_id="FactoryMSP"))
    carry(ballot, scene.maker, scene.factory, scene.bank)

    check_takes_part_no_more(scene)
    check_gives_back_half(scene, corrected)
    check_owes_the_refund(scene, fallen)
    check_is_paid_unclaimed_usage(scene, provides)
    check_pays_its_debts_first(scene, corrected, fallen)
    check_owes_more_than_it_paid_in(scene, consumes)
    check_tokens_are_paid_out(scene)
    check_is_taken_out_of_the_channel(scene, ballot)


def make_half_a_deposit(scene: Scene, member: Member) -> None:
    """Makes half of the member's balance its deposit, as if it had not been a founder."""
    record, balance = member.record, scene.consortium.read(keys.balance(member.msp_id))
    record.deposit_micro = balance.amount_micro // 2
    balance.amount_micro -= record.deposit_micro
    rewritten(scene.consortium, {keys.member(member.msp_id): record, keys.balance(member.msp_id): balance})


def deals_of_forge(scene: Scene) -> tuple[Deal, Deal, Deal, Deal]:
    """Four accounts of forge: it provides; it uses on credit; it has charged too much, claimed in part, and in all."""
    maker, factory, forge = scene.maker, scene.factory, scene.forge
    price = scene.deal.terms_in_force().tariff
    provides, corrected, fallen = (
        scene.consortium.agree(forge, factory, tariff=price, funds=9 * TOKEN) for _ in range(3)
    )
    consumes = scene.consortium.agree(maker, forge, tariff=price, funds=5 * TOKEN, credit_limit_micro=9 * TOKEN)
    for deal, used in ((provides, 2), (consumes, 8), (corrected, 4), (fallen, 4)):
        deal.use(used * TOKEN)
        deal.provider.claim(deal)
    for deal in (provides, consumes):
        deal.use(TOKEN)
    for deal in (corrected, fallen):
        factory.settle(deal)
        correction = CorrectionReading(time_us=scene.consortium.clock.now_us, quantity_micro=-TOKEN)
        factory.correct(deal, "c1", correction)
        forge.agree(deal, "c1")
    forge.claim(fallen)
    return provides, consumes, corrected, fallen


def check_takes_part_no_more(scene: Scene) -> None:
    maker, bank, forge = scene.maker, scene.bank, scene.forge
    assert forge.record.status == MEMBER_STATUS_EXCLUDED
    scene.refuses(Forbidden, lambda: forge.redeem(TOKEN))
    assert "excluded" in scene.refuses(WrongStatus, lambda: maker.transfer(forge, TOKEN))
    assert "excluded" in scene.refuses(WrongStatus, lambda: bank.mint(forge, TOKEN))
    bundle = forge.admin.sign(forge.admin.bundle(maker))
    assert "excluded" in scene.refuses(AlreadyExists, lambda: maker.admin.apply(bundle))


def check_gives_back_half(scene: Scene, corrected: Deal) -> None:
    """It owes one token, and has half of that; the other half stays a debt."""
    scene.factory.close(corrected)
    assert (corrected.account.paid_micro, scene.forge.balance) == (4 * TOKEN - TOKEN // 2, 0)
    assert scene.forge.record.deposit_micro == 0
    assert corrected.account.owed_back_micro == TOKEN // 2
    assert corrected.invoices[-1].kind == INVOICE_KIND_CREDIT_NOTE


def check_owes_the_refund(scene: Scene, fallen: Deal) -> None:
    """The account ends without the refund, which is a debt."""
    scene.refuses(WrongStatus, lambda: scene.factory.close(fallen))
    scene.factory.settle(fallen)
    scene.factory.close(fallen)
    assert (fallen.account.paid_micro, fallen.escrow, fallen.account.owed_back_micro) == (4 * TOKEN, 0, TOKEN)
    assert fallen.invoices[-1].kind == INVOICE_KIND_CREDIT_NOTE


def check_is_paid_unclaimed_usage(scene: Scene, provides: Deal) -> None:
    """Two tokens were claimed, and the head has one more."""
    factory, before = scene.factory, scene.factory.balance
    scene.refuses(WrongStatus, lambda: factory.close(provides))
    factory.settle(provides)
    scene.refuses(MalformedRequest, lambda: factory.close(provides, transient={}))
    earlier = UsageRecord.FromString(factory.read_record(provides, 1)).head
    scene.refuses(HeadMismatch, lambda: factory.close(provides, transient=factory.shown(provides, earlier)))
    factory.close(provides)

    assert (scene.forge.balance, factory.balance - before) == (3 * TOKEN, 6 * TOKEN)
    invoice = provides.invoices[-1]
    assert (invoice.amount_micro, invoice.head_digest) == (TOKEN, provides.commitment.head_digest)
    head = AccountHead.FromString(UsageRecord.FromString(factory.read_record(provides, invoice.head_sequence)).head)
    assert sum(line.amount_micro for line in head.open_lines) == TOKEN


def check_pays_its_debts_first(scene: Scene, corrected: Deal, fallen: Deal) -> None:
    """Now it has tokens again; those that it owes are not paid out before its customer has them back."""
    said = scene.refuses(RefundOwed, lambda: scene.bank.redeem(2 * TOKEN, of=scene.forge))
    assert "1.50 tokens" in said
    before = scene.factory.balance
    for deal in (corrected, fallen):
        scene.factory.settle(deal)
        scene.refuses(WrongStatus, lambda deal=deal: scene.factory.settle(deal))
    assert (scene.factory.balance - before, scene.forge.balance) == (TOKEN + TOKEN // 2, TOKEN + TOKEN // 2)


def check_owes_more_than_it_paid_in(scene: Scene, consumes: Deal) -> None:
    scene.refuses(WrongStatus, lambda: scene.maker.close(consumes))
    scene.maker.settle(consumes)
    scene.maker.close(consumes)
    assert (consumes.account.paid_micro, consumes.escrow) == (5 * TOKEN, 0)
    assert [invoice.amount_micro for invoice in consumes.invoices] == [8 * TOKEN, TOKEN]


def check_tokens_are_paid_out(scene: Scene) -> None:
    maker, bank, forge = scene.maker, scene.bank, scene.forge
    scene.refuses(Forbidden, lambda: maker.redeem(TOKEN, of=forge))
    scene.refuses(WrongStatus, lambda: bank.redeem(TOKEN, of=maker))
    scene.refuses(InsufficientFunds, lambda: bank.redeem(forge.balance + 1, of=forge))
    bank.confirm(bank.redeem(forge.balance, of=forge))
    assert forge.balance == 0


def check_is_taken_out_of_the_channel(scene: Scene, ballot: Ballot) -> None:
    """The ballot has decided; a configuration that has changed meanwhile only needs new signatures, however late."""
    maker, factory, bank, forge = scene.maker, scene.factory, scene.bank, scene.forge
    scene.refuses(VotedAlready, lambda: factory.admin.vote(ballot, in_favour=False))
    scene.consortium.clock.advance(15 * DAY_S)
    for voter in (maker, factory, bank):
        voter.admin.sign_again(ballot, *scene.consortium.updates(7))
    noted = maker.admin.execute(ballot, config_block_number=7)
    assert (noted.status, noted.config_block_number) == (BALLOT_STATUS_EXECUTED, 7)
    assert "block 7 is noted already" in scene.refuses(WrongStatus, lambda: maker.admin.execute(ballot))
    # The note may be wrong, and stops nobody.
    maker.admin.sign_again(ballot, *scene.consortium.updates(8))
    again = factory.admin.exclude(forge)
    carry(again, maker, factory, bank)
    for act in (lambda: maker.admin.execute(ballot), lambda: maker.admin.sign_again(ballot)):
        assert "took its place" in scene.refuses(WrongStatus, act)
