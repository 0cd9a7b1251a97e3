"""Checks a change of the configuration as Fabric's orderers do, and makes the envelope for its block."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from consortium.channel.config_group import (
    group_at,
    value_of,
)
from consortium.channel.genesis import config_envelope
from consortium.channel.msp_config import read_msp
from consortium.errors import InvalidName
from consortium.keys.member_material import check_msp_id
from ledger.embedded.refused import Refused
from ledger.embedded.transaction import Header
from ledger.fabric_rules.channel import (
    UNUSABLE,
    ChannelRules,
    NotAConfigBlock,
)
from ledger.fabric_rules.config_update import (
    InvalidUpdate,
    changed_config,
)


@dataclass(frozen=True, slots=True)
class ConfigSubmission:
    """A change in the queue: the envelope as it was handed in, its header, and the signed update in it."""

    envelope: common_pb2.Envelope
    header: Header
    signed: configtx_pb2.ConfigUpdateEnvelope


def parse_change(channel: ChannelRules, header: Header, envelope: common_pb2.Envelope) -> ConfigSubmission:
    """The submission in a CONFIG_UPDATE envelope. Raises Refused."""
    if header.channel.type != common_pb2.CONFIG_UPDATE:
        raise Refused("transactions are submitted to the gateway; here only config updates are taken")
    if len(envelope.payload) > channel.max_envelope_bytes:
        raise Refused(f"more than {channel.max_envelope_bytes} bytes", common_pb2.REQUEST_ENTITY_TOO_LARGE)
    try:
        signed = configtx_pb2.ConfigUpdateEnvelope.FromString(header.payload.data)
    except DecodeError as error:
        raise Refused(f"the config update cannot be decoded: {error}") from error
    return ConfigSubmission(envelope, header, signed)


def changed_channel(channel: ChannelRules, signed: configtx_pb2.ConfigUpdateEnvelope) -> ChannelRules:
    """The channel after the change. Raises Refused."""
    try:
        changed = ChannelRules(channel.channel_id, changed_config(channel, signed))
        check_members(changed)
        check_readable(channel, changed)
    except InvalidUpdate as error:
        raise Refused(f"error applying config update to existing channel '{channel.channel_id}': {error}") from error
    except (*UNUSABLE, InvalidName, NotAConfigBlock) as error:
        raise Refused(f"the configuration that the update leads to is not usable: {error}") from error
    return changed


def check_members(channel: ChannelRules) -> None:
    """Checks that each member's MSP id is its group's name, so that no member ever takes another's id.

    Raises InvalidName, ValueError.
    """
    for part in ("Application", "Orderer"):
        for name, group in group_at(channel.config.channel_group, part).groups.items():
            check_msp_id(name)
            msp_id = read_msp(name, value_of(group, "MSP")).config.name
            if msp_id != name:
                raise ValueError(f"the MSP of {name} calls itself {msp_id[:80]!r}: an MSP id never changes")


def check_readable(before: ChannelRules, after: ChannelRules) -> None:
    """Checks that the change makes no part unreadable; parts that were so before are allowed. Raises ValueError."""
    unreadable = sorted(set(after.unreadable) - set(before.unreadable))
    if unreadable:
        raise ValueError(f"nobody could read this: {'; '.join(unreadable)}")


def block_envelope(change: ConfigSubmission, channel: ChannelRules) -> common_pb2.Envelope:
    """The envelope in the block: the whole new configuration, and the update that led to it."""
    config = configtx_pb2.ConfigEnvelope(config=channel.config, last_update=change.envelope)
    return config_envelope(channel.channel_id, config, change.header.channel.timestamp, change.header.signature.nonce)
