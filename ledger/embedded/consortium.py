"""Creates a consortium's embedded ledger, opens it with the keys in the folder, and serves it to other processes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fabric_protos.common import common_pb2

from chaincode.contract import invoke
from chaincode.shim import ServerTls
from consortium.errors import (
    ConsortiumError,
    MemberNotFound,
)
from consortium.folder.topology import Topology
from ledger.embedded.ledger import EmbeddedLedger
from ledger.embedded.service import (
    LedgerServer,
)
from ledger.gateway import SigningIdentity

log = logging.getLogger(__name__)


def create_embedded(topology: Topology) -> None:
    """Creates the ledger's files, with the genesis block as the only block. Raises LedgerExists, DiskFull."""
    block = common_pb2.Block.FromString(topology.genesis_path.read_bytes())
    EmbeddedLedger.create(topology.ledger_folder, block)


def open_embedded(topology: Topology) -> EmbeddedLedger:
    """The ledger, with the peers of all members whose keys are in the folder; a new member's peer joins once admitted.

    Raises NoLedger, FolderInUse, DatabaseDamaged, UnknownPeer.
    """
    known = peers(topology)

    def newest() -> dict[str, SigningIdentity]:
        try:
            known.update(peers(Topology.load(topology.home)))
        except ConsortiumError as error:
            log.warning("the members' node keys are not read again: %s", error)
        return known

    return EmbeddedLedger.open(topology.ledger_folder, invoke, newest)


def peers(topology: Topology) -> dict[str, SigningIdentity]:
    """The node's identity of each member whose node's keys are in the folder, by MSP id. Raises ConsortiumError."""
    found = {}
    for member in topology.members:
        with suppress(MemberNotFound):
            files = topology.keys(member).node()
            found[member.msp_id] = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
    return found


@asynccontextmanager
async def serving(topology: Topology, ledger: EmbeddedLedger) -> AsyncIterator[LedgerServer]:
    """Serves the ledger to other processes at the consortium's address. Raises PortUnavailable."""
    tls_files = topology.keys(topology.member(topology.issuer)).node_tls()
    tls = ServerTls(tls_files.key_pem(), tls_files.certificate_pem())
    server = await LedgerServer.start(ledger, topology.gateway.host, topology.gateway.port, tls)
    try:
        yield server
    finally:
        await server.stop()
