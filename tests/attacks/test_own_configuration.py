"""A member writes junk, or another member's name, into its own part of the channel's configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from fabric_protos.common import configtx_pb2, configuration_pb2
from fabric_protos.msp import msp_config_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import Verdict, audit
from consortium.channel.config_group import (
    copied,
    set_value,
)
from consortium.channel.config_update import config_update
from consortium.channel.consenters import consenters
from consortium.channel.orderer_addresses import orderer_addresses
from consortium.channel.reader import (
    Channel,
    read_members,
    unreadable_parts,
)
from consortium.errors import NothingToUpdate
from ledger.configuration import (
    UpdateRefused,
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.embedded.config_change import changed_channel
from ledger.embedded.refused import Refused
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.config_update import applied
from node.membership.edits import channel_edit
from tests.audit.run import delivered, genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    only_on,
)
from tests.ledger.consortium import ALPHA, CHANNEL, DELTA, MSP_IDS
from tests.ledger.consortium import genesis as small_genesis
from tests.ledger.consortium import member as small_member
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_EXCLUSION

Tree = configtx_pb2.ConfigGroup
FORGE = "ForgeMSP"
STRANGE_ADDRESS = "orderer.forge.example:seven"


def change(scene: Scene, edit: Callable[[Tree], None], *names: str) -> int:
    """The block of a change that these members' admins sign, or all if none is named."""
    consortium = scene.consortium
    before = consortium.run(newest_channel(consortium.gateway("MakerMSP", "admin"))).config.channel_group
    after = copied(before)
    edit(after)
    return submit(scene, config_update(consortium.topology.channel, before, after).SerializeToString(), *names)


def submit(scene: Scene, update: bytes, *names: str) -> int:
    """The number of the block that has the update, signed by these members' admins or by all."""
    admins = [scene.consortium.member(name).admin.identity for name in names or ("maker", "factory", "bank", "forge")]
    signed = signed_update(update, [sign_update(update, admin) for admin in admins])
    return scene.consortium.run(submit_update(scene.consortium.gateway("MakerMSP", "admin"), signed))


def rename(channel_group: Tree) -> None:
    value = channel_group.groups["Application"].groups[FORGE].values["MSP"]
    msp = msp_config_pb2.MSPConfig.FromString(value.value)
    fabric = msp_config_pb2.FabricMSPConfig.FromString(msp.config)
    fabric.name = "GoneMSP"
    msp.config = fabric.SerializeToString()
    value.value = msp.SerializeToString()


def junk_anchors(channel_group: Tree) -> None:
    own = channel_group.groups["Application"].groups[FORGE]
    own.values["AnchorPeers"].CopyFrom(configtx_pb2.ConfigValue(value=b"\xff\xff\xff", mod_policy="Admins"))


@pytest.mark.fault(8)
def test_no_msp_takes_another_name(scene: Scene) -> None:
    """With the name of a member that has left, the rogue would get at that member's private archive."""
    with pytest.raises(UpdateRefused):
        change(scene, rename)
    assert "GoneMSP" not in channel_of(scene).members


@pytest.mark.fault(8)
# On Fabric only a majority adds members, and it adds only groups that its own nodes have computed.
@only_on("embedded")
def test_no_msp_joins_under_another_name_than_its_groups(scene: Scene) -> None:
    def join(channel_group: Tree) -> None:
        rename(channel_group)
        groups = channel_group.groups["Application"].groups
        groups["OtherMSP"].CopyFrom(groups[FORGE])
        groups[FORGE].CopyFrom(channel_of(scene).config.channel_group.groups["Application"].groups[FORGE])

    with pytest.raises(UpdateRefused):
        change(scene, join)


@pytest.mark.fault(3)
def test_junk_that_no_peer_can_read_is_never_ordered(scene: Scene) -> None:
    with pytest.raises(UpdateRefused):
        change(scene, junk_anchors)


@pytest.mark.fault(3)
# On the embedded ledger no member has an orderer.
@only_on("fabric", "own_scene")
def test_an_address_that_nobody_can_read_stops_nobody(own_scene: Scene) -> None:
    """Fabric checks no addresses, so it takes this one; nodes, audits and commands go on, and the others exclude."""
    scene, consortium = own_scene, own_scene.consortium

    def strange(channel_group: Tree) -> None:
        group = channel_group.groups["Orderer"].groups[FORGE]
        set_value(group, "Endpoints", configuration_pb2.OrdererAddresses(addresses=[STRANGE_ADDRESS]))

    before = verdicts(scene)
    consortium.catch_up(change(scene, strange))

    scene.bank.mint(scene.maker, TOKEN)
    channel = channel_of(scene)
    assert channel.members[FORGE].orderers == ()
    assert channel.members[FORGE].unreadable == (f"an orderer's address, '{STRANGE_ADDRESS}'",)
    assert FORGE not in {one.msp_id for one in orderer_addresses(channel.config.channel_group)}
    after = verdicts(scene)
    assert {name: one.status for name, one in after.items()} == {name: one.status for name, one in before.items()}
    assert any(STRANGE_ADDRESS in reason for reason in after["identities"].not_visible)

    edit = channel_edit(channel, BALLOT_SUBJECT_EXCLUSION, FORGE)
    for update in edit:
        submit(scene, update, "maker", "factory", "bank")
    assert FORGE not in channel_of(scene).members
    assert FORGE not in {one.msp_id for one in consenters(channel_of(scene).config.channel_group)}


def verdicts(scene: Scene) -> dict[str, Verdict]:
    report = audit(delivered(scene.consortium, "maker"), genesis(scene.consortium), "MakerMSP")
    return {one.name: one for one in report.verdicts}


def channel_of(scene: Scene) -> Channel:
    return scene.consortium.run(newest_channel(scene.consortium.gateway("MakerMSP", "admin")))


# --- any junk -------------------------------------------------------------------------------------------------------


def mutated(value: bytes, places: Sequence[int], junk: bytes) -> bytes:
    """The value with bytes changed, and junk put in."""
    data = bytearray(value)
    for place in places:
        if data:
            data[place % len(data)] ^= 1 + place % 255
    at = places[0] % (len(data) + 1) if places else 0
    return bytes(data[:at] + junk + data[at:])


JUNK = st.tuples(
    st.sampled_from(["MSP", "AnchorPeers", "Endpoints", "Endorsement", "Readers", "Admins"]),
    st.lists(st.integers(0, 10_000), max_size=4),
    st.binary(max_size=12),
)


def with_junk(before: Tree, msp_id: str, kind: str, places: Sequence[int], junk: bytes) -> Tree:
    after = copied(before)
    own = after.groups["Application"].groups[msp_id]
    if kind in own.policies:
        policy = own.policies[kind].policy
        policy.value = mutated(policy.value, places, junk)
        return after
    part = "Orderer" if kind == "Endpoints" else "Application"
    value = after.groups[part].groups[msp_id].values[kind]
    value.value, value.mod_policy = mutated(value.value, places, junk), "Admins"
    return after


@pytest.mark.fault(3)
@settings(max_examples=300, deadline=None)
@given(junk=JUNK)
def test_junk_that_a_member_writes_is_skipped(junk: tuple[str, list[int], bytes]) -> None:
    before = ChannelRules.from_config_block(small_genesis()).config.channel_group
    after = with_junk(before, DELTA, *junk)
    members = read_members(after)
    assert sorted(members) == sorted(MSP_IDS)
    assert members[ALPHA] == read_members(before)[ALPHA]
    unreadable_parts(after)
    orderer_addresses(after)
    in_force = ChannelRules(CHANNEL, configtx_pb2.Config(channel_group=after))
    assert in_force.members.keys() >= set(MSP_IDS) - {DELTA}
    assert DELTA not in read_members(without(after, DELTA))


def without(channel_group: Tree, msp_id: str) -> Tree:
    """The configuration after the others have excluded the member."""
    config = configtx_pb2.Config(channel_group=channel_group)
    edit = channel_edit(Channel(CHANNEL, 0, read_members(channel_group), config), BALLOT_SUBJECT_EXCLUSION, msp_id)
    for data in edit:
        channel_group = applied(channel_group, configtx_pb2.ConfigUpdate.FromString(data).write_set)
    return channel_group


@pytest.mark.fault(3)
@settings(max_examples=300, deadline=None)
@given(junk=JUNK)
def test_every_configuration_that_the_embedded_ledger_takes_can_be_read(junk: tuple[str, list[int], bytes]) -> None:
    channel = ChannelRules.from_config_block(small_genesis())
    before = channel.config.channel_group
    try:
        update = config_update(CHANNEL, before, with_junk(before, DELTA, *junk)).SerializeToString()
    except NothingToUpdate:
        return
    signed = signed_update(update, [sign_update(update, small_member(msp_id).admin) for msp_id in MSP_IDS])
    try:
        changed = changed_channel(channel, signed)
    except Refused:
        return
    assert sorted(read_members(changed.config.channel_group)) == sorted(MSP_IDS)
    assert sorted(changed.members) == sorted(MSP_IDS)
    assert changed.unreadable == ()
