"""From a consortium's folder to its ledger."""

from __future__ import annotations

from consortium.folder.topology import (
    MemberEntry,
    Topology,
)
from ledger.embedded.errors import FolderInUse
from ledger.grpc_transport import (
    GrpcTransport,
    TlsFiles,
)
from ledger.transport import LedgerTransport


def connect(topology: Topology, member: MemberEntry) -> LedgerTransport:
    """The member's peer; on the embedded ledger that itself, or the process that has it open and serves it."""
    if member.peer:
        return GrpcTransport(str(member.peer.listening.from_here), TlsFiles(topology.keys(member).tls_root_pem()))
    # It runs the contract, which takes its time to load; on Fabric nobody has to wait for that.
    from ledger.embedded.consortium import open_embedded

    try:
        return open_embedded(topology)
    except FolderInUse:
        return connect_remote(topology)


def connect_remote(topology: Topology) -> GrpcTransport:
    """The Gateway service at the consortium's address; connects with the first call."""
    roots = b"".join(topology.keys(member).tls_root_pem() for member in topology.members)
    return GrpcTransport(str(topology.gateway), TlsFiles(roots))
