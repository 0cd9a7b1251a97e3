"""Edits of a channel's members: one more, one less, one with other certificates, revocations or endpoints.

Each edit returns a new configuration and leaves its argument unchanged. Edits can be combined: Fabric gets the one
update that consortium/channel/config_update.py finds between the first configuration and the last.
"""

from __future__ import annotations

from dataclasses import replace

from fabric_protos.common import configtx_pb2

from consortium.channel.config_group import (
    copied,
    group_at,
    set_value,
)
from consortium.channel.consenters import (
    consenters,
    has_ordering_service,
    is_bft,
)
from consortium.channel.genesis import (
    anchor_peers,
    member_group,
)
from consortium.channel.msp_config import msp_config
from consortium.channel.ordering import (
    orderer_endpoints,
    orderer_organisation,
)
from consortium.channel.reader import read_members
from consortium.errors import (
    LastMember,
    MemberInChannel,
    NoOrderingService,
    NotInChannel,
    StillOrders,
)
from consortium.keys.member_material import (
    MemberMaterial,
    check_msp_id,
)


def add_member(channel_group: configtx_pb2.ConfigGroup, member: MemberMaterial) -> configtx_pb2.ConfigGroup:
    """The configuration with one more member; one with `orderers` gets an organisation in the ordering service, too.

    Raises InvalidName, MemberInChannel, NoOrderingService.
    """
    check_msp_id(member.msp_id)
    if member.msp_id in channel_group.groups["Application"].groups:
        raise MemberInChannel(f"{member.msp_id} is a member of the channel already")
    edited = copied(channel_group)
    edited.groups["Application"].groups[member.msp_id].CopyFrom(member_group(member))
    return add_orderer_organisation(edited, member) if member.orderers else edited


def remove_member(channel_group: configtx_pb2.ConfigGroup, msp_id: str) -> configtx_pb2.ConfigGroup:
    """The configuration without the member and its organisation in the ordering service.

    Raises NotInChannel, LastMember, StillOrders.
    """
    _check_member(channel_group, msp_id)
    if len(channel_group.groups["Application"].groups) == 1:
        raise LastMember(f"{msp_id} is the channel's last member: stop its processes instead")
    edited = copied(channel_group)
    del edited.groups["Application"].groups[msp_id]
    return remove_orderer_organisation(edited, msp_id) if _orders(edited, msp_id) else edited


def add_orderer_organisation(
    channel_group: configtx_pb2.ConfigGroup, member: MemberMaterial
) -> configtx_pb2.ConfigGroup:
    """The configuration in which the member's orderers may follow the channel.

    Under raft the endpoints are left out until `change_member` adds them: a peer hands each transaction to one of the
    endpoints, and gives the transaction up when an orderer that only follows refuses it. Under BFT a peer hands each
    transaction to all endpoints, and Fabric insists on an endpoint. Raises NoOrderingService, MemberInChannel.
    """
    if not has_ordering_service(channel_group):
        raise NoOrderingService("the channel belongs to the embedded ledger: its members run no orderers")
    if _orders(channel_group, member.msp_id):
        raise MemberInChannel(f"{member.msp_id} has an organisation in the ordering service already")
    edited = copied(channel_group)
    shown = member if is_bft(channel_group) else replace(member, orderers=())
    edited.groups["Orderer"].groups[member.msp_id].CopyFrom(orderer_organisation(shown))
    return edited


def remove_orderer_organisation(channel_group: configtx_pb2.ConfigGroup, msp_id: str) -> configtx_pb2.ConfigGroup:
    """The configuration without the member's part of the ordering service.

    Raises NotInChannel; StillOrders while one of the member's orderers is a consenter.
    """
    if not _orders(channel_group, msp_id):
        raise NotInChannel(f"{msp_id} has no organisation in the ordering service")
    active = [str(one.endpoint) for one in consenters(channel_group) if one.msp_id == msp_id]
    if active:
        raise StillOrders(
            f"{msp_id}'s orderer at {', '.join(active)} still takes part in ordering: remove it from the consenters "
            "first, one at a time"
        )
    edited = copied(channel_group)
    del edited.groups["Orderer"].groups[msp_id]
    return edited


def change_member(channel_group: configtx_pb2.ConfigGroup, member: MemberMaterial) -> configtx_pb2.ConfigGroup:
    """The configuration in which the member has the roots, revocation lists, anchor peers and endpoints of `member`.

    Take the member from `read_members` and replace the parts that shall change: the rest stays as it is, byte for byte.
    Only the member's own admins need to sign. Raises NotInChannel; NoOrderingService for endpoints without an
    organisation.
    """
    _check_member(channel_group, member.msp_id)
    before, edited = read_members(channel_group)[member.msp_id], copied(channel_group)
    _change_certificates(edited, before, member)
    if before.anchor_peers != member.anchor_peers:
        set_value(edited.groups["Application"].groups[member.msp_id], "AnchorPeers", anchor_peers(member))
    if before.orderers != member.orderers:
        _change_endpoints(edited, member)
    return edited


def _change_certificates(edited: configtx_pb2.ConfigGroup, before: MemberMaterial, member: MemberMaterial) -> None:
    """Replaces the member's MSP in each part of the channel that has the member; `edited` itself is changed."""
    if msp_config(before) == msp_config(member):
        return
    for part in ("Application", "Orderer"):
        if member.msp_id in group_at(edited, part).groups:
            set_value(edited.groups[part].groups[member.msp_id], "MSP", msp_config(member))


def _change_endpoints(edited: configtx_pb2.ConfigGroup, member: MemberMaterial) -> None:
    if not _orders(edited, member.msp_id):
        raise NoOrderingService(f"{member.msp_id} has no organisation in the ordering service: add that first")
    set_value(edited.groups["Orderer"].groups[member.msp_id], "Endpoints", orderer_endpoints(member))


def _check_member(channel_group: configtx_pb2.ConfigGroup, msp_id: str) -> None:
    members = channel_group.groups["Application"].groups
    if msp_id not in members:
        raise NotInChannel(f"{msp_id} is no member of the channel: {', '.join(sorted(members))} are")


def _orders(channel_group: configtx_pb2.ConfigGroup, msp_id: str) -> bool:
    return msp_id in group_at(channel_group, "Orderer").groups
