"""Votes on one question carry another: on a bundle that came later, on a member that left and came back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import BallotClosed, ContractError, WrongStatus
from chaincode.members.bundle import bundle_digest
from chaincode.members.charter import MIN_BALLOT_PERIOD_S
from chaincode.rights.roles import Role
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from ledger.gateway import Gateway
from tests.attacks.rogue import rewritten
from tests.attacks.test_electorate import NAMES, approve
from tests.harness import (
    Consortium,
    Member,
    on_ledgers,
    start_consortium,
)
from zunft.v1.ballot_pb2 import Ballot, CastVote
from zunft.v1.bundle_pb2 import SignedBundle
from zunft.v1.charter_pb2 import ExitConditions, VotingRules
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_LEFT,
    ApplyMember,
    SuspendMember,
)

# An endorser refuses a proposal whose time differs more from its own clock.
SKEW_S = 300
MILL = "MillMSP"


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, of which three must approve."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=NAMES) as consortium:
        rules = VotingRules(ballot_period_s=MIN_BALLOT_PERIOD_S)
        consortium.found(voting=rules, exit=ExitConditions(notice_period_s=0))
        yield consortium


def clock_off(guild: Consortium, member: Member, ahead_s: int) -> Gateway:
    """The gateway of the member's admin, with a clock that is `ahead_s` ahead."""
    honest = guild.gateway(member.msp_id, Role.ADMIN)
    return Gateway(
        honest.transport, honest.identity, channel=honest.channel, clock=lambda: guild.clock.now_us + ahead_s * 10**6
    )


def apply_with_clock_off(guild: Consortium, sponsor: Member, bundle: SignedBundle, ahead_s: int) -> Ballot:
    request = ApplyMember(msp_id=MILL, signed_bundle=bundle.SerializeToString())
    committed = guild.run(clock_off(guild, sponsor, ahead_s).submit("member.apply", request))
    guild.catch_up(committed.block_number)
    return Ballot.FromString(committed.result)


def bundle_of(sponsor: Member, legal_name: str, msp_id: str = MILL) -> SignedBundle:
    root = make_authority(f"msp-ca.{msp_id}", msp_id, Validity())
    bundle = sponsor.admin.bundle(
        sponsor, msp_id=msp_id, legal_name=legal_name, root_certificates=[root.certificate_pem], identifiers=[]
    )
    return sponsor.admin.sign(bundle, root.key)


def is_accepted(guild: Consortium, member: Member, ahead_s: int, name: str, request: Message) -> bool:
    """Whether the contract accepts the request of the member's admin with such a clock."""
    try:
        guild.run(clock_off(guild, member, ahead_s).evaluate(name, request))
    except ContractError:
        return False
    return True


@pytest.mark.fault(40)
def test_votes_for_one_bundle_do_not_admit_another(guild: Consortium) -> None:
    """By the sponsor's clock the ballot has lapsed while the others still vote, and it puts in another bundle."""
    forge = guild.member("forge")
    honest = bundle_of(forge, "The company that was telephoned")
    ballot = approve(guild, forge.admin.apply(honest, MILL), "maker", "factory")
    guild.clock.advance(MIN_BALLOT_PERIOD_S - 100)
    with suppress(ContractError):
        apply_with_clock_off(guild, forge, bundle_of(forge, "Somebody else"), ahead_s=SKEW_S - 1)
    with suppress(ContractError):
        approve(guild, ballot, "bank")
    member = guild.read(keys.member(MILL))
    assert (member.status, member.name) == (MEMBER_STATUS_ADMITTED, "The company that was telephoned")
    assert bundle_digest(guild.read(keys.bundle(MILL))) == ballot.bundle_digest


@pytest.mark.fault(40)
def test_no_two_clocks_let_votes_meet_a_replacement(guild: Consortium) -> None:
    """As long as a member with a slow clock may vote, a member with a fast clock opens no other ballot."""
    forge, maker = guild.member("forge"), guild.member("maker")
    ballot = forge.admin.suspend(maker)
    guild.clock.advance(MIN_BALLOT_PERIOD_S)
    for late_s in range(0, 2 * SKEW_S + 2, 100):
        opens = is_accepted(guild, forge, SKEW_S, "member.suspend", SuspendMember(msp_id=maker.msp_id, reason="again"))
        cast = CastVote(ballot_id=ballot.ballot_id, msp_id=maker.msp_id, in_favour=True)
        votes = is_accepted(guild, guild.member("bank"), -SKEW_S, "ballot.vote", cast)
        assert not (opens and votes), f"{late_s} s after the deadline"
        guild.clock.advance(100)
    guild.clock.advance(SKEW_S)
    replacement = forge.admin.suspend(maker)
    with pytest.raises(BallotClosed):
        guild.member("bank").admin.vote(ballot)
    for name in ("bank", "factory"):
        guild.member(name).admin.vote(replacement, in_favour=False)


@pytest.mark.fault(40)
def test_the_bundle_on_the_ledger_is_the_one_that_was_voted_on(guild: Consortium) -> None:
    """The vote fails if another bundle is there, for whatever reason."""
    forge, guildhall = guild.member("forge"), "GuildhallMSP"
    ballot = approve(guild, forge.admin.apply(bundle_of(forge, "Guildhall", guildhall), guildhall), "maker", "factory")
    other = bundle_of(forge, "Somebody else", guildhall)
    rewritten(guild, {keys.application_bundle(guildhall, forge.msp_id): other})
    with pytest.raises(BallotClosed, match="another bundle took the place"):
        approve(guild, ballot, "bank")
    assert keys.member(guildhall).name not in guild.public


@pytest.mark.fault(41)
def test_old_votes_do_not_exclude_a_member_that_has_come_back(guild: Consortium) -> None:
    """One vote for its exclusion was missing when the member left; after it has come back, that vote does not count."""
    maker, forge, press = guild.member("maker"), guild.member("forge"), guild.member("press")
    forge.admin.leave()
    old = approve(guild, maker.admin.exclude(forge), "maker", "factory")
    approve(guild, forge.admin.depart(), "maker", "factory", "bank")
    assert forge.record.status == MEMBER_STATUS_LEFT

    back = maker.admin.apply(forge.admin.sign(forge.admin.bundle(maker, identifiers=forge.record.identifiers)))
    forge.admin.activate(approve(guild, back, "maker", "factory", "bank"))
    with pytest.raises(WrongStatus):
        press.admin.vote(old)
    assert forge.record.status == MEMBER_STATUS_ACTIVE
    again = maker.admin.exclude(forge)
    assert again.ballot_id != old.ballot_id
    for name in ("factory", "bank"):
        guild.member(name).admin.vote(again, in_favour=False)
