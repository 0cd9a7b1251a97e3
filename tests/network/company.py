"""A company that applies as its people would: with commands, in a folder that nobody else sees."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from cli.shared.exit_codes import ExitCode
from consortium.folder.founding import FABRIC_PORTS_FROM
from consortium.folder.topology import (
    RuntimeKind,
    Topology,
)
from consortium.joining.bundle import open_bundle_file
from consortium.keys.users import admin_of
from ledger.gateway import (
    Gateway,
    SigningIdentity,
)
from network.administration.lifecycle import CHAINCODE
from network.network import FabricNetwork
from network.running.process import (
    FabricProcess,
    ProcessKind,
)
from network.runtimes import network_of
from tests.cli.program import EXAMPLES, Outcome, Zunft, finish
from tests.cli.readme import steel_csv
from tests.harness.consortium import msp_id_of
from tests.harness.ports import free_first_port
from tests.network.level import level


@dataclass(frozen=True)
class Company:
    """`folder` is its desk: the file that describes it, and below that its home."""

    folder: Path
    name: str

    @classmethod
    def make(cls, folder: Path, name: str, *, orders: bool, runtime: RuntimeKind = RuntimeKind.NATIVE) -> Company:
        company = cls(folder, name)
        fields = {
            "name": name,
            "msp_id": company.msp_id,
            "legal_name": f"{name.capitalize()} & Sons",
            "first_port": free_first_port(1) + FABRIC_PORTS_FROM,
            "orderer": orders,
            "runtime": str(runtime),
        }
        company.file.write_text(yaml.safe_dump(fields))
        return company

    @property
    def msp_id(self) -> str:
        return msp_id_of(self.name)

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    @property
    def home(self) -> Path:
        return self.folder / self.name

    @property
    def bundle(self) -> Path:
        """For the sponsor."""
        return self.home / f"{self.name}.bundle"

    @property
    def invitation(self) -> Path:
        """With which it has applied."""
        return self.folder / f"{self.name}.invitation"

    def core_yaml(self) -> str:
        """As its peer was started with it."""
        return (self.home / "members" / self.name / "fabric" / "peer" / "core.yaml").read_text()

    @property
    def network(self) -> FabricNetwork:
        """Its own processes."""
        return network_of(Topology.load(self.home), None)

    async def types(self, words: str) -> Outcome:
        return await typed(self.home, words)

    async def must(self, words: str) -> Outcome:
        return await must(self.home, words)

    # --- what its people do -------------------------------------------------------------------------------------------

    async def apply(self, members: Path, sponsor: str) -> None:
        """With an invitation of the sponsor, whose home is `members`; then its bundle is with the sponsor."""
        await must(members, f"join invite {self.invitation} --as {sponsor}")
        done = await self.must(f"join request {self.file} --invitation {self.invitation} --sponsor {sponsor} --yes")
        assert open_bundle_file(self.bundle).fingerprint in " ".join(done.stdout.split())

    async def must_be_refused_as_too_early(self) -> None:
        """In one sentence that says who must be asked; nothing is started."""
        outcome = await self.types("join complete")
        assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.REFUSED, 1), outcome
        assert "ask your sponsor" in outcome.stderr
        assert f"zunft join status {self.msp_id}" in outcome.stderr
        assert not running(self.network)

    async def trade(self, members: Path, customer: str) -> None:
        """It supplies one of them on credit, counts, and charges."""
        csv = steel_csv(self.folder / "plant.csv", rows=8)
        await self.must(f"agreement propose {self._agreement(customer)}")
        await level(self.home, members)
        await must(members, f"agreement accept supply --yes --as {customer}")
        await level(self.home, members)
        await self.must("account open supply")
        await self.must("meter register main-supply --agreement supply")
        await self.must(f"usage import main-supply {csv} --mapping {EXAMPLES}/mappings/steel-plant.yaml")
        await level(self.home, members)
        charged = (await must(members, f"node balance supply --as {customer} --json")).json
        assert charged["accrued_micro"] > 0, charged

    def _agreement(self, customer: str) -> Path:
        file, example = self.folder / "supply.yaml", EXAMPLES / "agreements" / "steel-plant.yaml"
        parties = {"agreement": "supply", "provider": self.name, "customer": customer}
        tariff = {"tariff": str(EXAMPLES / "tariffs" / "steel-plant.yaml")}
        file.write_text(yaml.safe_dump({**yaml.safe_load(example.read_text()), **parties, **tariff}))
        return file

    async def down(self) -> None:
        """Where it came so far as to have anything that runs, and has not left."""
        if (self.home / "consortium.yaml").exists() and Topology.load(self.home).members:
            await self.network.down(lambda _step: None)

    async def completes_until_killed(self, kind: ProcessKind, step: str) -> Outcome:
        """`join complete`, with kill -9 for one of its processes as soon as it says that it does this."""
        return await asyncio.to_thread(self._complete_and_kill, kind, step)

    def _complete_and_kill(self, kind: ProcessKind, step: str) -> Outcome:
        network = self.network
        [process] = network.processes(kind)
        command = Zunft(self.home).start("join complete")
        assert command.stdout
        while step not in (said := command.stdout.readline()):
            assert said, finish(command)
        kill(network, process)
        return finish(command)

    def kill(self, kind: ProcessKind) -> None:
        network = self.network
        [process] = network.processes(kind)
        kill(network, process)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Gateway]:
        """Its admin's, on its own peer."""
        network = self.network
        async with network.site(network.topology.members[0]).gateway(CHAINCODE) as gateway:
            yield gateway

    def admin(self) -> SigningIdentity:
        topology = Topology.load(self.home)
        files = admin_of(topology.keys(topology.members[0]))
        return SigningIdentity.load(self.msp_id, files.certificate_path, files.key_path)


def running(network: FabricNetwork) -> list[str]:
    """Those of its processes that do."""
    return [process.name for process in network.processes() if network.runtime_of(process).running(process)]


async def typed(home: Path, words: str) -> Outcome:
    """A command as a process of its own, while everything else goes on."""
    await level(home)
    return await asyncio.to_thread(Zunft(home).fork, words)


async def must(home: Path, words: str) -> Outcome:
    """A command that has to succeed."""
    outcome = await typed(home, words)
    assert outcome.exit_code == 0, f"zunft {words}: {outcome}"
    return outcome


def kill(network: FabricNetwork, process: FabricProcess) -> None:
    """kill -9"""
    running = network.runtime_of(process).running(process)
    assert running
    os.kill(running.pid, signal.SIGKILL)
