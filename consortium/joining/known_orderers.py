"""Where an applicant may find the orderers: its channel's first block says it, its invitation says it as of later."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import cycle

from fabric_protos.common import common_pb2

from consortium.channel.orderer_addresses import (
    OrdererAddress,
    orderer_addresses,
)
from consortium.channel.reader import read_channel
from consortium.folder.topology import Topology
from consortium.joining.invitation import kept_invitation
from consortium.keys.member_material import Endpoint


@dataclass(frozen=True, slots=True)
class Detour:
    """A peer that looks for an orderer at `origin` shall go to `orderer` instead."""

    origin: Endpoint
    orderer: OrdererAddress


@dataclass(frozen=True, slots=True)
class KnownOrderers:
    """`first` are those of the channel's first block, with which a peer begins; `newest` those of the invitation.

    At `former` some listened in between, and do not any more.
    """

    first: Mapping[Endpoint, OrdererAddress]
    newest: Mapping[Endpoint, OrdererAddress]
    former: tuple[Endpoint, ...]

    @property
    def addresses(self) -> list[OrdererAddress]:
        """Each endpoint once, with the certificates that are the newest known."""
        return list({**self.first, **self.newest}.values())

    def detours(self, serving: Collection[OrdererAddress]) -> list[Detour]:
        """To those that serve, in turn: from where none does, and from where one does with other certificates by now.

        What a peer finds in the blocks it takes at their word, and so comes past every configuration since the first.
        """
        in_turn = cycle(serving)
        by_endpoint = {address.endpoint: address for address in serving}
        known = dict.fromkeys([*self.first, *self.newest, *self.former])
        ways = [Detour(origin, by_endpoint.get(origin) or next(in_turn)) for origin in known]
        return [way for way in ways if way.orderer != self.first.get(way.origin, self.newest.get(way.origin))]


def known_orderers(topology: Topology) -> KnownOrderers:
    """As the files in the consortium's folder say. Raises InvalidInvitation, MalformedConfigBlock."""
    first = read_channel(common_pb2.Block.FromString(topology.genesis_path.read_bytes()))
    invitation = kept_invitation(topology.home)
    return KnownOrderers(
        first=_by_endpoint(orderer_addresses(first.config.channel_group)),
        newest=_by_endpoint(invitation.orderers if invitation else []),
        former=invitation.former_orderers if invitation else (),
    )


def _by_endpoint(addresses: list[OrdererAddress]) -> dict[Endpoint, OrdererAddress]:
    return {address.endpoint: address for address in addresses}
