"""The orderers that an applicant knows: those of the channel's first block, and those of its invitation."""

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
    """A replacement in a peer's search for orderers: it connects to `orderer` in the place of `origin`."""

    origin: Endpoint
    orderer: OrdererAddress


@dataclass(frozen=True, slots=True)
class KnownOrderers:
    """The orderers of the channel's first block (`first`), with which a peer begins, and of the invitation (`newest`).

    `former` are addresses of configurations between these two.
    """

    first: Mapping[Endpoint, OrdererAddress]
    newest: Mapping[Endpoint, OrdererAddress]
    former: tuple[Endpoint, ...]

    @property
    def addresses(self) -> list[OrdererAddress]:
        """The orderers, each endpoint once, with the newest certificates that are known."""
        return list({**self.first, **self.newest}.values())

    def detours(self, serving: Collection[OrdererAddress]) -> list[Detour]:
        """The detours to the orderers that serve blocks, in turn.

        There is one from each known endpoint that does not serve, or that has other certificates by now: a peer reads
        every configuration since the first and takes each one's addresses from it.
        """
        in_turn = cycle(serving)
        by_endpoint = {address.endpoint: address for address in serving}
        known = dict.fromkeys([*self.first, *self.newest, *self.former])
        ways = [Detour(origin, by_endpoint.get(origin) or next(in_turn)) for origin in known]
        return [way for way in ways if way.orderer != self.first.get(way.origin, self.newest.get(way.origin))]


def known_orderers(topology: Topology) -> KnownOrderers:
    """The orderers that the files in the consortium's folder name. Raises InvalidInvitation, MalformedConfigBlock."""
    first = read_channel(common_pb2.Block.FromString(topology.genesis_path.read_bytes()))
    invitation = kept_invitation(topology.home)
    return KnownOrderers(
        first=_by_endpoint(orderer_addresses(first.config.channel_group)),
        newest=_by_endpoint(invitation.orderers if invitation else []),
        former=invitation.former_orderers if invitation else (),
    )


def _by_endpoint(addresses: list[OrdererAddress]) -> dict[Endpoint, OrdererAddress]:
    return {address.endpoint: address for address in addresses}
