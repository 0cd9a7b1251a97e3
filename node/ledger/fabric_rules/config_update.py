"""A later configuration: whether it is what an update makes of the one before, and who signed the update.

Source: Fabric documentation, "Updating a channel configuration", and the config messages: an element of the write set
whose version is higher replaces the old one, one with the same version only names it, what a changed group does not
name is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric_protos.common import common_pb2, configtx_pb2


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A configuration block after the first one."""

    config: configtx_pb2.Config
    update: bytes
    signatures: tuple[configtx_pb2.ConfigSignature, ...]

    def follows(self, before: configtx_pb2.Config) -> bool:
        """Whether the new configuration is exactly what the signed update makes of the one before."""
        written = configtx_pb2.ConfigUpdate.FromString(self.update).write_set
        expected = applied(before.channel_group, written)
        return bool(self.config.sequence == before.sequence + 1 and self.config.channel_group == expected)


def read_config(block: common_pb2.Block) -> configtx_pb2.ConfigEnvelope:
    """Of a configuration block. Raises DecodeError, IndexError."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(block.data.data[0]).payload)
    envelope: configtx_pb2.ConfigEnvelope = configtx_pb2.ConfigEnvelope.FromString(payload.data)
    return envelope


def read_change(block: common_pb2.Block) -> ConfigChange:
    """Raises DecodeError, IndexError."""
    envelope = read_config(block)
    update = common_pb2.Payload.FromString(envelope.last_update.payload).data
    signed = configtx_pb2.ConfigUpdateEnvelope.FromString(update)
    return ConfigChange(envelope.config, signed.config_update, tuple(signed.signatures))


def applied(old: configtx_pb2.ConfigGroup, written: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    """The group after an update."""
    changed = written.version > old.version
    new = configtx_pb2.ConfigGroup(version=written.version, mod_policy=(written if changed else old).mod_policy)
    for name in _kept(old.groups, written.groups, changed):
        if name in old.groups and name in written.groups:
            new.groups[name].CopyFrom(applied(old.groups[name], written.groups[name]))
        else:
            new.groups[name].CopyFrom((old if name in old.groups else written).groups[name])
    for kind in ("values", "policies"):
        before, after, result = getattr(old, kind), getattr(written, kind), getattr(new, kind)
        for name in _kept(before, after, changed):
            replaced = name in after and (name not in before or after[name].version > before[name].version)
            result[name].CopyFrom((after if replaced else before)[name])
    return new


def _kept(old: Iterable[str], written: Iterable[str], changed: bool) -> list[str]:
    """Names of a group's elements after an update: those that a changed group names, else those that it has."""
    return sorted(written if changed else old)


# --- what an update names -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Element:
    """A group, value or policy of a configuration. `group` is where a relative `mod_policy` is looked up."""

    version: int
    mod_policy: str
    group: str


def stale_element(current: configtx_pb2.ConfigGroup, read_set: configtx_pb2.ConfigGroup) -> str:
    """What an update has read that is another now, with its versions; empty if all is as it was."""
    there = elements(current)
    for name, read in elements(read_set).items():
        if name not in there:
            return f"{name} is gone"
        if there[name].version != read.version:
            return f"{name} has version {there[name].version}, the update builds on {read.version}"
    return ""


def elements(root: configtx_pb2.ConfigGroup) -> dict[str, Element]:
    """All elements by kind and path, e.g. "value /Channel/Application/MillMSP/MSP"; the channel's group first."""
    return dict(_elements("/Channel", root))


def _elements(path: str, group: configtx_pb2.ConfigGroup) -> Iterator[tuple[str, Element]]:
    yield f"group {path}", Element(group.version, group.mod_policy, path)
    for kind, leaves in (("value", group.values), ("policy", group.policies)):
        for name, leaf in sorted(leaves.items()):
            yield f"{kind} {path}/{name}", Element(leaf.version, leaf.mod_policy, path)
    for name, below in sorted(group.groups.items()):
        yield from _elements(f"{path}/{name}", below)
