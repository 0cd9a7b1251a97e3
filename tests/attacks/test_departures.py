"""Others keep a member that has ended everything: by a "no", by silence, by a change that comes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chaincode import keys
from chaincode.errors import BallotClosed, ExitCondition, Forbidden
from node.membership.leaving import depart
from tests.attacks.witness import audited
from tests.harness import (
    TOKEN,
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.applying import (
    approve,
    channel_of,
    gateway,
    known_to_all,
)
from tests.harness.consortium import msp_id_of
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.charter_pb2 import Charter, ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_LEFT

LEFT_OVER = TOKEN // 2


@pytest.fixture(params=on_ledgers("embedded", "fabric"))
def ledger(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def guild(ledger: str, tmp_path: Path) -> Iterator[Consortium]:
    """Four members, of which Fabric wants three signatures; a notice ends at once."""
    yield from founded(ledger, tmp_path, "maker", "factory", "bank", "forge")


@pytest.fixture
def pair(ledger: str, tmp_path: Path) -> Iterator[Consortium]:
    yield from founded(ledger, tmp_path, "maker", "bank")


def founded(ledger: str, folder: Path, *names: str) -> Iterator[Consortium]:
    with start_consortium(folder / "guild", ledger, names=names) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        yield consortium


def leave(guild: Consortium, name: str) -> Ballot:
    """Leaves as with `zunft leave start` and `leave complete`; the ballot on the departure."""
    guild.member(name).admin.leave()
    with known_to_all(guild, name):
        return guild.run(depart(gateway(guild, name)))


def stop_following(guild: Consortium, *names: str) -> None:
    """Stops reading these members' blocks, since a removed member gets none."""
    for name in names:
        guild.run(guild.followers.pop(msp_id_of(name)).blocks.aclose())


def is_out(guild: Consortium, name: str, asked: str = "bank") -> bool:
    return msp_id_of(name) not in channel_of(guild, asked).members


@pytest.mark.fault(57)
def test_one_no_keeps_nobody(guild: Consortium) -> None:
    """Two of the three others and its own signature are enough for Fabric, and there is no vote on a departure."""
    ballot = leave(guild, "forge")
    stop_following(guild, "forge")
    with suppress(BallotClosed):
        guild.member("maker").admin.vote(ballot, in_favour=False)
    for name in ("factory", "bank"):
        approve(guild, name, ballot)
    assert guild.member("forge").record.status == MEMBER_STATUS_LEFT
    assert is_out(guild, "forge")
    assert [text for one in audited(guild.member("bank")).verdicts for text in one.alarms] == []


@pytest.mark.fault(57)
def test_silence_costs_a_leaving_member_nothing(guild: Consortium) -> None:
    """Nobody signs; the member gets its tokens all the same, and has no duties any more."""
    forge, bank = guild.member("forge"), guild.member("bank")
    bank.mint(forge, TOKEN + LEFT_OVER)
    forge.transfer(bank, TOKEN)
    ballot = leave(guild, "forge")
    bank.confirm(bank.redeem(LEFT_OVER, of=forge))
    assert (forge.balance, forge.record.status, is_out(guild, "forge")) == (0, MEMBER_STATUS_LEFT, False)
    # It may sign, and may not vote.
    amendment = bank.admin.amend_charter(charter_of(guild))
    with pytest.raises(Forbidden):
        forge.admin.vote(amendment)
    approve(guild, "forge", ballot)


@pytest.mark.fault(57)
def test_a_member_that_has_left_signs_again_where_another_change_came_first(guild: Consortium) -> None:
    """It also signs for others that have left: else three of four that go at once would have too few signatures."""
    ballots = {name: leave(guild, name) for name in ("forge", "maker", "factory")}
    stop_following(guild, "forge", "maker")
    for name in ("bank", "factory"):
        approve(guild, name, ballots["forge"])
    assert is_out(guild, "forge")
    approve(guild, "bank", ballots["maker"])
    assert not is_out(guild, "maker")
    # The maker's earlier signature counts no more.
    approve(guild, "maker", ballots["maker"])
    approve(guild, "bank", ballots["maker"])
    assert is_out(guild, "maker")


@pytest.mark.fault(57)
def test_either_of_two_members_goes_and_the_last_one_needs_nobody(pair: Consortium) -> None:
    ballot = leave(pair, "maker")
    stop_following(pair, "maker")
    approve(pair, "bank", ballot)
    assert is_out(pair, "maker")
    with pytest.raises(ExitCondition, match="the last member, and needs nobody"):
        pair.member("bank").admin.leave()


def charter_of(guild: Consortium) -> Charter:
    charter = guild.read(keys.CHARTER)
    charter.version += 1
    return charter
