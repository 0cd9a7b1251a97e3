"""Computes the changes of the channel's configuration that a decision of the members makes.

They follow from a ballot's question and the configuration in force. Every voter computes them from its own peer's data
and signs nothing else: no update is ever taken from the ledger. Orderers come and go one at a time, so a decision may
take several updates, each building on the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from fabric_protos.common import configtx_pb2

from consortium.channel.config_update import config_update
from consortium.channel.consenters import (
    add_consenter,
    consenters,
    remove_consenter,
)
from consortium.channel.members import (
    add_member,
    remove_member,
)
from consortium.channel.ordering import OrderingNode
from consortium.channel.reader import (
    Channel,
    read_members,
)
from consortium.errors import MemberInChannel
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)
from ledger.fabric_rules.config_update import applied
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_ADMISSION, BallotSubject
from zunft.v1.bundle_pb2 import Bundle, NodeAddress

Edit = Callable[[configtx_pb2.ConfigGroup], configtx_pb2.ConfigGroup]


def channel_edit(
    channel: Channel, subject: BallotSubject, msp_id: str, bundle: Bundle | None = None
) -> tuple[bytes, ...]:
    """The serialised ConfigUpdates that are left to make for the decision, with the same bytes for every member.

    An admission needs the applicant's bundle. Raises ConsortiumError.
    """
    return tuple(_updates(channel, remaining_edits(channel.config.channel_group, subject, msp_id, bundle)))


def remaining_edits(
    channel_group: configtx_pb2.ConfigGroup, subject: BallotSubject, msp_id: str, bundle: Bundle | None = None
) -> Sequence[Edit]:
    """The changes that are left, in the order in which they are made."""
    if subject == BALLOT_SUBJECT_ADMISSION:
        return _admission(channel_group, bundle or Bundle())
    return _removal(channel_group, msp_id)


def material_of(bundle: Bundle) -> MemberMaterial:
    """The applicant's certificates and addresses, as the channel's configuration gets them."""
    return MemberMaterial(
        msp_id=bundle.msp_id,
        ca_certificates=tuple(bundle.root_certificates),
        tls_ca_certificates=tuple(bundle.tls_root_certificates),
        anchor_peers=(_endpoint(bundle.peer),),
        orderers=(_endpoint(bundle.orderer.address),) if bundle.HasField("orderer") else (),
    )


def _admission(channel_group: configtx_pb2.ConfigGroup, bundle: Bundle) -> Sequence[Edit]:
    """Adds the member, also among the orderers' organisations; then its orderer, which can follow by then."""
    edits: list[Edit] = []
    there = read_members(channel_group).get(bundle.msp_id)
    if there and not set(bundle.root_certificates) <= set(there.ca_certificates):
        raise MemberInChannel(
            f"the channel still has {bundle.msp_id} with other roots than the bundle's: have that member removed first"
        )
    if there is None:
        edits.append(partial(add_member, member=material_of(bundle)))
    if bundle.HasField("orderer") and not _orders_at(channel_group, _endpoint(bundle.orderer.address)):
        edits.append(partial(add_consenter, orderer=_orderer_of(bundle)))
    return edits


def _removal(channel_group: configtx_pb2.ConfigGroup, msp_id: str) -> Sequence[Edit]:
    """Removes the member's orderers, one at a time, and with the last of them the member.

    That is one update, so that no peer hands a transaction to an orderer that no longer takes part in ordering.
    """
    if msp_id not in read_members(channel_group):
        return []
    own = [one.endpoint for one in consenters(channel_group) if one.msp_id == msp_id]
    first = [partial(remove_consenter, endpoint=one) for one in own[:-1]]
    return [*first, partial(_without, msp_id=msp_id, last=own[-1:])]


def _without(
    channel_group: configtx_pb2.ConfigGroup, msp_id: str, last: Sequence[Endpoint]
) -> configtx_pb2.ConfigGroup:
    """The configuration without the member; `last` has the endpoint of the orderer that it still has, if any."""
    for endpoint in last:
        channel_group = remove_consenter(channel_group, endpoint)
    return remove_member(channel_group, msp_id)


def _updates(channel: Channel, edits: Iterable[Edit]) -> Iterator[bytes]:
    group = channel.config.channel_group
    for edit in edits:
        update = config_update(channel.name, group, edit(group))
        yield update.SerializeToString(deterministic=True)
        group = applied(group, update.write_set)


def _orders_at(channel_group: configtx_pb2.ConfigGroup, endpoint: Endpoint) -> bool:
    return any(one.endpoint == endpoint for one in consenters(channel_group))


def _orderer_of(bundle: Bundle) -> OrderingNode:
    node = bundle.orderer
    return OrderingNode(bundle.msp_id, _endpoint(node.address), node.identity_certificate, node.tls_certificate)


def _endpoint(address: NodeAddress) -> Endpoint:
    return Endpoint(address.host, address.port)
