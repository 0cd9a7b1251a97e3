"""The channel's configuration is written and read back, and is refused if it contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2, policies_pb2
from fabric_protos.msp import msp_principal_pb2

from consortium.channel.block_hash import data_hash
from consortium.channel.genesis import (
    ChannelSettings,
    genesis_block,
)
from consortium.channel.ordering import (
    BftOrdering,
    Ordering,
    OrderingNode,
    RaftOrdering,
    bft_quorum,
)
from consortium.channel.reader import (
    read_channel,
)
from consortium.errors import (
    ConsortiumError,
    InvalidChannel,
    InvalidName,
    MalformedConfigBlock,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[MemberMaterial]:
    return [member_in(tmp_path_factory.mktemp("members"), f"M{number}MSP") for number in range(4)]


def member_in(folder: Path, msp_id: str) -> MemberMaterial:
    return MemberKeys.create(folder / msp_id, msp_id).public_material(anchor_peers=[Endpoint("localhost", 7051)])


@pytest.fixture(scope="module")
def orderers(tmp_path_factory: pytest.TempPathFactory) -> list[OrderingNode]:
    keys = MemberKeys.create(tmp_path_factory.mktemp("orderer") / "o", "M0MSP")
    keys.add_node(NodeKind.ORDERER)
    identity, tls = keys.node(NodeKind.ORDERER).certificate_pem(), keys.node_tls(NodeKind.ORDERER).certificate_pem()
    return [OrderingNode(f"M{number}MSP", Endpoint("localhost", 7050 + number), identity, tls) for number in range(4)]


def test_a_written_configuration_is_read_back(members: list[MemberMaterial]) -> None:
    block = genesis_block(ChannelSettings("consortium", members))
    channel = read_channel(block)
    assert (channel.name, channel.sequence, block.header.number) == ("consortium", 0, 0)
    assert channel.members == {member.msp_id: member for member in members}
    assert block.header.data_hash == data_hash(block.data)


def test_a_majority_endorses_and_each_member_decides_for_itself(members: list[MemberMaterial]) -> None:
    channel = read_channel(genesis_block(ChannelSettings("consortium", members)))
    for name in ("Endorsement", "LifecycleEndorsement"):
        meta = policies_pb2.ImplicitMetaPolicy.FromString(channel.policy(f"/Channel/Application/{name}").value)
        assert (meta.rule, meta.sub_policy) == (policies_pb2.ImplicitMetaPolicy.MAJORITY, "Endorsement")
    own = policies_pb2.SignaturePolicyEnvelope.FromString(
        channel.policy("/Channel/Application/M1MSP/Endorsement").value
    )
    role = msp_principal_pb2.MSPRole.FromString(own.identities[0].principal)
    assert (role.msp_identifier, role.role) == ("M1MSP", msp_principal_pb2.MSPRole.PEER)
    with pytest.raises(MalformedConfigBlock, match="no policy /Channel/Nowhere/Readers"):
        channel.policy("/Channel/Nowhere/Readers")


def test_the_same_settings_make_the_same_bytes(members: list[MemberMaterial], orderers: list[OrderingNode]) -> None:
    settings = ChannelSettings("consortium", members, BftOrdering(orderers))
    blocks = {
        genesis_block(settings, clock=lambda: NOON, nonce=b"n" * 24).SerializeToString(deterministic=True)
        for _ in range(5)
    }
    assert len(blocks) == 1


@pytest.mark.parametrize(("ordering", "capability"), [(RaftOrdering, "V2_0"), (BftOrdering, "V3_0")])
def test_an_ordering_service_is_added_without_touching_the_rest(
    members: list[MemberMaterial],
    orderers: list[OrderingNode],
    ordering: Callable[[list[OrderingNode]], Ordering],
    capability: str,
) -> None:
    plain = read_channel(genesis_block(ChannelSettings("consortium", members)))
    channel = read_channel(genesis_block(ChannelSettings("consortium", members, ordering(orderers))))
    groups, before = channel.config.channel_group.groups, plain.config.channel_group.groups
    assert groups["Application"] == before["Application"]
    assert sorted(groups["Orderer"].groups) == [member.msp_id for member in members]
    assert channel.members["M2MSP"].orderers == (Endpoint("localhost", 7052),)
    assert capability.encode() in channel.config.channel_group.values["Capabilities"].value


def test_two_bft_quorums_always_share_an_honest_orderer() -> None:
    for orderers in range(1, 50):
        faulty, quorum = (orderers - 1) // 3, bft_quorum(orderers)
        assert 2 * quorum - orderers > faulty
        assert quorum <= orderers - faulty


@pytest.mark.parametrize(
    ("name", "count", "ordering", "error"),
    [
        ("Consortium", 2, None, InvalidName),
        ("", 2, None, InvalidName),
        ("consortium", 0, None, InvalidChannel),
        ("consortium", -1, None, InvalidChannel),
        ("consortium", 2, lambda _: RaftOrdering([]), InvalidChannel),
        ("consortium", 2, lambda orderers: RaftOrdering(orderers), InvalidChannel),
        ("consortium", 4, lambda orderers: BftOrdering(orderers[:3]), InvalidChannel),
    ],
)
def test_settings_that_contradict_themselves_are_refused(
    members: list[MemberMaterial],
    orderers: list[OrderingNode],
    name: str,
    count: int,
    ordering: Callable[[list[OrderingNode]], Ordering] | None,
    error: type[ConsortiumError],
) -> None:
    chosen = [*members, members[0]] if count < 0 else members[:count]
    with pytest.raises(error):
        genesis_block(ChannelSettings(name, chosen, ordering(orderers) if ordering else None))


def test_a_block_that_is_no_configuration_is_refused(members: list[MemberMaterial]) -> None:
    good = genesis_block(ChannelSettings("consortium", members))
    damaged = common_pb2.Block(data=common_pb2.BlockData(data=[good.data.data[0][:-9]]))
    for block in (common_pb2.Block(), damaged, common_pb2.Block(data=common_pb2.BlockData(data=[b""]))):
        with pytest.raises(MalformedConfigBlock):
            read_channel(block)
