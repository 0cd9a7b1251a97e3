"""Changes of a member's own part of the channel's configuration, which need its own signature only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from consortium.channel.config_update import config_update
from consortium.channel.consenters import (
    consenters,
    has_ordering_service,
    is_bft,
)
from consortium.channel.members import change_member
from consortium.channel.reader import Channel
from consortium.errors import NothingToUpdate
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)
from ledger.configuration import (
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.gateway import Gateway


async def show_orderers(gateway: Gateway) -> None:
    """Publishes the addresses of the member's orderers that take part, so that peers hand transactions to no others.

    Under BFT this does nothing: the admission already names the address, which Fabric insists on.
    Raises LedgerError, ConsortiumError.
    """
    channel = await newest_channel(gateway)
    taking_part = [
        one.endpoint for one in consenters(channel.config.channel_group) if one.msp_id == gateway.identity.msp_id
    ]
    await _show(gateway, channel, taking_part)


async def hide_orderers(gateway: Gateway) -> None:
    """Withdraws the addresses of the member's orderers before these leave.

    Peers give a transaction up that an orderer refuses because it only follows.
    """
    await _show(gateway, await newest_channel(gateway), [])


async def change_own(gateway: Gateway, channel: Channel, material: MemberMaterial) -> None:
    """Changes the member's own part to this material, unless it is so already. Raises LedgerError, ConsortiumError."""
    before = channel.config.channel_group
    try:
        update = config_update(channel.name, before, change_member(before, material)).SerializeToString()
    except NothingToUpdate:
        return
    await submit_update(gateway, signed_update(update, [sign_update(update, gateway.identity)]))


async def _show(gateway: Gateway, channel: Channel, orderers: Sequence[Endpoint]) -> None:
    group, own = channel.config.channel_group, channel.members[gateway.identity.msp_id]
    if has_ordering_service(group) and not is_bft(group):
        await change_own(gateway, channel, replace(own, orderers=tuple(orderers)))
