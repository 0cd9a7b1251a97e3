"""A Fabric network as a consortium runs it: each peer, orderer and chaincode is a process of its own."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaincode.rights.roles import Role
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
from ledger.gateway import (
    Gateway,
    Limits,
    SigningIdentity,
)
from ledger.transport import LedgerTransport
from network.network import FabricNetwork
from network.runtimes import network_of
from tests.bench.workload import found
from tests.harness import (
    Clock,
    Consortium,
    HandMeter,
)
from tests.harness.consortium import (
    ISSUER,
    followed,
    msp_id_of,
)
from tests.harness.ports import free_first_port

Report = Callable[[str], None]

NAMES = ("maker", "factory", "bank", "forge", "mill", "foundry", "press", "smith")
ORDERERS = 3
IN_FLIGHT = 32


@dataclass(frozen=True)
class Shape:
    """The size of a network. The first `orderers` of its members run an orderer."""

    members: int = 3
    orderers: int = ORDERERS
    ordering: OrderingKind = OrderingKind.RAFT

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES[: self.members]


@dataclass
class RunningNetwork:
    """A founded consortium on a network that is up."""

    consortium: Consortium
    fabric: FabricNetwork

    def register(self, name: str, meters: Sequence[HandMeter]) -> None:
        """Registers all meters at once, since one after the other would take minutes."""
        self.consortium.run(self._register(self.gateway(name, Role.OPERATOR), meters))
        self.catch_up()

    def catch_up(self) -> None:
        """Waits until the consortium knows every block."""
        self.consortium.catch_up(self.consortium.run(self.gateway(ISSUER, Role.AUDITOR).height()) - 1)

    def gateway(self, name: str, role: Role, limits: Limits | None = None) -> Gateway:
        """A member's client by the computer's clock, since the consortium's own clock stands still."""
        member, topology = self.fabric.topology.member(name), self.fabric.topology
        files = topology.keys(member).user(role)
        identity = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
        transport = self.consortium.ledger.transport(member.msp_id)
        return Gateway(transport, identity, channel=topology.channel, limits=limits)

    async def _register(self, gateway: Gateway, meters: Sequence[HandMeter]) -> None:
        lanes = asyncio.Semaphore(IN_FLIGHT)

        async def register(meter: HandMeter) -> None:
            async with lanes:
                await gateway.submit("meter.register", meter.registration())

        await asyncio.gather(*map(register, meters))


@contextmanager
def start_network(shape: Shape, report: Report) -> Iterator[RunningNetwork]:
    """Starts a network in a folder that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder, asyncio.Runner() as runner:
        topology = make_members(Path(folder), _plan(shape))
        network = network_of(topology, None)
        share_cores(shape.members)
        try:
            report(f"{shape.members} members, {shape.orderers} orderers ({shape.ordering}): starting")
            runner.run(network.up(_no_progress))
            with followed(Consortium(topology, _Ledger(topology), Clock(), runner)) as consortium:
                found(consortium)
                yield RunningNetwork(consortium, network)
        finally:
            runner.run(network.down(_no_progress))


@dataclass
class _Ledger:
    """The consortium's connections to the network's peers. `start_network` ends the network's processes."""

    topology: Topology
    _transports: dict[str, LedgerTransport] = field(default_factory=dict)

    def transport(self, msp_id: str) -> LedgerTransport:
        if msp_id not in self._transports:
            self._transports[msp_id] = connect(self.topology, self.topology.member(msp_id))
        return self._transports[msp_id]

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()


def _plan(shape: Shape) -> FoundingPlan:
    members = tuple((name, msp_id_of(name), name.capitalize()) for name in shape.names)
    settings = FabricSettings(ordering=shape.ordering)
    first_port = free_first_port(shape.members)
    return FoundingPlan("Bench", "zunft", "EUR", ISSUER, "", members, first_port, settings, NAMES[: shape.orderers])


def share_cores(members: int) -> None:
    """Limits each Go program to a member's share of the cores.

    Programs that each take all cores spend an eighth of their time on switching.
    """
    os.environ["GOMAXPROCS"] = str(max((os.cpu_count() or 1) // members, 1))


def _no_progress(_step: str) -> None:
    """Reports nothing, as the bench itself reports larger steps."""
