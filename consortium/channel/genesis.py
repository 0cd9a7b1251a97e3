"""A channel's first configuration and its genesis block, in Fabric's own format.

Source: Fabric documentation, "Channel configuration (configtx)".
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.peer import configuration_pb2 as peer_configuration_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from consortium.channel.block_hash import data_hash
from consortium.channel.config_group import (
    capabilities,
    config_group,
)
from consortium.channel.msp_config import msp_config
from consortium.channel.ordering import (
    Ordering,
    needs_v3,
    orderer_group,
)
from consortium.channel.policies import (
    APPLICATION_ADMINS,
    MAJORITY,
    PEER,
    implicit_meta,
    member_policies,
    meta_policies,
    signature,
    signed_by_role,
)
from consortium.errors import (
    InvalidChannel,
    InvalidName,
)
from consortium.keys.certificates import (
    Clock,
    utc_now,
)
from consortium.keys.member_material import MemberMaterial

_CHANNEL_NAME = re.compile(r"[a-z][a-z0-9.-]{0,248}")
_METADATA_ENTRIES = 5


@dataclass(frozen=True)
class ChannelSettings:
    """The settings that a channel starts with. Without `ordering` the block serves the embedded ledger only."""

    name: str
    members: Sequence[MemberMaterial]
    ordering: Ordering | None = None


def genesis_block(settings: ChannelSettings, *, clock: Clock = utc_now, nonce: bytes | None = None) -> common_pb2.Block:
    """The channel's block 0. Raises InvalidName, InvalidChannel."""
    config = configtx_pb2.Config(channel_group=channel_group(settings))
    timestamp = Timestamp()
    timestamp.FromSeconds(int(clock().timestamp()))
    envelope = config_envelope(
        settings.name, configtx_pb2.ConfigEnvelope(config=config), timestamp, nonce or secrets.token_bytes(24)
    )
    data = common_pb2.BlockData(data=[_bytes(envelope)])
    metadata = common_pb2.BlockMetadata(metadata=block_metadata(last_config=0))
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=0, data_hash=data_hash(data)), data=data, metadata=metadata
    )


def channel_group(settings: ChannelSettings) -> configtx_pb2.ConfigGroup:
    """The whole configuration tree. Raises InvalidName, InvalidChannel."""
    _check(settings)
    groups = {"Application": application_group(settings.members)}
    if settings.ordering:
        groups["Orderer"] = orderer_group(settings.ordering, settings.members)
    values = {
        "HashingAlgorithm": configuration_pb2.HashingAlgorithm(name="SHA256"),
        "BlockDataHashingStructure": configuration_pb2.BlockDataHashingStructure(width=2**32 - 1),
        "Capabilities": capabilities("V3_0" if needs_v3(settings.ordering) else "V2_0"),
    }
    return config_group(policies=meta_policies(), values=values, groups=groups)


def application_group(members: Sequence[MemberMaterial]) -> configtx_pb2.ConfigGroup:
    """The Application group: the members and their endorsement policy, one peer each of a majority of them."""
    endorsement = implicit_meta(MAJORITY, "Endorsement")
    policies = {**meta_policies(), "Endorsement": endorsement, "LifecycleEndorsement": endorsement}
    groups = {member.msp_id: member_group(member) for member in members}
    return config_group(policies=policies, values={"Capabilities": capabilities("V2_5")}, groups=groups)


def member_group(member: MemberMaterial) -> configtx_pb2.ConfigGroup:
    """One member of the Application group.

    It has every value that the member changes alone, even an empty one. To add or remove a value takes the channel's
    Admins: that gives the group another version, and makes updates useless that the others are about to sign.
    """
    policies = {**member_policies(member.msp_id), "Endorsement": signature(signed_by_role(member.msp_id, PEER))}
    values: dict[str, Message] = {"MSP": msp_config(member), "AnchorPeers": anchor_peers(member)}
    return config_group(policies=policies, values=values, mod_policy=APPLICATION_ADMINS)


def anchor_peers(member: MemberMaterial) -> peer_configuration_pb2.AnchorPeers:
    """The addresses at which the other members' peers find this member's peers."""
    anchors = [peer_configuration_pb2.AnchorPeer(host=peer.host, port=peer.port) for peer in member.anchor_peers]
    return peer_configuration_pb2.AnchorPeers(anchor_peers=anchors)


def _check(settings: ChannelSettings) -> None:
    if not _CHANNEL_NAME.fullmatch(settings.name):
        raise InvalidName(
            f"{settings.name!r} cannot name a channel: start with a small letter, go on with digits, dots, hyphens"
        )
    msp_ids = [member.msp_id for member in settings.members]
    if not msp_ids:
        raise InvalidChannel(f"channel {settings.name!r} has no members; name at least one")
    if len(set(msp_ids)) < len(msp_ids):
        raise InvalidChannel(f"channel {settings.name!r} names a member twice: {', '.join(sorted(msp_ids))}")


def config_envelope(
    name: str, config: configtx_pb2.ConfigEnvelope, timestamp: Timestamp, nonce: bytes
) -> common_pb2.Envelope:
    """The envelope in a configuration block of channel `name` that no orderer signs."""
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.CONFIG,
        version=1,
        channel_id=name,
        timestamp=timestamp,
        # Nobody signs it, so there is no creator in the id.
        tx_id=hashlib.sha256(nonce).hexdigest(),
    )
    header = common_pb2.Header(
        channel_header=_bytes(channel_header), signature_header=_bytes(common_pb2.SignatureHeader(nonce=nonce))
    )
    return common_pb2.Envelope(payload=_bytes(common_pb2.Payload(header=header, data=_bytes(config))))


def block_metadata(last_config: int) -> list[bytes]:
    """A block's metadata: two entries name the configuration block that is in force; the others are empty."""
    named = common_pb2.LastConfig(index=last_config)
    signed = _bytes(common_pb2.OrdererBlockMetadata(last_config=named))
    entries = [b""] * _METADATA_ENTRIES
    entries[common_pb2.SIGNATURES] = _bytes(common_pb2.Metadata(value=signed))
    entries[common_pb2.LAST_CONFIG] = _bytes(common_pb2.Metadata(value=_bytes(named)))
    return entries


def _bytes(message: Message) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))
