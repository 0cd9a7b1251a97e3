"""The channel in a configuration block: its members, their certificates and its policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabric_protos.common import common_pb2, configtx_pb2, policies_pb2
from fabric_protos.peer import configuration_pb2 as peer_configuration_pb2
from google.protobuf.message import DecodeError

from consortium.channel.config_group import (
    group_at,
    value_of,
)
from consortium.channel.msp_config import read_msp
from consortium.channel.orderer_addresses import (
    read_addresses,
    readable,
)
from consortium.errors import MalformedConfigBlock
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)


@dataclass(frozen=True)
class Channel:
    """A channel by one of its configurations, mostly the newest; `sequence` is this configuration's number, from 0."""

    name: str
    sequence: int
    members: Mapping[str, MemberMaterial]
    config: configtx_pb2.Config

    def policy(self, path: str) -> policies_pb2.Policy:
        """The policy at a path like "/Channel/Application/Endorsement". Raises MalformedConfigBlock."""
        *groups, name = path.strip("/").split("/")[1:]
        group = group_at(self.config.channel_group, *groups)
        if name not in group.policies:
            raise MalformedConfigBlock(f"channel {self.name!r} has no policy {path}")
        return group.policies[name].policy


def read_channel(block: common_pb2.Block) -> Channel:
    """The channel in a configuration block. Raises MalformedConfigBlock."""
    try:
        name, config = _config(block)
        members = read_members(config.channel_group)
    except DecodeError as error:
        raise MalformedConfigBlock(
            f"block {block.header.number} is damaged; fetch it from another member's node"
        ) from error
    return Channel(name, config.sequence, members, config)


def read_members(channel_group: configtx_pb2.ConfigGroup) -> dict[str, MemberMaterial]:
    """The channel's members by MSP id, in the order of these ids. Raises MalformedConfigBlock."""
    return {msp_id: _member(msp_id, channel_group) for msp_id in sorted(_application(channel_group).groups)}


def unreadable_parts(channel_group: configtx_pb2.ConfigGroup) -> tuple[str, ...]:
    """A text for each part that this program cannot read, with its member's MSP id; mostly there are none.

    Raises MalformedConfigBlock.
    """
    members = read_members(channel_group).values()
    own = [f"{one.msp_id}: {part}" for one in members for part in one.unreadable]
    orderers = group_at(channel_group, "Orderer").groups
    parts = {msp_id: read_msp(msp_id, value_of(orderers[msp_id], "MSP")).unreadable for msp_id in sorted(orderers)}
    return (*own, *(f"{msp_id} as an orderer: {part}" for msp_id, found in parts.items() for part in found))


def last_config_number(block: common_pb2.Block) -> int:
    """The number of the newest configuration block up to and including this block. Raises MalformedConfigBlock.

    The number is in the part of the metadata that orderers sign. Only Fabric before 1.4 has a separate entry for it.
    """
    try:
        signed = common_pb2.OrdererBlockMetadata.FromString(_metadata(block, common_pb2.SIGNATURES))
        if signed.HasField("last_config"):
            return int(signed.last_config.index)
        return int(common_pb2.LastConfig.FromString(_metadata(block, common_pb2.LAST_CONFIG)).index)
    except DecodeError as error:
        raise MalformedConfigBlock(
            f"block {block.header.number} is damaged; fetch it from another member's node"
        ) from error


def _metadata(block: common_pb2.Block, index: int) -> bytes:
    entries = block.metadata.metadata
    return bytes(common_pb2.Metadata.FromString(entries[index]).value) if index < len(entries) else b""


def _config(block: common_pb2.Block) -> tuple[str, configtx_pb2.Config]:
    if len(block.data.data) != 1:
        raise MalformedConfigBlock(
            f"block {block.header.number} is no configuration block: it has several transactions"
        )
    header, payload = _channel_header(block)
    if header.type != common_pb2.CONFIG:
        raise MalformedConfigBlock(f"block {block.header.number} is no configuration block but of type {header.type}")
    return str(header.channel_id), configtx_pb2.ConfigEnvelope.FromString(payload.data).config


def _channel_header(block: common_pb2.Block) -> tuple[common_pb2.ChannelHeader, common_pb2.Payload]:
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    return common_pb2.ChannelHeader.FromString(payload.header.channel_header), payload


def _application(channel_group: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    if "Application" not in channel_group.groups:
        raise MalformedConfigBlock("the configuration has no Application group, hence no members")
    return channel_group.groups["Application"]


def _member(msp_id: str, channel_group: configtx_pb2.ConfigGroup) -> MemberMaterial:
    """The member without its unreadable parts: a member alone writes its parts, and these must not stop the others."""
    group, orderer_org = group_at(channel_group, "Application", msp_id), group_at(channel_group, "Orderer", msp_id)
    member = read_msp(msp_id, value_of(group, "MSP")).material(msp_id)
    anchors, unreadable_anchors = _anchor_peers(value_of(group, "AnchorPeers"))
    orderers, unreadable_orderers = read_addresses(value_of(orderer_org, "Endpoints"))
    return replace(
        member,
        anchor_peers=anchors,
        orderers=orderers,
        unreadable=(*member.unreadable, *unreadable_anchors, *unreadable_orderers),
    )


def _anchor_peers(data: bytes) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    """The member's anchor peers, and a text for each one that cannot be read."""
    try:
        anchors = peer_configuration_pb2.AnchorPeers.FromString(data).anchor_peers
    except DecodeError:
        return (), ("its anchor peers",)
    endpoints = (Endpoint(peer.host, peer.port) for peer in anchors)
    return readable("an anchor peer's address", endpoints, Endpoint.checked)
