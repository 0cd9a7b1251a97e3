"""A consortium as in production, on one machine: Fabric's processes, chaincode, the maker's node and a machine.

Each is a process of its own that a test can kill, except the machine.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import (
    Status,
    audit,
)
from consortium.folder.topology import (
    FabricSettings,
    MemberEntry,
    OrderingKind,
    PeerEndpoints,
)
from network.administration.participation import OrdererAdmin
from network.administration.peer_admin import PeerAdmin
from network.errors import NetworkError
from network.network import FabricNetwork
from network.runtimes import network_of
from network.status import network_status
from node.errors import NodeError
from node.local import client_of
from tests.audit.run import delivered, genesis
from tests.faults.machine import InstalledMeter, Machine
from tests.harness import (
    TOKEN,
    UNIT,
    Clock,
    Consortium,
    Deal,
    per_unit,
)
from tests.harness.consortium import (
    followed,
    make_topology,
)
from tests.harness.fabric import (
    ChaincodeHere,
    FabricLedger,
)
from zunft.client import NodeClient
from zunft.v1.node_pb2 import AccountBalance

ROOT = Path(__file__).parents[2]
PRICE_MICRO = 2 * TOKEN
# Long enough for a loaded computer: none of the tests is about speed.
PATIENCE_S = 60.0
# A BFT orderer that is behind its leader for ten heartbeats of a second each fetches the blocks that it lacks.
CATCH_UP_S = 15.0
SOME_BLOCKS_S = 3.0


@dataclass
class Scene:
    """The network with `machine`, whose usage under `deal` is charged through `node`, the provider's node."""

    network: FabricNetwork
    consortium: Consortium
    deal: Deal
    machine: Machine
    node: subprocess.Popen[bytes] | None = None

    def run(self, scenario: Coroutine[Any, Any, None]) -> None:
        """Runs the scenario. A failure carries the lines that the node has logged meanwhile."""
        begin = len(self.node_log)
        try:
            self.consortium.run(scenario)
        except BaseException as error:
            error.add_note(f"the node's log:\n{self.node_log[begin:]}")
            raise

    # --- the maker's node ---------------------------------------------------------------------------------------------

    @property
    def node_log(self) -> str:
        return self._log_path.read_text()

    def start_node(self, *program: str) -> None:
        """Starts `zunft node run`, or another program that runs the node."""
        home = self.consortium.topology.home
        zunft = (str(Path(sys.executable).with_name("zunft")), "node", "run", "--as", "maker", "--home", str(home))
        with self._log_path.open("ab") as log:
            environment = {**os.environ, "ZUNFT_LOG": "info", "ZUNFT_AS": "", "NO_COLOR": "1"}
            self.node = subprocess.Popen(program or zunft, cwd=ROOT, stdout=log, stderr=log, env=environment)

    def kill_node(self) -> None:
        assert self.node is not None
        self.node.kill()
        self.node.wait(PATIENCE_S)

    def client(self) -> NodeClient:
        topology = self.consortium.topology
        return client_of(topology, topology.member("maker"), "erp")

    @property
    def _log_path(self) -> Path:
        return self.consortium.topology.home / "node.log"

    async def until_node_logs(self, words: str, since: int) -> None:
        """Waits until the node's log has `words` behind its first `since` characters."""

        async def has_logged() -> bool:
            return words in self.node_log[since:]

        await until(has_logged, f"{words!r} in the node's log")

    # --- Fabric's processes -------------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """Kills the process (-9), as in `scene.kill("maker.peer")`, and waits until it is gone."""
        pid = self.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while self.pid(name):
            time.sleep(0.01)

    def pid(self, name: str) -> int | None:
        """The process's id, or None if it does not run."""
        process = self.network.find(name)
        running = self.network.runtime_of(process).running(process)
        return running.pid if running else None

    async def up(self) -> None:
        """Starts all processes that do not run, as an operator does."""
        await self.network.up(lambda _step: None)

    async def leader(self) -> str:
        """The leading orderer's process."""
        rows = await network_status(self.network, datetime.now(UTC))
        return next(row.process for row in rows if row.is_leader)

    # --- the stream ---------------------------------------------------------------------------------------------------

    async def until_charged(self) -> None:
        """Waits until all that the machine has signed up to now is charged."""
        signed_micro = self.machine.used_micro * PRICE_MICRO // UNIT

        async def is_charged() -> bool:
            return (await self._balance()).accrued_micro >= signed_micro

        await until(is_charged, "charge of what was signed")

    async def come_to_rest(self) -> None:
        """Waits until all that was signed is charged, and all peers and orderers have the last block.

        A BFT orderer that has just fetched blocks may miss one that was made meanwhile: the leader's heartbeat names
        the last block, and the orderer's own count begins with the next. Two more blocks make it fetch again.
        """
        await self._until_all_is_charged()
        if self.network.settings.ordering is OrderingKind.BFT and not await self._is_level():
            async with self.machine.running():
                await asyncio.sleep(SOME_BLOCKS_S)
            await self._until_all_is_charged()

    async def check(self) -> None:
        """Checks, once nothing more is recorded, that every reading is charged once and all have the same blocks."""
        await self.come_to_rest()
        height = await self._common_height()
        for follower in self.consortium.followers.values():
            async with asyncio.timeout(PATIENCE_S):
                await follower.catch_up(height - 1)
        await self._check_node(height)
        self._check_ledger()
        self._check_audit()

    async def _until_all_is_charged(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.machine.send_the_rest()
        await self.until_charged()

    async def _check_node(self, height: int) -> None:
        async with self.client() as client, asyncio.timeout(PATIENCE_S):
            status = await client.status(reached_height=height)
            assert (status.journalled, status.submitted, status.waiting_for_funds, status.refused) == (0, 0, 0, 0)
            assert status.ledger_reachable

    def _check_ledger(self) -> None:
        stream = self.deal.stream(self.deal.meter)
        assert stream.next_sequence == self.machine.readings + 1
        assert self.deal.accrued == self.machine.used_micro * PRICE_MICRO // UNIT
        assert self.consortium.violations() == []

    def _check_audit(self) -> None:
        """Checks that the customer's own audit finds no violation."""
        report = audit(delivered(self.consortium, "factory"), genesis(self.consortium), self.deal.customer.msp_id)
        assert {verdict.name: verdict.violations for verdict in report.failed} == {}
        assert report.verdict("rating").status is Status.HOLDS
        assert report.reading_count == self.machine.readings

    async def _balance(self) -> AccountBalance:
        async with self.client() as client:
            return await client.balance(self.deal.agreement_id)

    async def _is_level(self) -> bool:
        try:
            await self._common_height(CATCH_UP_S)
        except AssertionError:
            return False
        return True

    async def _common_height(self, patience_s: float = PATIENCE_S) -> int:
        """The height of all peers and orderers, once they agree."""
        heights: dict[str, int] = {}

        async def is_common() -> bool:
            heights.update(await self.heights())
            return len(set(heights.values())) == 1

        try:
            await until(is_common, "common height", patience_s)
        except AssertionError as error:
            error.add_note(str(heights))
            raise
        return next(iter(heights.values()))

    async def heights(self) -> dict[str, int]:
        """The heights of all peers and orderers, by process."""
        requests = self._height_requests()
        return dict(zip(requests, await asyncio.gather(*requests.values()), strict=True))

    def _height_requests(self) -> dict[str, Awaitable[int]]:
        topology = self.consortium.topology
        requests: dict[str, Awaitable[int]] = {}
        for member in topology.members:
            if member.peer:
                requests[f"{member.name}.peer"] = self._peer_height(member, member.peer)
            if member.orderer:
                admin = OrdererAdmin(member.orderer.admin, topology.keys(member))
                requests[f"{member.name}.orderer"] = asyncio.to_thread(_orderer_height, admin, topology.channel)
        return requests

    async def _peer_height(self, member: MemberEntry, peer: PeerEndpoints) -> int:
        async with PeerAdmin(peer.peer, self.consortium.topology.keys(member)) as admin:
            return await admin.height(self.consortium.topology.channel)


def _orderer_height(admin: OrdererAdmin, channel: str) -> int:
    return admin.channel(channel).height


async def until(is_so: Callable[[], Awaitable[bool]], what: str, patience_s: float = PATIENCE_S) -> None:
    """Waits until `is_so` answers True. Raises AssertionError with its last error when the patience is over."""
    end_s = time.monotonic() + patience_s
    while True:
        try:
            if await is_so():
                return
        except (NodeError, NetworkError) as error:
            if time.monotonic() > end_s:
                raise AssertionError(f"no {what} within {patience_s:.0f} s") from error
        assert time.monotonic() < end_s, f"no {what} within {patience_s:.0f} s"
        await asyncio.sleep(0.1)


@contextmanager
def start_scene(
    folder: Path, names: Sequence[str], ordering: OrderingKind, seed: int, *, orderers: Sequence[str] = (), **rules: Any
) -> Iterator[Scene]:
    """Starts everything. The members `orderers` run an orderer, or all if it is empty. `rules` are charter fields."""
    topology = make_topology(folder / "consortium", names, FabricSettings(ordering=ordering), orderers)
    network = network_of(topology, None)
    with asyncio.Runner() as runner:
        try:
            runner.run(network.up(lambda _step: None))
            with _consortium(network, runner) as consortium:
                meter = InstalledMeter(folder / "meter", "drill-7", "A1")
                consortium.found(**rules)
                deal = _agree(consortium, meter)
                scene = Scene(network, consortium, deal, Machine(meter.folder, lambda: scene.client(), seed))
                scene.start_node()
                try:
                    yield scene
                finally:
                    scene.kill_node()
        finally:
            runner.run(network.down(lambda _step: None))


@contextmanager
def _consortium(network: FabricNetwork, runner: asyncio.Runner) -> Iterator[Consortium]:
    # The chaincode is a process of its own, and goes by the computer's clock.
    clock = Clock(time.time_ns() // 1000)
    ledger = FabricLedger(network.topology, network, ChaincodeHere(clock.utc))
    with followed(Consortium(network.topology, ledger, clock, runner)) as consortium:
        yield consortium


def _agree(consortium: Consortium, meter: InstalledMeter) -> Deal:
    maker, factory = consortium.member("maker"), consortium.member("factory")
    consortium.member("bank").mint(factory, 10**6 * TOKEN)
    hours = per_unit("hours", PRICE_MICRO)
    return consortium.agree(maker, factory, hours, funds=10**6 * TOKEN, meters=[meter])
