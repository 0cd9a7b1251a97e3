"""From a consortium's folder to its ledger."""

from __future__ import annotations

import socket
import time

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

# How long a command waits for another one's end, and between two looks.
LONGEST_WAIT_S = 10
PAUSE_S = 0.2


def connect(topology: Topology, member: MemberEntry) -> LedgerTransport:
    """The member's peer; on the embedded ledger that itself, or the process that has it open and serves it.

    A process that does not serve it is a command: its end is waited for, a while. Raises FolderInUse.
    """
    if member.peer:
        return GrpcTransport(str(member.peer.listening.from_here), TlsFiles(topology.keys(member).tls_root_pem()))
    # It runs the contract, which takes its time to load; on Fabric nobody has to wait for that.
    from ledger.embedded.consortium import open_embedded

    until_s = time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            return open_embedded(topology)
        except FolderInUse:
            if is_served(topology):
                return connect_remote(topology)
            if time.monotonic() > until_s:
                raise
        time.sleep(PAUSE_S)


def is_served(topology: Topology) -> bool:
    """Whether a process listens at the consortium's address."""
    try:
        with socket.create_connection((topology.gateway.host, topology.gateway.port), timeout=PAUSE_S):
            return True
    except OSError:
        return False


def connect_remote(topology: Topology) -> GrpcTransport:
    """The Gateway service at the consortium's address; connects with the first call."""
    roots = b"".join(topology.keys(member).tls_root_pem() for member in topology.members)
    return GrpcTransport(str(topology.gateway), TlsFiles(roots))
