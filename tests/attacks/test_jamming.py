"""A member puts questions to the vote again and again, so that others' transactions conflict, or nobody keeps up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import AnotherBallot, AskedBefore, ContractError, TooManyApplications
from chaincode.members.sponsorship import MAX_OPEN_APPLICATIONS
from chaincode.rights.roles import Role
from tests.attacks.rogue import Rogue
from tests.attacks.test_electorate import NAMES, approve, put_in
from tests.harness import (
    TOKEN,
    Consortium,
    Member,
    on_ledgers,
    start_consortium,
)
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_AMENDMENT,
    Ballot,
    CastVote,
)
from zunft.v1.charter_pb2 import Charter, Threshold, VotingRules
from zunft.v1.token_pb2 import TransferTokens

# Four of five must approve a suspension, and nobody votes on itself, so one vote against it turns it down at once.
UNANIMOUS = VotingRules(
    suspension=Threshold(numerator=4, denominator=5), admission=Threshold(numerator=1, denominator=1)
)
DAYS_14_S = 14 * 86_400


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=NAMES) as consortium:
        consortium.found(voting=UNANIMOUS)
        consortium.member("bank").mint(consortium.member("maker"), 100 * TOKEN)
        yield consortium


def open_and_reject(rogue: Member, about: Member) -> None:
    with suppress(ContractError):
        rogue.admin.vote(rogue.admin.suspend(about, "once more"), in_favour=False)


def send_while_disturbed(guild: Consortium, sender: str, about: Member, *what: Any, role: Role) -> int:
    """The validation code of an honest transaction, while one member opens ballots about another and rejects them."""
    honest = Rogue(guild, sender)
    endorsed = honest.endorsed(*what, role=role)
    for _ in range(2):
        open_and_reject(guild.member("press"), about)
    outcome = honest.send_endorsed(endorsed, role=role)
    guild.catch_up(outcome.block_number)
    return outcome.code


def amended(guild: Consortium) -> Charter:
    charter = guild.read(keys.CHARTER)
    charter.version += 1
    return charter


def vote_for(guild: Consortium, ballot: Ballot, name: str) -> Message:
    signs = guild.member(name).admin.signs(*guild.updates(1))
    return CastVote(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, in_favour=True, **signs)


@pytest.mark.fault(42)
def test_a_friend_s_ballots_void_no_transfer(guild: Consortium) -> None:
    transfer = TransferTokens(to_msp_id="FactoryMSP", amount_micro=TOKEN)
    code = send_while_disturbed(guild, "maker", guild.member("maker"), "token.transfer", transfer, role=Role.TREASURER)
    assert code == transaction_pb2.VALID


@pytest.mark.fault(42)
def test_a_member_waits_before_it_puts_a_rejected_question_again(guild: Consortium) -> None:
    """The member waits for a ballot's period; another one may put the question at once."""
    press, factory = guild.member("press"), guild.member("factory")
    open_and_reject(press, factory)
    with pytest.raises(AskedBefore, match="PressMSP has put this to the vote already, in vain: wait 14 days"):
        press.admin.suspend(factory)
    again = guild.member("maker").admin.suspend(factory)
    guild.member("bank").admin.vote(again, in_favour=False)
    guild.clock.advance(DAYS_14_S)
    open_and_reject(press, factory)
    with pytest.raises(AskedBefore):
        press.admin.suspend(factory)


@pytest.mark.fault(45)
def test_a_sponsor_that_turns_its_own_applicants_down_puts_in_no_more_for_that(guild: Consortium) -> None:
    press = guild.member("press")
    for number in range(MAX_OPEN_APPLICATIONS):
        press.admin.vote(put_in(guild, f"Spam{number}MSP", press), in_favour=False)
    with pytest.raises(TooManyApplications):
        put_in(guild, "OneMoreMSP", press)
    guild.clock.advance(DAYS_14_S)
    press.admin.vote(put_in(guild, "OneMoreMSP", press), in_favour=False)


@pytest.mark.fault(45)
def test_each_member_has_one_amendment_before_the_others(guild: Consortium) -> None:
    """The amendment may be decided, have lapsed or be overtaken before the next; nobody waits for another's."""
    press, maker = guild.member("press"), guild.member("maker")
    for number in range(5):
        with suppress(AnotherBallot):
            press.admin.amend_charter(amended(guild), reason=f"amendment {number}")
    ballots = [Ballot.FromString(value) for key, value in guild.public.items() if key.startswith("ballot/")]
    amendments = [one for one in ballots if one.subject == BALLOT_SUBJECT_AMENDMENT]
    assert len([one for one in amendments if one.status == BALLOT_STATUS_OPEN]) == 1
    ballot = approve(guild, maker.admin.amend_charter(amended(guild)), "maker", "factory", "bank")
    assert ballot.status == BALLOT_STATUS_CARRIED
    for member in (press, maker):
        ballot = member.admin.amend_charter(amended(guild))
        for name in ("factory", "bank", "forge"):
            ballot = guild.member(name).admin.vote(ballot, in_favour=False)
        with pytest.raises(AskedBefore):
            member.admin.amend_charter(amended(guild))


@pytest.mark.fault(42)
def test_a_friend_s_ballots_void_no_deciding_vote(guild: Consortium) -> None:
    """This test is the last in its file, since the excluded member is gone."""
    forge = guild.member("forge")
    ballot = approve(guild, guild.member("maker").admin.exclude(forge), "maker", "factory")
    vote = vote_for(guild, ballot, "bank")
    assert send_while_disturbed(guild, "bank", forge, "ballot.vote", vote, role=Role.ADMIN) == transaction_pb2.VALID
    assert guild.read(keys.ballot(ballot.ballot_id)).status == BALLOT_STATUS_CARRIED
