"""One update leads from any configuration to any other one, as an orderer would apply it."""

from __future__ import annotations

import pytest
from fabric_protos.common import configtx_pb2
from hypothesis import assume, given
from hypothesis import strategies as st

from consortium.channel.config_update import config_update
from consortium.errors import NothingToUpdate

NAMES = st.sampled_from("ab")
POLICY_NAMES = st.sampled_from(["Admins", "Readers"])
KINDS = ("groups", "values", "policies")


@st.composite
def groups(draw: st.DrawFn, depth: int = 1) -> configtx_pb2.ConfigGroup:
    group = configtx_pb2.ConfigGroup(version=draw(st.integers(0, 3)), mod_policy=draw(POLICY_NAMES))
    for name, value in draw(st.dictionaries(NAMES, st.binary(max_size=2))).items():
        element = configtx_pb2.ConfigValue(version=draw(st.integers(0, 3)), value=value, mod_policy=draw(POLICY_NAMES))
        group.values[name].CopyFrom(element)
    for name in draw(st.sets(NAMES)):
        element = configtx_pb2.ConfigPolicy(version=draw(st.integers(0, 3)), mod_policy=draw(POLICY_NAMES))
        group.policies[name].CopyFrom(element)
    if depth:
        for name, below in draw(st.dictionaries(NAMES, groups(depth - 1))).items():
            group.groups[name].CopyFrom(below)
    return group


@given(groups(), groups())
def test_an_update_leads_to_the_wanted_configuration(
    current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup
) -> None:
    assume(unversioned(current) != unversioned(wanted))
    update = config_update("zunft", current, wanted)
    check_read(current, update.read_set)
    assert unversioned(applied(current, update.write_set)) == unversioned(wanted)


@given(groups(), groups())
def test_no_version_is_skipped(current: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup) -> None:
    assume(unversioned(current) != unversioned(wanted))
    check_written(current, config_update("zunft", current, wanted).write_set)


@given(groups())
def test_an_update_without_a_change_is_refused(current: configtx_pb2.ConfigGroup) -> None:
    with pytest.raises(NothingToUpdate):
        config_update("zunft", current, current)


# --- an orderer's view ------------------------------------------------------------------------------------------------


def applied(current: configtx_pb2.ConfigGroup, write: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigGroup:
    """The group after the write: of the next version it has just the named elements, else it keeps the others, too."""
    is_next = write.version == current.version + 1
    result = configtx_pb2.ConfigGroup(mod_policy=write.mod_policy if is_next else current.mod_policy)
    for kind in KINDS:
        before, written, after = (getattr(group, kind) for group in (current, write, result))
        for name in set(written) if is_next else set(before) | set(written):
            if name not in written:
                after[name].CopyFrom(before[name])
            elif name not in before:
                after[name].CopyFrom(written[name])
            elif kind == "groups":
                after[name].CopyFrom(applied(before[name], written[name]))
            else:
                after[name].CopyFrom(written[name] if written[name].version > before[name].version else before[name])
    return result


def check_read(current: configtx_pb2.ConfigGroup, read: configtx_pb2.ConfigGroup) -> None:
    """Checks that each element of the read set exists in that version."""
    assert read.version == current.version
    for kind in ("values", "policies"):
        for name, element in getattr(read, kind).items():
            assert getattr(current, kind)[name].version == element.version
    for name, below in read.groups.items():
        check_read(current.groups[name], below)


def check_written(current: configtx_pb2.ConfigGroup, write: configtx_pb2.ConfigGroup) -> None:
    """Checks that each written element has its version or the next one, and a new one version 0."""
    assert write.version in (current.version, current.version + 1)
    for kind in ("values", "policies"):
        for name, element in getattr(write, kind).items():
            before = getattr(current, kind)
            versions = (before[name].version, before[name].version + 1) if name in before else (0,)
            assert element.version in versions
    for name, below in write.groups.items():
        if name in current.groups:
            check_written(current.groups[name], below)
        else:
            assert below.version == 0


def unversioned(group: configtx_pb2.ConfigGroup) -> bytes:
    copy = configtx_pb2.ConfigGroup()
    copy.CopyFrom(group)
    _clear(copy)
    return copy.SerializeToString(deterministic=True)


def _clear(group: configtx_pb2.ConfigGroup) -> None:
    group.version = 0
    for kind in ("values", "policies"):
        for element in getattr(group, kind).values():
            element.version = 0
    for below in group.groups.values():
        _clear(below)
