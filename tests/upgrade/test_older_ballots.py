"""What an earlier contract has opened or decided goes on under this one: its votes count, and so do its signatures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaincode import keys
from node.membership.edits import channel_edit
from tests.attacks.rogue import rewritten
from tests.consortium import Consortium, on_ledgers, start_consortium
from tests.consortium.applying import GUILD, approve, channel_of
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED, BALLOT_SUBJECT_DEPARTURE, Ballot
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_LEAVING, MEMBER_STATUS_LEFT, OpenBallot

PRESS = "PressMSP"


@pytest.fixture(params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, one of which has put its departure to the vote."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=GUILD) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        consortium.member("press").admin.leave()
        yield consortium


def of_an_earlier_contract(guild: Consortium, *voters: str) -> Ballot:
    """The ballot and its member's record; the votes hold their signatures, over an edit that is in the ballot."""
    ballot, member = guild.member("press").admin.depart(), guild.read(keys.member(PRESS))
    ballot.edit.config_updates.extend(channel_edit(channel_of(guild), BALLOT_SUBJECT_DEPARTURE, PRESS))
    for name in voters:
        admin = guild.member(name).admin
        signatures = admin.signs(*ballot.edit.config_updates)["config_signatures"]
        ballot.votes.add(msp_id=admin.member.msp_id, in_favour=True, config_signatures=signatures)
    del member.open_ballots[:]
    if len(voters) < ballot.needed_approvals:
        member.open_ballot.CopyFrom(OpenBallot(ballot_id=ballot.ballot_id, deadline_s=ballot.deadline_s))
    else:
        # The departure itself was left to ballot.execute.
        ballot.status, member.carried_ballot_id = BALLOT_STATUS_CARRIED, ballot.ballot_id
    rewritten(guild, {keys.ballot(ballot.ballot_id): ballot, keys.member(PRESS): member})
    guild.run(guild.followers.pop(PRESS).blocks.aclose())
    return ballot


def test_an_open_ballot_goes_on(guild: Consortium) -> None:
    ballot = of_an_earlier_contract(guild, "maker", "factory")
    approve(guild, "bank", ballot)
    check_left(guild, ballot)


def test_a_carried_ballot_is_carried_out(guild: Consortium) -> None:
    """With the signatures that are there, and one's own."""
    ballot = of_an_earlier_contract(guild, "maker", "factory", "bank")
    assert guild.read(keys.member(PRESS)).status == MEMBER_STATUS_LEAVING
    approve(guild, "maker", ballot)
    check_left(guild, ballot)


def check_left(guild: Consortium, ballot: Ballot) -> None:
    assert PRESS not in channel_of(guild).members
    assert guild.read(keys.member(PRESS)).status == MEMBER_STATUS_LEFT
    noted = guild.read(keys.ballot(ballot.ballot_id))
    assert (noted.status, len(noted.votes)) == (BALLOT_STATUS_EXECUTED, 3)
