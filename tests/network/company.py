"""A company that applies as its people would: with commands, in a folder of its own that no member can read."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from consortium.exit_codes import ExitCode
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
from tests.network.level import until_level


@dataclass(frozen=True)
class Company:
    """A company by its name. `folder` has the file that describes it, and its home."""

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
        """The bundle for the sponsor."""
        return self.home / f"{self.name}.bundle"

    @property
    def invitation(self) -> Path:
        """The invitation with which the company has applied."""
        return self.folder / f"{self.name}.invitation"

    def core_yaml(self) -> str:
        """The core.yaml with which the company's peer was started."""
        return (self.home / "members" / self.name / "fabric" / "peer" / "core.yaml").read_text()

    @property
    def network(self) -> FabricNetwork:
        """The network of the company's own processes."""
        return network_of(Topology.load(self.home), None)

    async def types(self, words: str) -> Outcome:
        return await typed(self.home, words)

    async def must(self, words: str) -> Outcome:
        return await must(self.home, words)

    # --- the acts of its people ---------------------------------------------------------------------------------------

    async def apply(self, members: Path, sponsor: str) -> None:
        """Applies with an invitation from the sponsor, which acts in the home `members`, and checks the fingerprint."""
        await must(members, f"join invite {self.invitation} --as {sponsor}")
        done = await self.must(f"join request {self.file} --invitation {self.invitation} --sponsor {sponsor} --yes")
        assert open_bundle_file(self.bundle).fingerprint in " ".join(done.stdout.split())

    async def must_be_refused_as_too_early(self) -> None:
        """Checks that completing too early is refused with a sentence that names the sponsor, and starts nothing."""
        outcome = await self.types("join complete")
        assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.REFUSED, 1), outcome
        assert "ask your sponsor" in outcome.stderr
        assert f"zunft join status {self.msp_id}" in outcome.stderr
        assert not running(self.network)

    async def trade(self, members: Path, customer: str) -> None:
        """Supplies the customer on credit, imports usage, and checks that the customer sees the charge."""
        csv = steel_csv(self.folder / "plant.csv", rows=8)
        await self.must(f"agreement propose {self._agreement(customer)}")
        await until_level(self.home, members)
        await must(members, f"agreement accept supply --yes --as {customer}")
        await until_level(self.home, members)
        await self.must("account open supply")
        await self.must("meter register main-supply --agreement supply")
        await self.must(f"usage import main-supply {csv} --mapping {EXAMPLES}/mappings/steel-plant.yaml")
        await until_level(self.home, members)
        charged = (await must(members, f"node balance supply --as {customer} --json")).json
        assert charged["accrued_micro"] > 0, charged

    def _agreement(self, customer: str) -> Path:
        file, example = self.folder / "supply.yaml", EXAMPLES / "agreements" / "steel-plant.yaml"
        parties = {"agreement": "supply", "provider": self.name, "customer": customer}
        tariff = {"tariff": str(EXAMPLES / "tariffs" / "steel-plant.yaml")}
        file.write_text(yaml.safe_dump({**yaml.safe_load(example.read_text()), **parties, **tariff}))
        return file

    async def down(self) -> None:
        """Stops the company's processes, unless it has none yet or has left."""
        if (self.home / "consortium.yaml").exists() and Topology.load(self.home).members:
            await self.network.down(lambda _step: None)

    async def complete_with_a_kill(self, kind: ProcessKind, step: str) -> Outcome:
        """Runs `join complete`, and kills (-9) the company's process of this kind once the command names `step`."""
        return await asyncio.to_thread(self._complete_and_kill, kind, step)

    def _complete_and_kill(self, kind: ProcessKind, step: str) -> Outcome:
        network = self.network
        [process] = network.processes(kind)
        command = Zunft(self.home).start("join complete")
        assert command.stdout
        while step not in (line := command.stdout.readline()):
            assert line, finish(command)
        kill(network, process)
        return finish(command)

    def kill(self, kind: ProcessKind) -> None:
        network = self.network
        [process] = network.processes(kind)
        kill(network, process)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Gateway]:
        """A gateway of the company's admin to its own peer."""
        network = self.network
        async with network.site(network.topology.members[0]).gateway(CHAINCODE) as gateway:
            yield gateway

    def admin(self) -> SigningIdentity:
        topology = Topology.load(self.home)
        files = admin_of(topology.keys(topology.members[0]))
        return SigningIdentity.load(self.msp_id, files.certificate_path, files.key_path)


def running(network: FabricNetwork) -> list[str]:
    """The names of the network's processes that run."""
    return [process.name for process in network.processes() if network.runtime_of(process).running(process)]


async def typed(home: Path, words: str) -> Outcome:
    """Runs the command as a process of its own, while everything else goes on."""
    await until_level(home)
    return await asyncio.to_thread(Zunft(home).fork, words)


async def must(home: Path, words: str) -> Outcome:
    """Runs the command, which has to succeed."""
    outcome = await typed(home, words)
    assert outcome.exit_code == 0, f"zunft {words}: {outcome}"
    return outcome


def kill(network: FabricNetwork, process: FabricProcess) -> None:
    """Kills the process (-9)."""
    running = network.runtime_of(process).running(process)
    assert running
    os.kill(running.pid, signal.SIGKILL)
