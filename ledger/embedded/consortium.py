"""A consortium's embedded ledger: created, opened with the keys that are here, and served to other processes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fabric_protos.common import common_pb2

from chaincode.contract import invoke
from consortium.errors import (
    ConsortiumError,
    MemberNotFound,
)
from consortium.folder.topology import Topology
from ledger.embedded.ledger import EmbeddedLedger
from ledger.embedded.service import (
    LedgerServer,
    ServerTls,
)
from ledger.gateway.identity import SigningIdentity

log = logging.getLogger(__name__)


def create_embedded(topology: Topology) -> None:
    """The ledger's files, with the genesis block as their only block. Raises LedgerExists, DiskFull."""
    block = common_pb2.Block.FromString(topology.genesis_path.read_bytes())
    EmbeddedLedger.create(topology.ledger_folder, block)


def open_embedded(topology: Topology) -> EmbeddedLedger:
    """The peers of all members whose keys are here, in this process; of a new member, too, once it is admitted.

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
    """Of each member whose node's keys are in the consortium's folder. Raises ConsortiumError."""
    found = {}
    for member in topology.members:
        with suppress(MemberNotFound):
            files = topology.keys(member).node()
            found[member.msp_id] = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
    return found


@asynccontextmanager
async def serving(topology: Topology, ledger: EmbeddedLedger) -> AsyncIterator[LedgerServer]:
    """The ledger's Gateway service at the consortium's address, for other processes. Raises PortUnavailable."""
    tls_files = topology.keys(topology.member(topology.issuer)).node_tls()
    tls = ServerTls(tls_files.key_pem(), tls_files.certificate_pem())
    server = await LedgerServer.start(ledger, topology.gateway.host, topology.gateway.port, tls)
    try:
        yield server
    finally:
        await server.stop()
