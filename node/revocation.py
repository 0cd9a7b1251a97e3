"""Puts a member's revocation list into the channel's configuration, with its own admin's signature.

From that configuration block on, every peer, orderer and node refuses signatures of the revoked certificates.
"""

from __future__ import annotations

from dataclasses import replace

from consortium.channel.config_update import config_update
from consortium.channel.members import change_member
from consortium.channel.reader import Channel
from consortium.errors import NotInChannel
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revoking import unite_revocations
from ledger.configuration import (
    UpdateOvertaken,
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.gateway import Gateway

# Another member's change may come in between several times, but hardly more often.
ATTEMPTS = 5


async def publish_revocations(gateway: Gateway, keys: MemberKeys) -> None:
    """Publishes the member's list, united with the channel's; does nothing where the channel has it already.

    `gateway` acts as an admin of the member. Raises ConfigurationError, StreamError, ConsortiumError.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await _publish(gateway, keys)
        except UpdateOvertaken:
            continue
    return await _publish(gateway, keys)


async def _publish(gateway: Gateway, keys: MemberKeys) -> None:
    channel = await newest_channel(gateway)
    published = _published(channel, keys.msp_id)
    unite_revocations(keys, published)
    wanted = keys.revocation_lists()
    if wanted == published:
        return
    member = replace(channel.members[keys.msp_id], revocation_lists=wanted)
    group = channel.config.channel_group
    update = config_update(channel.name, group, change_member(group, member)).SerializeToString()
    await submit_update(gateway, signed_update(update, [sign_update(update, gateway.identity)]))


def _published(channel: Channel, msp_id: str) -> tuple[bytes, ...]:
    """The member's revocation lists in the channel. Raises NotInChannel."""
    if msp_id not in channel.members:
        raise NotInChannel(
            f"{msp_id} is no longer a member of the channel, which therefore needs no list of its revoked certificates"
        )
    return channel.members[msp_id].revocation_lists
