"""Building blocks of a channel's configuration tree: a group holds groups, values and policies."""

from __future__ import annotations

from collections.abc import Mapping

from fabric_protos.common import configtx_pb2, configuration_pb2, policies_pb2
from google.protobuf.message import Message

from consortium.channel.policies import ADMINS


def config_group(
    *,
    policies: Mapping[str, policies_pb2.Policy],
    values: Mapping[str, Message],
    groups: Mapping[str, configtx_pb2.ConfigGroup] | None = None,
    mod_policy: str = ADMINS,
) -> configtx_pb2.ConfigGroup:
    """A group whose Admins change each of its elements; `mod_policy` names the policy for adding and removing them."""
    group = configtx_pb2.ConfigGroup(mod_policy=mod_policy)
    for name, policy in policies.items():
        set_policy(group, name, policy)
    for name, value in values.items():
        set_value(group, name, value)
    for name, member in (groups or {}).items():
        group.groups[name].CopyFrom(member)
    return group


def set_value(group: configtx_pb2.ConfigGroup, name: str, value: Message) -> None:
    """Sets a value of the group itself; a value that is there already keeps its version and its mod_policy."""
    group.values[name].value = value.SerializeToString(deterministic=True)
    group.values[name].mod_policy = group.values[name].mod_policy or ADMINS


def set_policy(group: configtx_pb2.ConfigGroup, name: str, policy: policies_pb2.Policy) -> None:
    """Sets a policy of the group itself; a policy that is there already keeps its version and its mod_policy."""
    group.policies[name].policy.CopyFrom(policy)
    group.policies[name].mod_policy = group.policies[name].mod_policy or ADMINS


def copied(group: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    """A copy of the group, which can be edited while the group itself stays as it is."""
    copy = configtx_pb2.ConfigGroup()
    copy.CopyFrom(group)
    return copy


def capabilities(*names: str) -> configuration_pb2.Capabilities:
    """The capabilities that every node of the channel must have."""
    value = configuration_pb2.Capabilities()
    for name in names:
        value.capabilities[name].SetInParent()
    return value


def group_at(group: configtx_pb2.ConfigGroup, *path: str) -> configtx_pb2.ConfigGroup:
    """The group below at this path; an empty one where there is none."""
    # Looking up a missing key of a map of messages would create that key.
    for name in path:
        group = group.groups[name] if name in group.groups else configtx_pb2.ConfigGroup()
    return group


def value_of(group: configtx_pb2.ConfigGroup, name: str) -> bytes:
    """A value's serialised message; empty where there is none."""
    return bytes(group.values[name].value) if name in group.values else b""
