"""A company that is not a member yet, on a machine of its own: it has its keys, endpoints, and the genesis block."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from chaincode.rights.roles import Role
from consortium.channel.ordering import OrderingNode
from consortium.folder.founding import (
    FABRIC_PORTS_EACH,
    FABRIC_PORTS_FROM,
    HOST,
)
from consortium.folder.topology import (
    MemberEntry,
    OrdererEndpoints,
    PeerEndpoints,
    Topology,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)
from ledger.gateway import SigningIdentity
from network.network import FabricNetwork
from network.runtimes import network_of
from tests.harness.consortium import msp_id_of
from tests.harness.ports import free_first_port


@dataclass(frozen=True)
class Newcomer:
    """The company, and its own network, whose topology names no other member."""

    network: FabricNetwork
    member: MemberEntry

    @property
    def keys(self) -> MemberKeys:
        return self.network.topology.keys(self.member)

    @property
    def material(self) -> MemberMaterial:
        assert self.member.peer
        return self.keys.public_material(anchor_peers=[self.member.peer.peer], orderers=[self.orderer.endpoint])

    @property
    def orderer(self) -> OrderingNode:
        """The company's orderer, with the certificates that its files have now."""
        assert self.member.orderer
        identity, tls = self.keys.node(NodeKind.ORDERER), self.keys.node_tls(NodeKind.ORDERER)
        endpoint = self.member.orderer.orderer
        return OrderingNode(self.member.msp_id, endpoint, identity.certificate_pem(), tls.certificate_pem())

    @property
    def admin(self) -> SigningIdentity:
        files = self.keys.user("admin")
        return SigningIdentity.load(self.member.msp_id, files.certificate_path, files.key_path)


def make_newcomer(home: Path, name: str, consortium: Topology) -> Newcomer:
    keys = MemberKeys.create(home / "members" / name, msp_id_of(name))
    for role in (Role.ADMIN, Role.AUDITOR):
        keys.add_user(role.value, [role])
    keys.add_node(NodeKind.ORDERER)
    first = free_first_port(1) + FABRIC_PORTS_FROM
    ports = [Endpoint(HOST, first + number) for number in range(FABRIC_PORTS_EACH)]
    member = MemberEntry(
        name, keys.msp_id, name.capitalize(), ports[9], PeerEndpoints(*ports[0:3]), OrdererEndpoints(*ports[3:6])
    )
    topology = replace(consortium, home=home, members=(member,))
    shutil.copy(consortium.genesis_path, topology.genesis_path)
    return Newcomer(network_of(topology, None), member)
