"""Members leave so that the others can decide nothing any more, or set thresholds that nobody can reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaincode import keys
from chaincode.errors import Forbidden, OutOfReach
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from tests.attacks.test_electorate import approve
from tests.conformance.scene import Scene
from tests.conformance.test_ballot import charter_with
from tests.harness import (
    Consortium,
    on_ledgers,
    start_consortium,
)
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED
from zunft.v1.charter_pb2 import ExitConditions, Threshold, VotingRules
from zunft.v1.member_pb2 import MEMBER_STATUS_ADMITTED, MEMBER_STATUS_LEFT

MILL = "MillMSP"


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Four members, of which three must approve."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        yield Scene(consortium)


def voting(**shares: tuple[int, int]) -> VotingRules:
    return VotingRules(**{name: Threshold(numerator=of, denominator=all_) for name, (of, all_) in shares.items()})


@pytest.mark.fault(43)
@pytest.mark.parametrize(
    "rules", [{"exclusion": (4, 5)}, {"suspension": (1, 1)}, {"exclusion": (3, 4), "suspension": (7, 9)}]
)
def test_the_charter_takes_no_threshold_that_nobody_can_reach(scene: Scene, rules: dict[str, Any]) -> None:
    proposed = charter_with(scene, voting=voting(**rules))
    said = scene.refuses(OutOfReach, lambda: scene.maker.admin.amend_charter(proposed))
    assert "of 4 members are 4, and nobody votes on itself: write 3/4 or less" in said


@pytest.mark.fault(43)
def test_two_of_four_that_give_notice_keep_the_others_from_nothing(scene: Scene) -> None:
    """This test is the last in its file, since the two go."""
    guild, maker, factory, forge = scene.consortium, scene.maker, scene.factory, scene.forge
    for leaver in (maker, forge):
        leaver.admin.leave()
    check_suspended_vote_rests(guild)

    root = make_authority(f"msp-ca.{MILL}", MILL, Validity())
    bundle = factory.admin.bundle(factory, msp_id=MILL, root_certificates=[root.certificate_pem])
    ballot = factory.admin.apply(factory.admin.sign(bundle, root.key), MILL)
    assert approve(guild, ballot, "factory", "bank", "forge").status == BALLOT_STATUS_CARRIED
    assert guild.read(keys.member(MILL)).status == MEMBER_STATUS_ADMITTED

    ballot = approve(guild, maker.admin.depart(), "factory", "bank", "forge")
    assert (ballot.status, maker.record.status) == (BALLOT_STATUS_CARRIED, MEMBER_STATUS_LEFT)
    scene.refuses(Forbidden, lambda: maker.admin.vote(ballot))
    ballot = approve(guild, forge.admin.depart(), "factory", "bank")
    assert (ballot.status, forge.record.status) == (BALLOT_STATUS_CARRIED, MEMBER_STATUS_LEFT)


def check_suspended_vote_rests(guild: Consortium) -> None:
    """A suspended member does not vote, and one that is reinstated does, although it is leaving."""
    maker, forge = guild.member("maker"), guild.member("forge")
    approve(guild, maker.admin.suspend(forge), "maker", "factory", "bank")
    ballot = maker.admin.suspend(guild.member("factory"))
    assert list(ballot.voter_msp_ids) == ["BankMSP", "MakerMSP"]
    guild.member("bank").admin.vote(ballot, in_favour=False)
    approve(guild, maker.admin.reinstate(forge), "maker", "factory")
    ballot = maker.admin.suspend(guild.member("bank"))
    assert list(ballot.voter_msp_ids) == ["FactoryMSP", "ForgeMSP", "MakerMSP"]
    forge.admin.vote(ballot, in_favour=False)
