"""Makes a member's node, or a client of its API, from the consortium's folder."""

from __future__ import annotations

from pathlib import Path

from consortium.folder.topology import (
    MemberEntry,
    Topology,
)
from ledger.gateway import Gateway, SigningIdentity
from ledger.transport import LedgerTransport
from node.api.failures import error_of
from node.api.server import ApiAddress
from node.node import Node, NodeFiles
from zunft.client import NodeClient
from zunft.connection import TlsMaterial

# The node submits usage as this user.
NODE_USER = "erp"


def node_of(topology: Topology, member: MemberEntry, transport: LedgerTransport, *, port: int | None = None) -> Node:
    """The member's node, not started yet. `port` replaces the port in the consortium's file; 0 is any free one."""
    keys = topology.keys(member)
    files = keys.user(NODE_USER)
    identity = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
    tls = keys.node_tls()
    address = ApiAddress(
        host=member.api.host,
        port=member.api.port if port is None else port,
        key=tls.key_pem(),
        certificate=tls.certificate_pem(),
        client_roots=b"".join(keys.public_material().ca_certificates),
    )
    gateway = Gateway(transport, identity, channel=topology.channel)
    return Node(gateway, NodeFiles(node_folder(topology, member)), address)


def client_of(topology: Topology, member: MemberEntry, user: str, *, port: int | None = None) -> NodeClient:
    """A client of the member's node as one of its users. Raises UserNotFound."""
    keys = topology.keys(member)
    files = keys.user(user)
    tls = TlsMaterial(keys.tls_root_pem(), files.key_pem(), files.certificate_pem())
    return NodeClient(f"{member.api.host}:{port or member.api.port}", tls, error_of)


def node_folder(topology: Topology, member: MemberEntry) -> Path:
    return topology.folder(member) / "node"
