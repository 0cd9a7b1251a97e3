"""From a configuration block back to the channel: its members, their certificates and its policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.peer import configuration_pb2 as peer_configuration_pb2
from google.protobuf.message import DecodeError

from network.config_group import group_at, value_of
from network.errors import MalformedConfigBlock
from network.member_material import Endpoint, MemberMaterial
from network.msp_config import member_material


@dataclass(frozen=True)
class Channel:
    """A channel as its newest configuration says. `sequence` counts the configurations, from 0."""

    name: str
    sequence: int
    members: Mapping[str, MemberMaterial]
    config: configtx_pb2.Config

    def policy(self, path: str) -> policies_pb2.Policy:
        """The policy at a path like "/Channel/Application/Endorsement". Raises MalformedConfigBlock."""
        *groups, name = path.strip("/").split("/")[1:]
        group = group_at(self.config.channel_group, *groups)
        if name not in group.policies:
            raise MalformedConfigBlock(f"Channel {self.name!r} has no policy {path}.")
        return group.policies[name].policy


def read_channel(block: common_pb2.Block) -> Channel:
    """Raises MalformedConfigBlock."""
    try:
        name, config = _config(block)
        members = read_members(config.channel_group)
    except DecodeError as error:
        raise MalformedConfigBlock(
            f"Block {block.header.number} is damaged; fetch it from another member's node."
        ) from error
    return Channel(name, config.sequence, members, config)


def read_members(channel_group: configtx_pb2.ConfigGroup) -> dict[str, MemberMaterial]:
    """By their MSP ids, sorted. Raises MalformedConfigBlock, DecodeError."""
    members = _application(channel_group).groups
    return {msp_id: _member(members[msp_id], channel_group) for msp_id in sorted(members)}


def is_config_block(block: common_pb2.Block) -> bool:
    """Whether the block changes the channel's configuration; such a block holds nothing else."""
    if len(block.data.data) != 1:
        return False
    try:
        return bool(_channel_header(block)[0].type == common_pb2.CONFIG)
    except DecodeError:
        return False


def last_config_number(block: common_pb2.Block) -> int:
    """Number of the configuration block that is in force with this block. Raises MalformedConfigBlock.

    It is among what the orderers signed; the entry of its own is that of Fabric before 1.4.
    """
    try:
        signed = common_pb2.OrdererBlockMetadata.FromString(_metadata(block, common_pb2.SIGNATURES))
        if signed.HasField("last_config"):
            return int(signed.last_config.index)
        return int(common_pb2.LastConfig.FromString(_metadata(block, common_pb2.LAST_CONFIG)).index)
    except DecodeError as error:
        raise MalformedConfigBlock(
            f"Block {block.header.number} is damaged; fetch it from another member's node."
        ) from error


def _metadata(block: common_pb2.Block, index: int) -> bytes:
    entries = block.metadata.metadata
    return bytes(common_pb2.Metadata.FromString(entries[index]).value) if index < len(entries) else b""


def _config(block: common_pb2.Block) -> tuple[str, configtx_pb2.Config]:
    if len(block.data.data) != 1:
        raise MalformedConfigBlock(
            f"Block {block.header.number} is no configuration block: it has several transactions."
        )
    header, payload = _channel_header(block)
    if header.type != common_pb2.CONFIG:
        raise MalformedConfigBlock(f"Block {block.header.number} is no configuration block but of type {header.type}.")
    return str(header.channel_id), configtx_pb2.ConfigEnvelope.FromString(payload.data).config


def _channel_header(block: common_pb2.Block) -> tuple[common_pb2.ChannelHeader, common_pb2.Payload]:
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    return common_pb2.ChannelHeader.FromString(payload.header.channel_header), payload


def _application(channel_group: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    if "Application" not in channel_group.groups:
        raise MalformedConfigBlock("The configuration has no Application group, hence no members.")
    return channel_group.groups["Application"]


def _member(group: configtx_pb2.ConfigGroup, channel_group: configtx_pb2.ConfigGroup) -> MemberMaterial:
    member = member_material(msp_config_pb2.MSPConfig.FromString(value_of(group, "MSP")))
    anchors = peer_configuration_pb2.AnchorPeers.FromString(value_of(group, "AnchorPeers")).anchor_peers
    orderer_org = group_at(channel_group, "Orderer", member.msp_id)
    addresses = configuration_pb2.OrdererAddresses.FromString(value_of(orderer_org, "Endpoints")).addresses
    return replace(
        member,
        anchor_peers=tuple(Endpoint(peer.host, peer.port) for peer in anchors),
        orderers=tuple(map(Endpoint.parse, addresses)),
    )
