"""A real Fabric network to test with: peers and orderers are processes; every member's chaincode runs in this one.

The chaincode is in this process so that it has the test's clock. Its code, its shim and its connections are real.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaincode.clock_guard import guarded
from chaincode.contract import invoke
from chaincode.service.options import read_options
from chaincode.shim import ChaincodeServer
from consortium.folder.topology import (
    FabricSettings,
    OrderingKind,
    RuntimeKind,
    Topology,
)
from consortium.keys.certificates import Clock as UtcClock
from ledger.connect import connect
from ledger.transport import LedgerTransport
from network.errors import (
    EnginePermissionDenied,
    NoEngine,
)
from network.finding.docker_images import (
    IMAGES,
    find_engine,
)
from network.network import FabricNetwork
from network.running.process import (
    FabricProcess,
    ProcessKind,
    Running,
)
from network.runtimes import network_of
from tests.harness.odd_peers import (
    Contract,
    contract_of,
)

FOR_TESTS = {
    "peer": {
        # The test's clock is not the machine's.
        "authentication": {"timewindow": "876000h"},
        # How long a peer waits for private data, which a transaction that somebody tries alone never brings.
        "gossip": {"pvtData": {"pullRetryThreshold": "200ms"}},
    }
}


def why_no_fabric() -> str:
    """A sentence with the programs that this machine lacks for real Fabric; empty if it has them."""
    return "" if shutil.which("peer") and shutil.which("orderer") else "needs Fabric's peer and orderer on the PATH"


def why_no_docker() -> str:
    """A sentence with the engine and images that this machine lacks for Fabric in containers; empty if it has them."""
    missing = "needs a Docker engine with Fabric's images"
    try:
        engine = find_engine()
    except (NoEngine, EnginePermissionDenied):
        return missing
    with closing(engine):
        tags = {tag for image in engine.images.list() for tag in image.tags}
    return "" if tags.issuperset(IMAGES) else missing


def settings(ordering: OrderingKind, runtime: RuntimeKind = RuntimeKind.NATIVE) -> FabricSettings:
    return FabricSettings(runtime=runtime, ordering=ordering, core=FOR_TESTS)


def forgetful() -> FabricSettings:
    """Settings of peers that keep private data of endorsed transactions for four blocks only."""
    peer = FOR_TESTS["peer"]
    pvt_data = {**peer["gossip"]["pvtData"], "transientstoreMaxBlockRetention": 4}
    core = {"peer": {**peer, "gossip": {**peer["gossip"], "pvtData": pvt_data}}}
    return FabricSettings(ordering=OrderingKind.RAFT, core=core)


def impatient() -> FabricSettings:
    """Settings of peers whose gateway waits 3 s at most for another member's peer."""
    core = {"peer": {**FOR_TESTS["peer"], "gateway": {"endorsementTimeout": "3s"}}}
    return FabricSettings(ordering=OrderingKind.RAFT, core=core)


class ChaincodeHere:
    """A runtime in which each chaincode is a task of this process, which starts with the loop's next turn."""

    def __init__(self, clock: UtcClock) -> None:
        self._clock_us = lambda: int(clock().timestamp() * 1_000_000)
        # The contracts of members that run another one than the others, by MSP id.
        self.contracts: dict[str, Contract] = {}
        self._servers: dict[str, ChaincodeServer] = {}
        self._starting: set[asyncio.Task[None]] = set()

    def start(self, process: FabricProcess) -> None:
        if process.name not in self._servers:
            self._servers[process.name] = server = self._server(process)
            self._start_task(server.start())

    def stop(self, process: FabricProcess) -> None:
        self._start_task(self._servers.pop(process.name).stop())

    def running(self, process: FabricProcess) -> Running | None:
        return Running(os.getpid(), 0, 0) if process.name in self._servers else None

    async def close(self) -> None:
        for server in self._servers.values():
            await server.stop()

    def _server(self, process: FabricProcess) -> ChaincodeServer:
        options = read_options(process.arguments[2:])
        handler = contract_of(self.contracts, guarded(invoke, self._clock_us))
        return ChaincodeServer(options.listen, options.chaincode_id, handler, msp_id=options.msp_id, tls=options.tls)

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)


@dataclass
class FabricLedger:
    """Implements `ledgers.Ledger`."""

    topology: Topology
    network: FabricNetwork
    chaincode: ChaincodeHere
    _transports: dict[str, LedgerTransport] = field(default_factory=dict)

    @property
    def contracts(self) -> dict[str, Contract]:
        return self.chaincode.contracts

    def transport(self, msp_id: str) -> LedgerTransport:
        if msp_id not in self._transports:
            self._transports[msp_id] = connect(self.topology, self.topology.member(msp_id))
        return self._transports[msp_id]

    @asynccontextmanager
    async def served(self, msp_id: str) -> AsyncIterator[str]:
        """The address of the member's peer."""
        peer = self.topology.member(msp_id).peer
        assert peer
        yield str(peer.peer)

    def files_beyond(self, msp_ids: tuple[str, ...]) -> list[Path]:
        theirs = [self.topology.folder(self.topology.member(msp_id)) / "fabric" / "peer" for msp_id in msp_ids]
        files = [path for path in self.topology.home.glob("members/*/fabric/**/*") if path.is_file()]
        return [path for path in files if not any(path.is_relative_to(folder) for folder in theirs)]

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()
        for process in reversed(self.network.processes()):
            if process.kind != ProcessKind.CHAINCODE:
                await asyncio.to_thread(self.network.runtime.stop, process)
        await self.chaincode.close()


async def start_fabric(topology: Topology, clock: UtcClock) -> FabricLedger:
    chaincode = ChaincodeHere(clock)
    network = replace(network_of(topology, None), native=chaincode)
    ledger = FabricLedger(topology, network, chaincode)
    try:
        await ledger.network.up(_show_nothing)
    except BaseException:
        await ledger.close()
        raise
    return ledger


def _show_nothing(_step: str) -> None:
    """Tests show no progress."""
