"""The ledgers that the same tests run on. Another kind is one more entry in `LEDGER_KINDS`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from fabric_protos.common import common_pb2

from chaincode.shim import ServerTls
from consortium.folder.topology import (
    FabricSettings,
    OrderingKind,
    RuntimeKind,
    Topology,
)
from consortium.keys.certificates import Clock as UtcClock
from ledger.embedded.ledger import EmbeddedLedger
from ledger.embedded.service import (
    LedgerServer,
)
from ledger.gateway import SigningIdentity
from ledger.transport import LedgerTransport
from tests.harness.fabric import (
    forgetful,
    impatient,
    settings,
    start_fabric,
    why_no_docker,
    why_no_fabric,
)
from tests.harness.odd_peers import (
    Contract,
    OddPeers,
    contract_of,
)


class Ledger(Protocol):
    """A running ledger."""

    @property
    def contracts(self) -> dict[str, Contract]:
        """The contracts of members whose peers run another one than the others', by MSP id."""

    def transport(self, msp_id: str) -> LedgerTransport:
        """The services of that member's peer."""

    def served(self, msp_id: str) -> AbstractAsyncContextManager[str]:
        """The address at which other programs reach that member's peer while the context lasts."""

    def files_beyond(self, msp_ids: tuple[str, ...]) -> list[Path]:
        """Every file of the ledger except those that only these members hold."""

    async def close(self) -> None: ...


class Embedded:
    """The ledger in this process: one transport is every member's peer."""

    def __init__(self, topology: Topology, ledger: EmbeddedLedger, contracts: dict[str, Contract]) -> None:
        self._topology = topology
        self._ledger = ledger
        self._contracts = contracts
        self._peers: Any = OddPeers(ledger, [member.msp_id for member in topology.members], contracts)

    @property
    def contracts(self) -> dict[str, Contract]:
        return self._contracts

    def transport(self, msp_id: str) -> LedgerTransport:  # noqa: ARG002
        peers: LedgerTransport = self._peers
        return peers

    @asynccontextmanager
    async def served(self, msp_id: str) -> AsyncIterator[str]:
        files = self._topology.keys(self._topology.member(msp_id)).node_tls()
        tls = ServerTls(files.key_pem(), files.certificate_pem())
        server = await LedgerServer.start(self._ledger, "localhost", 0, tls)
        try:
            yield f"localhost:{server.port}"
        finally:
            await server.stop()

    def files_beyond(self, msp_ids: tuple[str, ...]) -> list[Path]:
        private = {f"{msp_id}.db" for msp_id in msp_ids}
        files = [path for path in self._topology.ledger_folder.rglob("*") if path.is_file()]
        return [path for path in files if path.parent.name != "private" or path.name.split("-")[0] not in private]

    async def close(self) -> None:
        await self._ledger.close()


async def start_embedded(topology: Topology, clock: UtcClock) -> Embedded:
    genesis_block = common_pb2.Block.FromString(topology.genesis_path.read_bytes())
    EmbeddedLedger.create(topology.ledger_folder, genesis_block)
    contracts: dict[str, Contract] = {}
    ledger = EmbeddedLedger.open(
        topology.ledger_folder, contract_of(contracts), lambda: peer_identities(topology), clock=clock
    )
    return Embedded(topology, ledger, contracts)


def peer_identities(topology: Topology) -> Mapping[str, SigningIdentity]:
    nodes = {member.msp_id: topology.keys(member).node() for member in topology.members}
    return {
        msp_id: SigningIdentity.load(msp_id, files.certificate_path, files.key_path) for msp_id, files in nodes.items()
    }


def lacks_nothing() -> str:
    return ""


@dataclass(frozen=True)
class LedgerKind:
    """A kind of ledger: its start, and the settings of a consortium that is founded for it."""

    start: Callable[[Topology, UtcClock], Coroutine[Any, Any, Ledger]]
    fabric: FabricSettings | None = None
    # A sentence with the things that this machine lacks to run it; empty if it has them.
    missing: Callable[[], str] = lacks_nothing


RAFT, BFT = OrderingKind.RAFT, OrderingKind.BFT
LEDGER_KINDS = {
    "embedded": LedgerKind(start_embedded),
    "fabric": LedgerKind(start_fabric, settings(RAFT), why_no_fabric),
    "fabric-bft": LedgerKind(start_fabric, settings(BFT), why_no_fabric),
    "fabric-forgetful": LedgerKind(start_fabric, forgetful(), why_no_fabric),
    "fabric-impatient": LedgerKind(start_fabric, impatient(), why_no_fabric),
    "fabric-docker": LedgerKind(start_fabric, settings(RAFT, RuntimeKind.DOCKER), why_no_docker),
}


def only_on(kind: str, fixture: str = "scene") -> pytest.MarkDecorator:
    """Marks a test that makes sense on one kind of ledger alone, although its fixture runs on several."""
    return pytest.mark.parametrize(fixture, on_ledgers(kind), indirect=True)


def on_ledgers(*kinds: str) -> list[Any]:
    """Parameters for a fixture or a test that runs on each of these kinds."""
    lacks = {kind: LEDGER_KINDS[kind].missing() for kind in kinds}
    return [pytest.param(kind, marks=pytest.mark.skipif(bool(lack), reason=lack)) for kind, lack in lacks.items()]
