"""A member changes its own part of the channel's configuration, to make the others' signatures stale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fabric_protos.common import configtx_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.channel.config_group import (
    copied,
    set_policy,
)
from consortium.channel.config_update import config_update
from consortium.channel.genesis import (
    ChannelSettings,
    channel_group,
)
from consortium.channel.members import (
    add_member,
    change_member,
    remove_member,
)
from consortium.channel.ordering import RaftOrdering
from consortium.channel.policies import (
    ANY,
    implicit_meta,
)
from consortium.channel.reader import read_members
from consortium.joining.bundle import OpenedBundle
from consortium.keys.member_material import Endpoint
from ledger.configuration import UpdateRefused
from ledger.fabric_rules.config_update import (
    applied,
    stale_element,
)
from tests.consortium.test_membership import (
    Candidate,
    candidate,
)
from tests.harness import (
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.applying import (
    GUILD,
    applicant,
    approve,
    change,
    channel_of,
    proposed,
    read_ballot,
    voters,
)

Group = configtx_pb2.ConfigGroup


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=GUILD) as consortium:
        consortium.found()
        yield consortium


@pytest.fixture
def applying(guild: Consortium, tmp_path: Path) -> Iterator[OpenedBundle]:
    with applicant(guild, tmp_path) as opened:
        yield opened


def without_anchors(group: Group, msp_id: str) -> Group:
    edited = copied(group)
    del edited.groups["Application"].groups[msp_id].values["AnchorPeers"]
    return edited


def with_junk(group: Group, msp_id: str) -> Group:
    edited = copied(group)
    edited.groups["Application"].groups[msp_id].values["Junk"].mod_policy = "Admins"
    return edited


def with_other_anchors(group: Group, msp_id: str, port: int) -> Group:
    return change_member(group, replace(read_members(group)[msp_id], anchor_peers=(Endpoint("x", port),)))


@pytest.mark.fault(32)
@pytest.mark.fault(11)
def test_a_member_that_changes_its_own_part_makes_no_signature_stale(guild: Consortium, applying: OpenedBundle) -> None:
    """The member may move its anchor peers at any time, and may add and remove nothing."""
    ballot = proposed(guild, applying)
    for number, name in enumerate(("maker", "factory"), start=1):
        approve(guild, name, ballot)
        for edit in (without_anchors, with_junk):
            with pytest.raises(UpdateRefused):
                change(guild, partial(edit, msp_id="ForgeMSP"), "forge")
        change(guild, partial(with_other_anchors, msp_id="ForgeMSP", port=number), "forge")
    approve(guild, "bank", ballot)
    assert applying.bundle.msp_id in channel_of(guild).members
    assert voters(guild, ballot) == ["MakerMSP", "FactoryMSP", "BankMSP"]


@pytest.mark.fault(11)
def test_where_the_majority_has_changed_something_votes_stay(guild: Consortium, applying: OpenedBundle) -> None:
    """A member that has voted signs once more, and does not vote again."""
    ballot = proposed(guild, applying)
    for name in ("maker", "factory"):
        approve(guild, name, ballot)
    change(guild, with_a_policy_more)
    votes = read_ballot(guild, ballot).votes
    for name in ("maker", "factory"):
        approve(guild, name, ballot)
    assert read_ballot(guild, ballot).votes == votes
    approve(guild, "bank", ballot)
    assert applying.bundle.msp_id in channel_of(guild).members


def with_a_policy_more(group: Group) -> Group:
    """The configuration with one more policy, which gives the group of all members another version."""
    edited = copied(group)
    set_policy(edited.groups["Application"], "More", implicit_meta(ANY, "Readers"))
    return edited


# --- any change of one's own part -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> list[Candidate]:
    return [candidate(tmp_path_factory.mktemp("members"), number) for number in range(5)]


ENDPOINTS = st.lists(st.builds(Endpoint, st.just("x"), st.integers(1, 99)), max_size=3, unique=True).map(tuple)


@pytest.mark.fault(32)
@settings(deadline=None)
@given(anchors=ENDPOINTS, orderers=ENDPOINTS, joins=st.booleans())
def test_updates_that_others_sign_read_no_value_of_a_member_s_own_part(
    pool: list[Candidate], anchors: tuple[Endpoint, ...], orderers: tuple[Endpoint, ...], joins: bool
) -> None:
    """The member changes its values in the application's part and in the orderers', also to nothing and back."""
    *members, newcomer = pool
    ordering = RaftOrdering([one.orderer for one in members])
    group = channel_group(ChannelSettings("zunft", [one.member for one in members], ordering))
    edit = partial(add_member, member=newcomer.member) if joins else partial(remove_member, msp_id=members[-1].msp_id)
    if not joins:
        group = channel_group(
            ChannelSettings("zunft", [one.member for one in members], RaftOrdering(ordering.orderers[:-1]))
        )
    signed = config_update("zunft", group, edit(group))
    rogue = replace(members[0].member, anchor_peers=anchors, orderers=orderers, revocation_lists=(b"a list",))
    own = config_update("zunft", group, change_member(group, rogue))
    after = applied(group, own.write_set)
    assert stale_element(after, signed.read_set) == ""
    assert config_update("zunft", after, edit(after)) == signed


def test_in_an_older_channel_a_member_changes_its_part_as_before(pool: list[Candidate]) -> None:
    """Its group there is its own and has no anchor peers, so the member adds them alone."""
    group = channel_group(ChannelSettings("zunft", [one.member for one in pool], None))
    own = group.groups["Application"].groups[pool[0].msp_id]
    own.mod_policy = "Admins"
    del own.values["AnchorPeers"]
    update = config_update("zunft", group, change_member(group, replace(pool[0].member, orderers=())))
    written = update.write_set.groups["Application"]
    assert (written.version, list(written.groups)) == (0, [pool[0].msp_id])
    assert written.groups[pool[0].msp_id].mod_policy == "Admins"
