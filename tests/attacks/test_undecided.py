"""A member carries out a change that too few have approved, with the signatures that came with their votes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consortium.joining.bundle import OpenedBundle
from ledger.configuration import (
    UpdateRefused,
    sign_update,
    signed_update,
    submit_update,
)
from node.membership.errors import MissingSignatures
from node.membership.voting import Voting
from tests.harness import (
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.applying import (
    GUILD,
    applicant,
    approve,
    channel_of,
    gateway,
    known_to_all,
    proposed,
    vote,
)
from zunft.v1.charter_pb2 import Threshold, VotingRules


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, of which four must approve; for Fabric three organisations are a majority."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=GUILD) as consortium:
        consortium.found(voting=VotingRules(admission=Threshold(numerator=4, denominator=5)))
        yield consortium


@pytest.fixture
def applying(guild: Consortium, tmp_path: Path) -> Iterator[OpenedBundle]:
    with applicant(guild, tmp_path) as opened:
        yield opened


@pytest.mark.fault(1)
def test_the_votes_of_a_minority_by_the_charter_change_nothing(guild: Consortium, applying: OpenedBundle) -> None:
    """They change nothing even if a member that has not voted adds its signature."""
    ballot = proposed(guild, applying)
    for name in ("maker", "factory", "bank"):
        approve(guild, name, ballot)

    async def hand_in() -> None:
        forge = gateway(guild, "forge")
        voting = await Voting.open(forge, ballot.ballot_id)
        [update] = voting.change.updates
        collected = [*voting.signatures_over(update).values(), sign_update(update, forge.identity)]
        await submit_update(forge, signed_update(update, collected))

    with known_to_all(guild, "maker"), pytest.raises(UpdateRefused, match="not satisfied"):
        guild.run(hand_in())
    assert applying.bundle.msp_id not in channel_of(guild).members
    for name in ("forge", "press"):
        vote(guild, name, ballot, in_favour=False)


def test_a_member_that_has_approved_signs_after_the_decision(guild: Consortium, applying: OpenedBundle) -> None:
    ballot = proposed(guild, applying)
    for name in ("maker", "factory", "bank"):
        approve(guild, name, ballot)
    with pytest.raises(MissingSignatures, match="MakerMSP, FactoryMSP, BankMSP must approve again"):
        approve(guild, "forge", ballot)
    with pytest.raises(MissingSignatures, match="FactoryMSP, BankMSP must approve again"):
        approve(guild, "maker", ballot)
    approve(guild, "factory", ballot)
    assert applying.bundle.msp_id in channel_of(guild).members
