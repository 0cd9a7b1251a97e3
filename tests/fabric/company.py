"""A company that applies as its people would: with commands, in a folder that nobody else sees."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import yaml

from fabric.errors import ProcessEnded
from fabric.joining import join
from fabric.network import FabricNetwork
from fabric.running.process import FabricProcess, ProcessKind
from fabric.runtimes import network_of
from network.founding import FABRIC_PORTS_FROM
from network.topology import RuntimeKind, Topology
from network.users import admin_of
from node.ledger.gateway import SigningIdentity
from tests.cli.program import Outcome, Zunft
from tests.consortium.consortium import msp_id_of
from tests.consortium.fabric import free_first_port


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
    def network(self) -> FabricNetwork:
        """Its own processes."""
        return network_of(Topology.load(self.home), None)

    async def types(self, words: str) -> Outcome:
        return await typed(self.home, words)

    async def must(self, words: str) -> Outcome:
        return await must(self.home, words)

    async def down(self) -> None:
        """Where it came so far as to have anything that runs."""
        if (self.home / "consortium.yaml").exists():
            await self.network.down(lambda _step: None)

    async def join_until_its_peer_is_killed(self) -> ProcessEnded:
        """kill -9 while it catches up; what the command says."""
        network = self.network

        def report(step: str) -> None:
            if step == "waiting until the peer has caught up":
                [peer] = network.processes(ProcessKind.PEER)
                kill(network, peer)

        try:
            await join(network, network.topology.members[0], report)
        except ProcessEnded as error:
            return error
        raise AssertionError("it has joined without its peer")

    def admin(self) -> SigningIdentity:
        topology = Topology.load(self.home)
        files = admin_of(topology.keys(topology.members[0]))
        return SigningIdentity.load(self.msp_id, files.certificate_path, files.key_path)


async def typed(home: Path, words: str) -> Outcome:
    """A command as a process of its own, while everything else goes on."""
    return await asyncio.to_thread(Zunft(home).run, words)


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
