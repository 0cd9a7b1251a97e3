"""Checks a change of a channel's configuration: who must have signed it, and which configuration it leads to.

An element of the write set with the next version replaces the old element; an element with the same version only names
it. A group with the next version loses the elements that it does not name. An element's mod_policy says who may change
it. Sources: Fabric documentation, "Updating a channel configuration"; common/configtx.proto, on ConfigUpdate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from ledger.errors import LedgerError
from ledger.fabric_rules.channel import (
    ChannelRules,
    NotAConfigBlock,
)
from ledger.fabric_rules.identity import (
    Identity,
    InvalidIdentity,
)
from ledger.fabric_rules.policy import InvalidPolicy

_NAME = re.compile(r"[a-zA-Z0-9.-]{1,249}")


class InvalidUpdate(LedgerError):
    """An update that no orderer accepts in this configuration; the message says why."""


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """The contents of a configuration block after the first: the configuration and the signed update that led to it."""

    config: configtx_pb2.Config
    signed: configtx_pb2.ConfigUpdateEnvelope

    @property
    def update(self) -> bytes:
        """The serialised ConfigUpdate, over which the signatures are."""
        return bytes(self.signed.config_update)


def read_change(block: common_pb2.Block) -> ConfigChange:
    """The change that the block makes. Raises NotAConfigBlock."""
    try:
        payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(block.data.data[0]).payload)
        envelope = configtx_pb2.ConfigEnvelope.FromString(payload.data)
        update = common_pb2.Payload.FromString(envelope.last_update.payload).data
        return ConfigChange(envelope.config, configtx_pb2.ConfigUpdateEnvelope.FromString(update))
    except (DecodeError, IndexError) as error:
        raise NotAConfigBlock("the block holds no change of the channel's configuration") from error


def changed_config(channel: ChannelRules, signed: configtx_pb2.ConfigUpdateEnvelope) -> configtx_pb2.Config:
    """The channel's configuration after the signed update. Raises InvalidUpdate."""
    update = _parse(channel, signed)
    stale = stale_element(channel.config.channel_group, update.read_set)
    if stale:
        raise InvalidUpdate(f"the update does not build on the configuration in force: {stale}")
    before, changed = elements(channel.config.channel_group), _changed_elements(update)
    if not changed:
        raise InvalidUpdate("the update changes nothing")
    who = signers(channel, signed)
    for name, element in changed.items():
        _check_element(name, element, before.get(name))
        if name in before:
            _check_policy(channel, name, before[name], who)
    group = applied(channel.config.channel_group, update.write_set)
    return configtx_pb2.Config(sequence=channel.config.sequence + 1, channel_group=group)


def signers(channel: ChannelRules, signed: configtx_pb2.ConfigUpdateEnvelope) -> tuple[Identity, ...]:
    """The members' identities whose signatures hold, each once; other signatures are ignored."""
    found = (_signer(channel, one, signed.config_update) for one in signed.signatures)
    return tuple(dict.fromkeys(identity for identity in found if identity is not None))


def _parse(channel: ChannelRules, signed: configtx_pb2.ConfigUpdateEnvelope) -> configtx_pb2.ConfigUpdate:
    try:
        update = configtx_pb2.ConfigUpdate.FromString(signed.config_update)
    except DecodeError as error:
        raise InvalidUpdate(f"the config update cannot be decoded: {error}") from error
    if update.channel_id != channel.channel_id:
        raise InvalidUpdate(f"the update is meant for channel {update.channel_id!r}, this is {channel.channel_id!r}")
    return update


def _signer(channel: ChannelRules, signature: configtx_pb2.ConfigSignature, update: bytes) -> Identity | None:
    try:
        identity = channel.identity(common_pb2.SignatureHeader.FromString(signature.signature_header).creator)
    except (DecodeError, InvalidIdentity):
        return None
    return identity if identity.signed(signature.signature_header + update, signature.signature) else None


def _changed_elements(update: configtx_pb2.ConfigUpdate) -> dict[str, Element]:
    """The elements that the update writes and does not only name: their version is another than the one it read."""
    read = elements(update.read_set)
    return {
        name: element
        for name, element in elements(update.write_set).items()
        if name not in read or read[name].version != element.version
    }


def _check_element(name: str, element: Element, before: Element | None) -> None:
    if not element.mod_policy:
        raise InvalidUpdate(f"{name} has no mod_policy: nobody could ever change it")
    if not _NAME.fullmatch(element.name):
        raise InvalidUpdate(f"{name} has a name with other characters than letters, digits, dots and hyphens")
    due = before.version + 1 if before else 0
    if element.version != due:
        raise InvalidUpdate(f"{name} is written with version {element.version}, it must be {due}")


def _check_policy(channel: ChannelRules, name: str, before: Element, who: tuple[Identity, ...]) -> None:
    path = before.policy_path
    try:
        satisfied = channel.policy(path).satisfied_by(who)
    except InvalidPolicy as error:
        raise InvalidUpdate(f"{name} cannot be changed: {path}: {error}") from error
    if not satisfied:
        members = ", ".join(sorted({identity.msp_id for identity in who})) or "nobody"
        raise InvalidUpdate(f"policy {path} for {name} not satisfied: signatures that hold are by {members}")


def applied(old: configtx_pb2.ConfigGroup, written: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    """The group after an update that writes `written`."""
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
    """The names of a group's elements after an update: those that a changed group names, else those that it had."""
    return sorted(written if changed else old)


# --- what an update names -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Element:
    """A group, value or policy of a configuration. A relative `mod_policy` is looked up in `group`."""

    name: str
    version: int
    mod_policy: str
    group: str

    @property
    def policy_path(self) -> str:
        """The path of the policy that decides who may change the element."""
        return self.mod_policy if self.mod_policy.startswith("/") else f"{self.group}/{self.mod_policy}"


def stale_element(current: configtx_pb2.ConfigGroup, read_set: configtx_pb2.ConfigGroup) -> str:
    """The first element that has changed since the update read it, with both versions; empty if none has."""
    there = elements(current)
    for name, read in elements(read_set).items():
        if name not in there:
            return f"{name} is gone"
        if there[name].version != read.version:
            return f"{name} has version {there[name].version}, the update builds on {read.version}"
    return ""


def elements(root: configtx_pb2.ConfigGroup) -> dict[str, Element]:
    """All elements by kind and path, e.g. "value /Channel/Application/MillMSP/MSP"; the channel's group first."""
    return dict(_elements("/Channel", "Channel", root))


def _elements(path: str, own_name: str, group: configtx_pb2.ConfigGroup) -> Iterator[tuple[str, Element]]:
    yield f"group {path}", Element(own_name, group.version, group.mod_policy, path)
    for kind, leaves in (("value", group.values), ("policy", group.policies)):
        for name, leaf in sorted(leaves.items()):
            yield f"{kind} {path}/{name}", Element(name, leaf.version, leaf.mod_policy, path)
    for name, below in sorted(group.groups.items()):
        yield from _elements(f"{path}/{name}", name, below)
