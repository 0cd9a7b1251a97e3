"""The update from one configuration of a channel to another, which its members sign and an orderer accepts.

An update has a read set and a write set, with versions. An element that stays appears, if at all, with its version
alone. An element that changes has the next version. An element that goes is missing from a group of the next version.
Source: Fabric documentation, "Updating a channel configuration"; common/configtx.proto, on ConfigUpdate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from fabric_protos.common import configtx_pb2

from consortium.errors import NothingToUpdate

Element = TypeVar("Element", configtx_pb2.ConfigValue, configtx_pb2.ConfigPolicy)
# The maps of a group that hold values and policies.
_LEAVES = ("values", "policies")


def config_update(
    channel: str, current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup
) -> configtx_pb2.ConfigUpdate:
    """The update from one channel group to another; versions in `wanted` do not count. Raises NothingToUpdate."""
    delta = _compare(current, wanted)
    if not delta.changes:
        raise NothingToUpdate(f"channel {channel!r} is configured like that already")
    return configtx_pb2.ConfigUpdate(channel_id=channel, read_set=delta.read, write_set=delta.write)


@dataclass
class _Delta:
    """One group's part of the read set and of the write set."""

    read: configtx_pb2.ConfigGroup
    write: configtx_pb2.ConfigGroup
    # Whether an element of the group, or of a group below, changes.
    changes: bool = False
    # Elements that stay; they are written only if the group itself gets a new version.
    unchanged: configtx_pb2.ConfigGroup = field(default_factory=configtx_pb2.ConfigGroup)


def _compare(current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup) -> _Delta:
    delta = _Delta(
        read=configtx_pb2.ConfigGroup(version=current.version),
        write=configtx_pb2.ConfigGroup(version=current.version),
    )
    for leaves in _LEAVES:
        _compare_leaves(delta, leaves, current, wanted)
    _compare_groups(delta, current, wanted)
    if _has_other_members(current, wanted) or current.mod_policy != wanted.mod_policy:
        delta.changes = True
        delta.read.MergeFrom(delta.unchanged)
        delta.write.MergeFrom(delta.unchanged)
        delta.write.version, delta.write.mod_policy = current.version + 1, wanted.mod_policy
    return delta


def _compare_leaves(
    delta: _Delta, leaves: str, current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup
) -> None:
    before, after = getattr(current, leaves), getattr(wanted, leaves)
    written, unchanged = getattr(delta.write, leaves), getattr(delta.unchanged, leaves)
    for name in sorted(after):
        if name not in before:
            written[name].CopyFrom(_with_version(after[name], 0))
        elif _with_version(before[name], 0) == _with_version(after[name], 0):
            unchanged[name].version = before[name].version
        else:
            written[name].CopyFrom(_with_version(after[name], before[name].version + 1))
            delta.changes = True


def _compare_groups(delta: _Delta, current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup) -> None:
    for name in sorted(wanted.groups):
        if name not in current.groups:
            delta.write.groups[name].CopyFrom(_as_new(wanted.groups[name]))
            continue
        below = _compare(current.groups[name], wanted.groups[name])
        if below.changes:
            delta.read.groups[name].CopyFrom(below.read)
            delta.write.groups[name].CopyFrom(below.write)
            delta.changes = True
        else:
            delta.unchanged.groups[name].version = current.groups[name].version


def _has_other_members(current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup) -> bool:
    return any(set(getattr(current, kind)) != set(getattr(wanted, kind)) for kind in (*_LEAVES, "groups"))


def _with_version(element: Element, version: int) -> Element:
    copy = type(element)()
    copy.CopyFrom(element)
    copy.version = version
    return copy


def _as_new(group: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    """A copy of the group in which it and everything below it has version 0."""
    new = configtx_pb2.ConfigGroup(mod_policy=group.mod_policy)
    for leaves in _LEAVES:
        for name, element in getattr(group, leaves).items():
            getattr(new, leaves)[name].CopyFrom(_with_version(element, 0))
    for name, below in group.groups.items():
        new.groups[name].CopyFrom(_as_new(below))
    return new
