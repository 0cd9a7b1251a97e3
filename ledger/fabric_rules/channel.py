"""A channel as its configuration block describes it: members, policies, limits of a block."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

from fabric_protos.common import common_pb2, configtx_pb2, policies_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.orderer import configuration_pb2
from google.protobuf.message import DecodeError

from consortium.channel.config_group import (
    group_at,
    value_of,
)
from consortium.channel.msp_config import read_msp
from consortium.channel.reader import unreadable_parts
from ledger.errors import LedgerError
from ledger.fabric_answers import not_a_member
from ledger.fabric_rules.identity import (
    Identity,
    InvalidIdentity,
    Msp,
)
from ledger.fabric_rules.policy import (
    InvalidPolicy,
    Nobody,
    Policy,
    implicit_meta_policy,
    signature_policy,
)

IDENTITIES_REMEMBERED = 10_000
# The errors of a configuration whose certificates, revocation lists, policies or limits cannot be used.
UNUSABLE = (DecodeError, InvalidIdentity, InvalidPolicy, ValueError)


class NotAConfigBlock(LedgerError):
    """The block holds no channel configuration, or one that cannot be used."""


class ChannelRules:
    """A channel's members and rights. Remembers parsed identities and policies, since the same few come again."""

    def __init__(self, channel_id: str, config: configtx_pb2.Config) -> None:
        """Raises NotAConfigBlock, or one of the errors in UNUSABLE."""
        self.channel_id = channel_id
        self.config = config
        root = config.channel_group
        application = group_at(root, "Application")
        if not application.groups:
            raise NotAConfigBlock("the block holds no channel configuration with members; give its genesis block")
        msps = {name: member_msp(name, group) for name, group in application.groups.items()}
        self.members = {msp.msp_id: msp for msp in msps.values()}
        self.endorsement = group_policy(application, "Endorsement")
        self.readers = group_policy(application, "Readers")
        self.writers = group_policy(application, "Writers")
        self._collections = {
            msps[name].msp_id: member_policy(group, "Endorsement") for name, group in application.groups.items()
        }
        limits = configuration_pb2.BatchSize.FromString(value_of(group_at(root, "Orderer"), "BatchSize"))
        self.max_block_count: int = limits.max_message_count or 500
        self.preferred_block_bytes: int = limits.preferred_max_bytes or 2_000_000
        self.max_envelope_bytes: int = limits.absolute_max_bytes or 10_000_000
        self.identity = lru_cache(IDENTITIES_REMEMBERED)(self._identity)
        self.key_policy = lru_cache(IDENTITIES_REMEMBERED)(signature_policy)
        self.satisfied = lru_cache(IDENTITIES_REMEMBERED)(satisfied)

    @classmethod
    def from_config_block(cls, block: common_pb2.Block) -> Self:
        """The channel that this configuration block describes. Raises NotAConfigBlock."""
        try:
            payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(block.data.data[0]).payload)
            header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
            envelope = configtx_pb2.ConfigEnvelope.FromString(payload.data)
        except (DecodeError, IndexError) as error:
            raise NotAConfigBlock("the block is not a channel's configuration block; give its genesis block") from error
        if header.type != common_pb2.CONFIG:
            raise NotAConfigBlock("the block holds no channel configuration with members; give its genesis block")
        try:
            return cls(header.channel_id, envelope.config)
        except UNUSABLE as error:
            raise NotAConfigBlock(f"the block's configuration of the channel is not usable: {error}") from error

    def policy(self, path: str) -> Policy:
        """The policy at a path like "/Channel/Application/Admins"; one that does not exist is never satisfied.

        Raises InvalidPolicy.
        """
        *groups, name = path.removeprefix("/Channel/").split("/")
        return group_policy(group_at(self.config.channel_group, *groups), name)

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The unreadable parts that members wrote into their own groups, in words; they count as absent."""
        return tuple(dict.fromkeys((*unreadable_parts(self.config.channel_group), *self.unreadable_rights)))

    @property
    def unreadable_rights(self) -> tuple[str, ...]:
        """Those unreadable parts that decide whose signature counts: MSPs and policies."""
        members = sorted(group_at(self.config.channel_group, "Application").groups.items())
        msps = [(name, part) for name, group in members for part in read_msp(name, value_of(group, "MSP")).unreadable]
        policies = [
            (name, f"its policy {policy}")
            for name, group in members
            for policy in sorted(group.policies)
            if not _is_readable(group, policy)
        ]
        return tuple(f"{name}: {part}" for name, part in (*msps, *policies))

    def collection_policy(self, collection: str) -> Policy | None:
        """The endorsement policy of a member's implicit collection; None if there is no such collection."""
        return self._collections.get(collection.removeprefix("_implicit_org_")) if is_implicit(collection) else None

    def _identity(self, serialised: bytes) -> Identity:
        """The member's identity behind these bytes. Raises InvalidIdentity."""
        try:
            parsed = identities_pb2.SerializedIdentity.FromString(serialised)
        except DecodeError as error:
            raise InvalidIdentity("the creator is not a SerializedIdentity") from error
        if parsed.mspid not in self.members:
            raise InvalidIdentity(not_a_member(parsed.mspid or "nobody", self.channel_id))
        return self.members[parsed.mspid].identify(parsed)


def satisfied(policy: Policy, identities: tuple[Identity, ...]) -> bool:
    return policy.satisfied_by(identities)


def is_implicit(collection: str) -> bool:
    return collection.startswith("_implicit_org_")


def member_msp(name: str, group: configtx_pb2.ConfigGroup) -> Msp:
    """A member's MSP without its unreadable parts: the member alone changes it, so it can hold anything."""
    return Msp(read_msp(name, value_of(group, "MSP")).config)


def group_policy(group: configtx_pb2.ConfigGroup, name: str) -> Policy:
    """A group's policy; an implicit-meta policy is made of the policies of the groups below. Raises InvalidPolicy."""
    policy = group.policies[name].policy if name in group.policies else policies_pb2.Policy()
    if policy.type == policies_pb2.Policy.SIGNATURE:
        return signature_policy(policy.value)
    if policy.type == policies_pb2.Policy.IMPLICIT_META:
        meta = policies_pb2.ImplicitMetaPolicy.FromString(policy.value)
        below: Sequence[Policy] = [member_policy(inner, meta.sub_policy) for inner in group.groups.values()]
        return implicit_meta_policy(meta.rule, below)
    return Nobody()


def member_policy(group: configtx_pb2.ConfigGroup, name: str) -> Policy:
    """The policy of a member's group; one that cannot be read is never satisfied, since the member alone wrote it."""
    return group_policy(group, name) if _is_readable(group, name) else Nobody()


def _is_readable(group: configtx_pb2.ConfigGroup, name: str) -> bool:
    try:
        group_policy(group, name)
    except (DecodeError, InvalidPolicy):
        return False
    return True
