"""Ballots that an earlier contract has opened or decided go on under this one: their votes and signatures count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaincode import keys
from chaincode.errors import AnotherBallot, NoticePeriod
from consortium.joining.bundle import OpenedBundle
from node.membership.edits import channel_edit
from node.membership.leaving import depart
from tests.attacks.rogue import rewritten
from tests.harness import (
    TOKEN,
    Consortium,
    on_ledgers,
    per_unit,
    start_consortium,
)
from tests.harness.applying import (
    GUILD,
    another_bundle,
    applicant,
    approve,
    channel_of,
    gateway,
    known_to_all,
    proposed,
)
from tests.harness.consortium import msp_id_of
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_DEPARTURE,
    Ballot,
)
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    Electorate,
    OpenBallot,
    Seat,
)

PRESS = "PressMSP"
MONTH_S = 30 * 86_400


@pytest.fixture(params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, one of which has put its departure to the vote."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=GUILD) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        consortium.member("press").admin.leave()
        yield consortium


def departure_of_an_earlier_contract(guild: Consortium, *voters: str) -> Ballot:
    """A departure's ballot, as an earlier contract left it and its member's record.

    The votes hold their signatures, over an edit that is in the ballot.
    """
    ballot, member = guild.member("press").admin.depart(), guild.read(keys.member(PRESS))
    ballot.edit.config_updates.extend(channel_edit(channel_of(guild), BALLOT_SUBJECT_DEPARTURE, PRESS))
    del ballot.votes[:]
    for name in voters:
        admin = guild.member(name).admin
        signatures = admin.signs(*ballot.edit.config_updates)["config_signatures"]
        ballot.votes.add(msp_id=admin.member.msp_id, in_favour=True, config_signatures=signatures)
    del member.open_ballots[:]
    ballot.decided_at_s = member.left_at_s = 0
    ballot.status, member.status, member.carried_ballot_id = BALLOT_STATUS_OPEN, MEMBER_STATUS_LEAVING, ""
    if len(voters) < ballot.needed_approvals:
        member.open_ballot.CopyFrom(OpenBallot(ballot_id=ballot.ballot_id, deadline_s=ballot.deadline_s))
    else:
        # The departure itself was left to ballot.execute.
        ballot.status, member.carried_ballot_id = BALLOT_STATUS_CARRIED, ballot.ballot_id
    ballot.membership = member.membership = 0
    rewritten(
        guild,
        {
            keys.ballot(ballot.ballot_id): ballot,
            keys.member(PRESS): member,
            keys.question(PRESS, ballot.subject): None,
            keys.ELECTORATE: Electorate(seats=[Seat(msp_id=msp_id_of(name), votes=name != "press") for name in GUILD]),
        },
    )
    guild.run(guild.followers.pop(PRESS).blocks.aclose())
    return ballot


def test_an_open_ballot_goes_on(guild: Consortium) -> None:
    ballot = departure_of_an_earlier_contract(guild, "maker", "factory")
    approve(guild, "bank", ballot)
    check_left(guild, ballot)


def test_a_member_that_was_turned_down_goes_all_the_same(guild: Consortium) -> None:
    """This contract needs no votes for a departure: two are there, which no longer matters."""
    departure_of_an_earlier_contract(guild, "maker", "factory")
    with known_to_all(guild, "press"):
        ballot = guild.run(depart(gateway(guild, "press")))
    for name in ("maker", "bank"):
        approve(guild, name, ballot)
    check_left(guild, ballot)


def test_a_carried_ballot_is_carried_out(guild: Consortium) -> None:
    """The signatures that the ballot has and the member's own suffice."""
    ballot = departure_of_an_earlier_contract(guild, "maker", "factory", "bank")
    assert guild.read(keys.member(PRESS)).status == MEMBER_STATUS_LEAVING
    approve(guild, "maker", ballot)
    check_left(guild, ballot)


def application_of_an_earlier_contract(guild: Consortium, opened: OpenedBundle) -> Ballot:
    """An application under the key of the member that it may become, whose record notes the ballot."""
    ballot = proposed(guild, opened)
    own, own_bundle = (of(ballot.msp_id, "MakerMSP") for of in (keys.application, keys.application_bundle))
    record, bundle = guild.read(own), guild.read(own_bundle)
    record.open_ballots.add(ballot_id=ballot.ballot_id, deadline_s=ballot.deadline_s, subject=ballot.subject)
    ballot.membership = 0
    rewritten(
        guild,
        {
            keys.ballot(ballot.ballot_id): ballot,
            keys.member(ballot.msp_id): record,
            keys.bundle(ballot.msp_id): bundle,
            keys.question(ballot.msp_id, ballot.subject, "MakerMSP"): None,
            own: None,
            own_bundle: None,
        },
    )
    return ballot


def test_an_application_goes_on(guild: Consortium, tmp_path: Path) -> None:
    """Its sponsor can put in no other application meanwhile."""
    with applicant(guild, tmp_path) as opened:
        ballot = application_of_an_earlier_contract(guild, opened)
        guild.clock.advance(1)
        with pytest.raises(AnotherBallot):
            proposed(guild, another_bundle(guild, tmp_path))
        for name in ("maker", "factory", "bank"):
            approve(guild, name, ballot)
        member = guild.read(keys.member(ballot.msp_id))
        assert (member.status, member.membership, list(member.open_ballots)) == (MEMBER_STATUS_ADMITTED, 1, [])
        assert ballot.msp_id in channel_of(guild).members


def check_left(guild: Consortium, ballot: Ballot) -> None:
    assert PRESS not in channel_of(guild).members
    assert guild.read(keys.member(PRESS)).status == MEMBER_STATUS_LEFT
    noted = guild.read(keys.ballot(ballot.ballot_id))
    assert (noted.status, len(noted.votes)) == (BALLOT_STATUS_EXECUTED, 3)


def test_a_member_excluded_without_a_date_is_gone_when_the_date_is_noted(guild: Consortium) -> None:
    """An earlier contract noted the date when the exclusion was executed; the provider's time runs from there on."""
    bank, maker, factory = (guild.member(name) for name in ("bank", "maker", "factory"))
    bank.mint(factory, 20 * TOKEN)
    deal = guild.agree(maker, factory, per_unit("hours", TOKEN), funds=20 * TOKEN, notice_s=3 * 86_400)
    ballot = maker.admin.exclude(factory)
    for voter in (maker, bank, guild.member("forge"), guild.member("press")):
        if ballot.status == BALLOT_STATUS_OPEN:
            ballot = voter.admin.vote(ballot)
    excluded = guild.read(keys.member(factory.msp_id))
    excluded.left_at_s = 0
    rewritten(guild, {keys.member(factory.msp_id): excluded})

    guild.clock.advance(MONTH_S)
    with pytest.raises(NoticePeriod):
        bank.close(deal)
    maker.admin.execute(ballot)
    assert guild.read(keys.member(factory.msp_id)).left_at_s >= guild.clock.now_s - 1
    guild.clock.advance(MONTH_S)
    bank.close(deal)
    assert (deal.escrow, factory.balance) == (0, 20 * TOKEN)
