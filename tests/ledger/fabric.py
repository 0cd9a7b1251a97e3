"""A Fabric network of the four members, with a test's own chaincode. Peers, orderers and chaincodes are processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consortium.folder.founding import (
    FoundingPlan,
    make_members,
)
from consortium.folder.topology import (
    FabricSettings,
    OrderingKind,
    Topology,
)
from ledger.connect import connect
from ledger.gateway import SigningIdentity
from ledger.grpc_transport import GrpcTransport
from ledger.transport import LedgerTransport
from network.finding.binaries import find_binaries
from network.finding.release import default_cache
from network.network import FabricNetwork
from network.running.native import NativeRuntime
from network.running.process import (
    FabricProcess,
    Running,
    Runtime,
)
from tests.harness.ports import free_first_port
from tests.ledger.consortium import CHANNEL, MSP_IDS
from zunft.connection import TlsMaterial


@dataclass(frozen=True)
class RunningNetwork:
    """A network that runs. Its members are named by their MSP ids."""

    network: FabricNetwork

    def transport(self, msp_id: str) -> LedgerTransport:
        """A connection to the member's peer."""
        return connect(self.topology, self.topology.member(msp_id))

    def mutual_transport(self, msp_id: str, tls: TlsMaterial) -> GrpcTransport:
        """A connection to the member's peer on which the client presents a certificate, too."""
        endpoints = self.topology.member(msp_id).peer
        assert endpoints
        return GrpcTransport(str(endpoints.peer), tls)

    def user(self, msp_id: str) -> SigningIdentity:
        files = self.topology.keys(self.topology.member(msp_id)).user("admin")
        return SigningIdentity.load(msp_id, files.certificate_path, files.key_path)

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """Stops the process of this name while the block runs. Afterwards the peers know each other again."""
        process = self.network.find(name)
        await asyncio.to_thread(self.network.runtime_of(process).stop, process)
        try:
            yield
        finally:
            await self.network.start([process])
            await self.until_known()

    async def restart(self, name: str, core: Mapping[str, Any]) -> None:
        """Restarts a peer with these settings in its core.yaml."""
        settings = replace(self.network.settings, core=core)
        await replace(self.network, topology=replace(self.topology, fabric=settings)).restart(name)

    async def until_known(self) -> None:
        """Waits until every peer knows a peer of each member."""
        await asyncio.gather(*(site.until_known(set(MSP_IDS)) for site in self.network.sites))

    @property
    def topology(self) -> Topology:
        return self.network.topology


class TestChaincode:
    """A runtime that starts `module` in place of the contract, with the contract's own options."""

    __test__ = False

    def __init__(self, module: str, runtime: Runtime) -> None:
        self._module = module
        self._runtime = runtime

    def start(self, process: FabricProcess) -> None:
        self._runtime.start(self._with_module(process))

    def stop(self, process: FabricProcess) -> None:
        self._runtime.stop(self._with_module(process))

    def running(self, process: FabricProcess) -> Running | None:
        return self._runtime.running(self._with_module(process))

    def _with_module(self, process: FabricProcess) -> FabricProcess:
        modules = os.pathsep.join(path for path in sys.path if path)
        return replace(
            process,
            arguments=("-m", self._module, *process.arguments[2:]),
            environment={**process.environment, "PYTHONPATH": modules},
        )


@contextmanager
def running_network(
    folder: Path, module: str, core: Mapping[str, Any], *, ordering: OrderingKind = OrderingKind.RAFT, orderers: int = 1
) -> Iterator[RunningNetwork]:
    """A network with all members' peers and the first members' orderers. All its processes end with the block."""
    binaries = find_binaries(None, default_cache())
    runtime = NativeRuntime({"peer": binaries.peer, "orderer": binaries.orderer})
    names = [msp_id.removesuffix("MSP").lower() for msp_id in MSP_IDS]
    members = tuple(zip(names, MSP_IDS, names, strict=True))
    first_port = free_first_port(len(members))
    settings = FabricSettings(ordering=ordering, core=core)
    plan = FoundingPlan("Test", CHANNEL, "EUR", names[0], "", members, first_port, settings, tuple(names[:orderers]))
    network = FabricNetwork(make_members(folder, plan), runtime, TestChaincode(module, runtime))
    try:
        asyncio.run(network.up(_no_progress))
        yield RunningNetwork(network)
    finally:
        asyncio.run(network.down(_no_progress))


def _no_progress(_step: str) -> None:
    """Reports nothing."""
