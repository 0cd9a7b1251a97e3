"""Edits of a channel's members and orderers have the same result as founding it like that, and change nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fabric_protos.common import configtx_pb2, configuration_pb2
from hypothesis import given
from hypothesis import strategies as st

from consortium.channel.config_update import config_update
from consortium.channel.consenters import (
    add_consenter,
    consenters,
    remove_consenter,
)
from consortium.channel.genesis import (
    ChannelSettings,
    channel_group,
)
from consortium.channel.members import (
    add_member,
    add_orderer_organisation,
    change_member,
    remove_member,
    remove_orderer_organisation,
)
from consortium.channel.ordering import (
    BftOrdering,
    Ordering,
    OrderingNode,
    RaftOrdering,
)
from consortium.channel.reader import read_members
from consortium.errors import (
    ConsenterExists,
    ConsortiumError,
    ForeignCertificate,
    InvalidName,
    LastMember,
    MemberInChannel,
    NoOrderingService,
    NoSuchConsenter,
    NotInChannel,
    StillOrders,
    TooFewConsenters,
)
from consortium.keys.certificates import (
    NodeKind,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)
from consortium.keys.revocation import Revocations

Group = configtx_pb2.ConfigGroup
COUNT = 7
LEAST = {RaftOrdering: 1, BftOrdering: 4}
ANY_ORDERING = pytest.mark.parametrize("kind", [RaftOrdering, BftOrdering])
Kind = Callable[[Sequence[OrderingNode]], Ordering]


@dataclass(frozen=True)
class Candidate:
    """A member, with the orderer that it would run."""

    keys: MemberKeys
    member: MemberMaterial
    orderer: OrderingNode

    @property
    def msp_id(self) -> str:
        return self.member.msp_id


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> list[Candidate]:
    folder = tmp_path_factory.mktemp("members")
    return [candidate(folder, number) for number in range(COUNT)]


def candidate(folder: Path, number: int) -> Candidate:
    keys = MemberKeys.create(folder / str(number), f"M{number}MSP")
    keys.add_node(NodeKind.ORDERER)
    endpoint = Endpoint("localhost", 7100 + number)
    identity, tls = keys.node(NodeKind.ORDERER).certificate_pem(), keys.node_tls(NodeKind.ORDERER).certificate_pem()
    member = keys.public_material(anchor_peers=[Endpoint("localhost", 7000 + number)], orderers=[endpoint])
    return Candidate(keys, member, OrderingNode(keys.msp_id, endpoint, identity, tls))


def built(kind: Kind | None, members: Sequence[Candidate], without_orderer: Sequence[Candidate] = ()) -> Group:
    """The configuration of a channel that is founded with these members."""
    ordering = kind([one.orderer for one in members]) if kind else None
    all_members = [one.member for one in (*members, *without_orderer)]
    return channel_group(ChannelSettings("zunft", all_members, ordering))


def joined(group: Group, one: Candidate) -> Group:
    return change_member(add_consenter(add_member(group, one.member), one.orderer), one.member)


def left(group: Group, one: Candidate) -> Group:
    return remove_member(remove_consenter(group, one.orderer.endpoint), one.msp_id)


@given(st.data(), st.sampled_from([RaftOrdering, BftOrdering]))
def test_joining_has_the_result_of_founding_together_and_leaving_undoes_it(
    pool: list[Candidate], data: st.DataObject, kind: type[Ordering]
) -> None:
    count = data.draw(st.integers(LEAST[kind], COUNT - 1))
    *members, newcomer = data.draw(st.permutations(pool))[: count + 1]
    before = built(kind, members)
    unedited = before.SerializeToString(deterministic=True)
    after = joined(before, newcomer)
    assert after == built(kind, [*members, newcomer])
    assert left(after, newcomer) == before
    assert before.SerializeToString(deterministic=True) == unedited


@given(st.data())
def test_raft_forgets_any_member_and_bft_keeps_the_others_numbers(pool: list[Candidate], data: st.DataObject) -> None:
    members = data.draw(st.permutations(pool))[: data.draw(st.integers(5, COUNT))]
    leaver = data.draw(st.sampled_from(members))
    others = [one for one in members if one is not leaver]
    assert left(built(RaftOrdering, members), leaver) == built(RaftOrdering, others)
    after = left(built(BftOrdering, members), leaver)
    assert after.groups["Orderer"].policies == built(BftOrdering, others).groups["Orderer"].policies
    assert consenters(after) == tuple(one.orderer for one in others)
    numbers = {one.msp_id: number for number, one in enumerate(members, start=1)}
    assert bft_numbers(after) == {one.msp_id: numbers[one.msp_id] for one in others}
    again = bft_numbers(joined(after, leaver))
    assert len(set(again.values())) == len(members)


def empty_revocation_list(of: Candidate) -> bytes:
    """The member's revocation list, which revokes nothing (PEM)."""
    folder = of.keys.folder / "msp"
    return Revocations().to_pem(KeyFiles(folder / "ca.pem", folder / "ca.key").pair(), datetime.now(UTC))


@ANY_ORDERING
def test_a_member_changes_its_own_part_alone(pool: list[Candidate], kind: type[Ordering]) -> None:
    before, own = built(kind, pool[:5]), pool[1]
    there = read_members(before)[own.msp_id]
    assert change_member(before, there) == before
    for changed in (
        replace(there, revocation_lists=(empty_revocation_list(own),)),
        replace(there, ca_certificates=(*there.ca_certificates, pool[6].member.ca_certificates[0])),
        replace(there, anchor_peers=()),
        replace(there, anchor_peers=(Endpoint("elsewhere", 1),)),
        replace(there, orderers=(*there.orderers, Endpoint("elsewhere", 2))),
    ):
        after = change_member(before, changed)
        assert read_members(after)[own.msp_id] == changed
        assert change_member(after, there) == before
        written = config_update("zunft", before, after).write_set
        assert {written.version, *(part.version for part in written.groups.values())} == {0}
        assert all(set(part.groups) == {own.msp_id} for part in written.groups.values())


def test_a_member_without_orderer_joins_and_leaves_either_ledger(pool: list[Candidate]) -> None:
    newcomer = replace(pool[5], member=replace(pool[5].member, orderers=()))
    for kind in (None, RaftOrdering):
        before = built(kind, pool[:3])
        after = add_member(before, newcomer.member)
        assert after == built(kind, pool[:3], [newcomer])
        assert remove_member(after, newcomer.msp_id) == before


@ANY_ORDERING
def test_the_orderers_members_are_read_back(pool: list[Candidate], kind: type[Ordering]) -> None:
    found = consenters(built(kind, pool[:4]))
    expected = [one.orderer for one in pool[:4]]
    assert list(found) == (expected if kind is BftOrdering else [replace(one, identity=b"") for one in expected])
    assert consenters(built(None, pool[:4])) == ()


def test_edits_that_contradict_the_channel_are_refused(pool: list[Candidate]) -> None:
    raft, bft, embedded = built(RaftOrdering, pool[:4]), built(BftOrdering, pool[:4]), built(None, pool[:1])
    first, stranger = pool[0], pool[6]
    foreign = replace(stranger.orderer, msp_id=first.msp_id)
    with_organisation = add_member(bft, stranger.member)
    half_foreign = replace(stranger.orderer, identity=first.orderer.identity)
    refused: list[tuple[Callable[[], object], type[ConsortiumError]]] = [
        (lambda: add_member(raft, replace(stranger.member, msp_id="_")), InvalidName),
        (lambda: add_member(raft, first.member), MemberInChannel),
        (lambda: add_member(embedded, stranger.member), NoOrderingService),
        (lambda: add_orderer_organisation(raft, first.member), MemberInChannel),
        (lambda: remove_member(raft, stranger.msp_id), NotInChannel),
        (lambda: remove_member(embedded, first.msp_id), LastMember),
        (lambda: remove_member(raft, first.msp_id), StillOrders),
        (lambda: remove_orderer_organisation(raft, stranger.msp_id), NotInChannel),
        (lambda: change_member(raft, stranger.member), NotInChannel),
        (lambda: change_member(embedded, first.member), NoOrderingService),
        (lambda: add_consenter(raft, stranger.orderer), NotInChannel),
        (lambda: add_consenter(raft, foreign), ForeignCertificate),
        (lambda: add_consenter(with_organisation, half_foreign), ForeignCertificate),
        (lambda: add_consenter(raft, first.orderer), ConsenterExists),
        (lambda: add_consenter(embedded, first.orderer), NoOrderingService),
        (lambda: remove_consenter(raft, stranger.orderer.endpoint), NoSuchConsenter),
        (lambda: remove_consenter(bft, first.orderer.endpoint), TooFewConsenters),
        (lambda: remove_consenter(built(RaftOrdering, pool[:1]), first.orderer.endpoint), TooFewConsenters),
    ]
    for edit, error in refused:
        with pytest.raises(error):
            edit()


def bft_numbers(group: Group) -> dict[str, int]:
    value = group.groups["Orderer"].values["Orderers"].value
    return {one.msp_id: one.id for one in configuration_pb2.Orderers.FromString(value).consenter_mapping}
