"""Connects to the ledger that a consortium's folder describes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from consortium.folder.topology import (
    MemberEntry,
    Topology,
)
from ledger.embedded.errors import FolderInUse
from ledger.grpc_transport import GrpcTransport
from ledger.transport import LedgerTransport
from zunft.connection import TlsMaterial

# How long a command waits until another command has ended, and how long it pauses between two tries.
LONGEST_WAIT_S = 10
PAUSE_S = 0.2


def connect(
    topology: Topology, member: MemberEntry, note_waiting: Callable[[], None] = lambda: None
) -> LedgerTransport:
    """A transport to the member's peer, or to the embedded ledger: in this process, or in the process that serves it.

    A process that has the ledger open and does not serve it is another command; waits until it has ended, for
    LONGEST_WAIT_S at most, and calls `note_waiting` when it begins to. Raises FolderInUse.
    """
    if member.peer:
        return GrpcTransport(str(member.peer.listening.from_here), TlsMaterial(topology.keys(member).tls_root_pem()))
    # The embedded ledger runs the contract, which takes long to import; on Fabric nobody shall wait for that.
    from ledger.embedded.consortium import open_embedded

    until_s, has_noted = time.monotonic() + LONGEST_WAIT_S, False
    while True:
        try:
            return open_embedded(topology)
        except FolderInUse:
            if is_served(topology):
                return connect_remote(topology)
            if time.monotonic() > until_s:
                raise
        if not has_noted:
            note_waiting()
            has_noted = True
        time.sleep(PAUSE_S)


def is_served(topology: Topology) -> bool:
    """Whether a process listens at the consortium's address."""
    try:
        with socket.create_connection((topology.gateway.host, topology.gateway.port), timeout=PAUSE_S):
            return True
    except OSError:
        return False


def connect_remote(topology: Topology) -> GrpcTransport:
    """A transport to the Gateway service at the consortium's address. Connects with the first call."""
    roots = b"".join(topology.keys(member).tls_root_pem() for member in topology.members)
    return GrpcTransport(str(topology.gateway), TlsMaterial(roots))
