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
    """A replacement of an address: a peer that looks for an orderer at `origin` connects to `orderer` instead."""

    origin: Endpoint
    orderer: OrdererAddress


@dataclass(frozen=True, slots=True)
class KnownOrderers:
    """The orderers of the channel's first block (`first`), with which a peer begins, and of the invitation (`newest`).

    `former` are endpoints of earlier configurations that the newest one does not have.
    """

    first: Mapping[Endpoint, OrdererAddress]
    newest: Mapping[Endpoint, OrdererAddress]
    former: tuple[Endpoint, ...]

    @property
    def addresses(self) -> list[OrdererAddress]:
        """The orderers of both, each endpoint once, with the newest TLS roots that are known."""
        return list({**self.first, **self.newest}.values())

    def detours(self, serving: Collection[OrdererAddress]) -> list[Detour]:
        """The detours of a peer to the orderers that serve blocks; `serving` has at least one.

        A known endpoint that does not serve leads to one of them, and they take turns. One that serves with other TLS
        roots than in the first block leads to itself with its new roots. The peer needs both, since it takes addresses
        and roots from each configuration that it reads, from the first on.
        """
        in_turn = cycle(serving)
        by_endpoint = {address.endpoint: address for address in serving}
        known = dict.fromkeys([*self.first, *self.newest, *self.former])
        ways = [Detour(origin, by_endpoint.get(origin) or next(in_turn)) for origin in known]
        return [way for way in ways if way.orderer != self.first.get(way.origin, self.newest.get(way.origin))]


def known_orderers(topology: Topology) -> KnownOrderers:
    """The orderers by the genesis block and the invitation in the consortium's folder.

    Raises InvalidInvitation, MalformedConfigBlock.
    """
    first = read_channel(common_pb2.Block.FromString(topology.genesis_path.read_bytes()))
    invitation = kept_invitation(topology.home)
    return KnownOrderers(
        first=_by_endpoint(orderer_addresses(first.config.channel_group)),
        newest=_by_endpoint(invitation.orderers if invitation else []),
        former=invitation.former_orderers if invitation else (),
    )


def _by_endpoint(addresses: list[OrdererAddress]) -> dict[Endpoint, OrdererAddress]:
    return {address.endpoint: address for address in addresses}
