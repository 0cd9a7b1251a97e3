"""What a decision of the members changes in the channel's configuration.

Whoever opens a ballot computes it, and everybody who votes computes it again from the configuration that his own peer
has, and signs nothing else. Orderers come and go one at a time, so a decision may take several updates, each building
on the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from fabric_protos.common import configtx_pb2

from network.channel_reader import Channel, read_members
from network.config_update import config_update
from network.consenters import add_consenter, consenters, remove_consenter
from network.member_material import Endpoint, MemberMaterial
from network.membership import add_member, remove_member
from network.ordering import Orderer
from node.ledger.fabric_rules.config_update import applied
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_ADMISSION, BallotSubject
from zunft.v1.bundle_pb2 import Bundle, NodeAddress
from zunft.v1.member_pb2 import ChannelEdit

Edit = Callable[[configtx_pb2.ConfigGroup], configtx_pb2.ConfigGroup]


def channel_edit(channel: Channel, subject: BallotSubject, msp_id: str, bundle: Bundle | None = None) -> ChannelEdit:
    """All that is left to do for the decision. An admission needs the applicant's bundle. Raises NetworkError."""
    edits = remaining_edits(channel.config.channel_group, subject, msp_id, bundle)
    return ChannelEdit(config_updates=_updates(channel, edits), base_sequence=channel.sequence)


def remaining_edits(
    channel_group: configtx_pb2.ConfigGroup, subject: BallotSubject, msp_id: str, bundle: Bundle | None = None
) -> Sequence[Edit]:
    """In the order in which they are made; none once everything is done."""
    if subject == BALLOT_SUBJECT_ADMISSION:
        return _admission(channel_group, bundle or Bundle())
    return _removal(channel_group, msp_id)


def material_of(bundle: Bundle) -> MemberMaterial:
    """What the channel gets to know of the applicant."""
    return MemberMaterial(
        msp_id=bundle.msp_id,
        ca_certificates=tuple(bundle.root_certificates),
        tls_ca_certificates=tuple(bundle.tls_root_certificates),
        anchor_peers=(_endpoint(bundle.peer),),
        orderers=(_endpoint(bundle.orderer.address),) if bundle.HasField("orderer") else (),
    )


def _admission(channel_group: configtx_pb2.ConfigGroup, bundle: Bundle) -> Sequence[Edit]:
    """The member with its organisation among the orderers' ones; then its orderer, which by then can follow."""
    edits: list[Edit] = []
    if bundle.msp_id not in read_members(channel_group):
        edits.append(partial(add_member, member=material_of(bundle)))
    if bundle.HasField("orderer") and not _orders_at(channel_group, _endpoint(bundle.orderer.address)):
        edits.append(partial(add_consenter, orderer=_orderer_of(bundle)))
    return edits


def _removal(channel_group: configtx_pb2.ConfigGroup, msp_id: str) -> Sequence[Edit]:
    """Its orderers, one at a time; with the last of them the member, and all that the channel has of it.

    In one update, so that nobody hands a transaction to an orderer that has no part in ordering any more.
    """
    if msp_id not in read_members(channel_group):
        return []
    own = [one.endpoint for one in consenters(channel_group) if one.msp_id == msp_id]
    first = [partial(remove_consenter, endpoint=one) for one in own[:-1]]
    return [*first, partial(_without, msp_id=msp_id, last=own[-1:])]


def _without(
    channel_group: configtx_pb2.ConfigGroup, msp_id: str, last: Sequence[Endpoint]
) -> configtx_pb2.ConfigGroup:
    """`last`: the endpoint of the orderer that it still has, if it has one."""
    for endpoint in last:
        channel_group = remove_consenter(channel_group, endpoint)
    return remove_member(channel_group, msp_id)


def _updates(channel: Channel, edits: Iterable[Edit]) -> list[bytes]:
    """The same bytes for everybody who starts from this configuration."""
    group, updates = channel.config.channel_group, []
    for edit in edits:
        update = config_update(channel.name, group, edit(group))
        updates.append(update.SerializeToString(deterministic=True))
        group = applied(group, update.write_set)
    return updates


def _orders_at(channel_group: configtx_pb2.ConfigGroup, endpoint: Endpoint) -> bool:
    return any(one.endpoint == endpoint for one in consenters(channel_group))


def _orderer_of(bundle: Bundle) -> Orderer:
    node = bundle.orderer
    return Orderer(bundle.msp_id, _endpoint(node.address), node.identity_certificate, node.tls_certificate)


def _endpoint(address: NodeAddress) -> Endpoint:
    return Endpoint(address.host, address.port)
