"""The rules for updates of the configuration: which ones an orderer accepts, and their result, for any change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from fabric_protos.common import configtx_pb2, policies_pb2
from hypothesis import assume, given
from hypothesis import strategies as st

from consortium.channel.config_update import config_update
from ledger.configuration import (
    sign_update,
    signed_update,
)
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.config_update import (
    InvalidUpdate,
    changed_config,
    stale_element,
)
from tests.consortium.test_config_update import (
    applied,
    groups,
    unversioned,
)
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, DELTA, MAJORITY, genesis, member

Tree = configtx_pb2.ConfigGroup
ADMINS = "/Channel/Application/Admins"
ANYBODY = "/Channel/Application/Writers"
# A part of the configuration that only these tests have.
SPARE = "Spare"


@given(groups(), groups())
def test_a_signed_update_makes_exactly_the_change_that_was_wanted(before: Tree, after: Tree) -> None:
    channel, wanted = channel_with(before), tree_with(after)
    assume(unversioned(channel.config.channel_group) != unversioned(wanted))
    update = config_update(CHANNEL, channel.config.channel_group, wanted)
    changed = changed_config(channel, signed(update, MAJORITY))
    assert unversioned(changed.channel_group) == unversioned(wanted)
    assert unversioned(applied(channel.config.channel_group, update.write_set)) == unversioned(wanted)
    assert stale_element(changed.channel_group, update.write_set) == ""
    assert changed.sequence == channel.config.sequence + 1


@given(groups(), groups())
def test_an_update_is_made_once_and_only_with_enough_signatures(before: Tree, after: Tree) -> None:
    channel, wanted = channel_with(before), tree_with(after)
    assume(unversioned(channel.config.channel_group) != unversioned(wanted))
    update = config_update(CHANNEL, channel.config.channel_group, wanted)
    with pytest.raises(InvalidUpdate, match="not satisfied"):
        changed_config(channel, signed(update, (ALPHA, BRAVO)))
    changed = ChannelRules(CHANNEL, changed_config(channel, signed(update, MAJORITY)))
    with pytest.raises(InvalidUpdate):
        changed_config(changed, signed(update, MAJORITY))


@given(groups(), groups(), st.data())
def test_a_version_that_is_not_due_is_refused(before: Tree, after: Tree, data: st.DataObject) -> None:
    channel, wanted = channel_with(before), tree_with(after)
    assume(unversioned(channel.config.channel_group) != unversioned(wanted))
    update = config_update(CHANNEL, channel.config.channel_group, wanted)
    named = nodes(update.write_set) if data.draw(st.booleans()) else nodes(update.read_set)
    data.draw(st.sampled_from(named)).version += data.draw(st.integers(2, 5))
    with pytest.raises(InvalidUpdate):
        changed_config(channel, signed(update, MAJORITY))


def no_policy(tree: Tree) -> None:
    tree.groups["Application"].groups[ALPHA].values["New"].value = b"1"


def strange_name(tree: Tree) -> None:
    tree.groups["Application"].values["a/b"].CopyFrom(configtx_pb2.ConfigValue(mod_policy="Admins"))


@pytest.mark.parametrize("edit", [no_policy, strange_name])
def test_elements_that_no_orderer_takes_are_refused(edit: Callable[[Tree], None]) -> None:
    channel, wanted = channel_with(Tree()), tree_with(Tree())
    edit(wanted)
    update = config_update(CHANNEL, channel.config.channel_group, wanted)
    with pytest.raises(InvalidUpdate):
        changed_config(channel, signed(update, MAJORITY))


def test_the_signatures_that_an_elements_own_policy_wants_suffice() -> None:
    """The element's policy is an absolute path, which any member satisfies."""
    channel, wanted = channel_with(leaf(b"1", ANYBODY)), tree_with(leaf(b"2", ANYBODY))
    update = config_update(CHANNEL, channel.config.channel_group, wanted)
    changed = changed_config(channel, signed(update, [DELTA]))
    assert unversioned(changed.channel_group) == unversioned(wanted)


@pytest.mark.parametrize("kind", [policies_pb2.Policy.UNKNOWN, policies_pb2.Policy.MSP, 77])
def test_a_policy_of_an_unknown_kind_is_never_satisfied(kind: int) -> None:
    before, after = tree_with(leaf(b"1", f"/Channel/{SPARE}/odd")), tree_with(leaf(b"2", f"/Channel/{SPARE}/odd"))
    for tree in (before, after):
        odd = configtx_pb2.ConfigPolicy(policy=policies_pb2.Policy(type=kind), mod_policy=ADMINS)
        tree.groups[SPARE].policies["odd"].CopyFrom(odd)
    channel = ChannelRules(CHANNEL, configtx_pb2.Config(channel_group=before))
    with pytest.raises(InvalidUpdate, match="not satisfied"):
        changed_config(channel, signed(config_update(CHANNEL, before, after), MAJORITY))


# --- trees ------------------------------------------------------------------------------------------------------------


def tree_with(spare: Tree) -> Tree:
    """The channel's configuration with `spare` as one more part."""
    tree = Tree()
    tree.CopyFrom(ChannelRules.from_config_block(genesis()).config.channel_group)
    tree.mod_policy = ADMINS
    tree.groups[SPARE].CopyFrom(spare)
    for element in nodes(tree.groups[SPARE]):
        element.mod_policy = element.mod_policy if element.mod_policy.startswith("/") else ADMINS
    return tree


def channel_with(spare: Tree) -> ChannelRules:
    return ChannelRules(CHANNEL, configtx_pb2.Config(sequence=7, channel_group=tree_with(spare)))


def leaf(value: bytes, policy: str) -> Tree:
    tree = Tree()
    tree.values["v"].CopyFrom(configtx_pb2.ConfigValue(value=value, mod_policy=policy))
    return tree


Node = configtx_pb2.ConfigGroup | configtx_pb2.ConfigValue | configtx_pb2.ConfigPolicy


def nodes(group: Tree) -> list[Node]:
    """The group and all elements below it, in order."""
    leaves = [element for kind in (group.values, group.policies) for _, element in sorted(kind.items())]
    return [group, *leaves, *(one for _, below in sorted(group.groups.items()) for one in nodes(below))]


def signed(update: configtx_pb2.ConfigUpdate, by: Sequence[str]) -> configtx_pb2.ConfigUpdateEnvelope:
    data = update.SerializeToString()
    return signed_update(data, [sign_update(data, member(msp_id).admin) for msp_id in by])
