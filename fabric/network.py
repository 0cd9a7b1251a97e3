"""The consortium's Fabric network on this machine: up, down, and what lies between.

`up` goes through the same steps whatever is there already, and does of each what is not done yet:

    files ─► orderers run ─► they have joined the channel ─► chaincodes run ─► peers run ─► they have joined
          ─► package installed ─► each member has approved it ─► committed
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

from chaincode.code_digest import code_digest
from fabric.chaincode import chaincode_process, write_chaincode_files
from fabric.chaincode_package import ChaincodePackage
from fabric.discovery import members_known
from fabric.errors import (
    NoFabricNetwork,
    OrdererUnreachable,
    PeerUnreachable,
    PortTaken,
    ProcessEnded,
    UnknownProcess,
)
from fabric.lifecycle import CHAINCODE, LIFECYCLE, Definition, Lifecycle
from fabric.orderer import orderer_process, write_orderer_files
from fabric.participation import OrdererAdmin
from fabric.peer import peer_process, write_peer_files
from fabric.peer_admin import PeerAdmin
from fabric.process import FabricProcess, ProcessKind, Runtime
from fabric.waiting import until
from network.member_material import Endpoint
from network.topology import FabricSettings, MemberEntry, OrdererEndpoints, PeerEndpoints, Topology
from node.ledger.connect import connect
from node.ledger.errors import LedgerError
from node.ledger.gateway.calls import Limits
from node.ledger.gateway.gateway import Gateway
from node.ledger.gateway.identity import SigningIdentity

START_TIMEOUT_S = 60
# Until orderers have a leader, and peers know each other.
AGREE_TIMEOUT_S = 90
# The first sequence of the chaincode's definition.
FIRST_SEQUENCE = 1

Report = Callable[[str], None]


@dataclass(frozen=True)
class FabricNetwork:
    """All members' processes. `runtime` runs peers and orderers, `native` their chaincode, which is Python."""

    topology: Topology
    runtime: Runtime
    native: Runtime
    package: ChaincodePackage = field(default_factory=lambda: ChaincodePackage(code_digest()))

    # --- what is there ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> FabricSettings:
        """Raises NoFabricNetwork."""
        if self.topology.fabric is None:
            raise NoFabricNetwork(
                f"{self.topology.consortium} runs on the embedded ledger: found a consortium with a Fabric network "
                "(zunft consortium found PLAN --ledger fabric)"
            )
        return self.topology.fabric

    def processes(self) -> list[FabricProcess]:
        """In the order in which they start."""
        by_kind = [self._orderers(), self._chaincodes(), self._peers()]
        return [process for processes in by_kind for process in processes]

    def find(self, name: str) -> FabricProcess:
        """Raises UnknownProcess."""
        for process in self.processes():
            if process.name == name:
                return process
        known = ", ".join(process.name for process in self.processes())
        raise UnknownProcess(f"the network has no process {name!r}: it has {known}")

    def runtime_of(self, process: FabricProcess) -> Runtime:
        return self.native if process.kind == ProcessKind.CHAINCODE else self.runtime

    # --- up and down ------------------------------------------------------------------------------------------------

    async def up(self, report: Report) -> None:
        """Starts what does not run, joins what has not joined. Raises FabricError, GatewayError."""
        self.check_ports()
        self.write_files()
        report("starting the orderers")
        await self.start(self._orderers())
        report("joining the orderers to the channel")
        await asyncio.gather(*(self._join_orderer(member) for member in self._members_with_orderer()))
        report("starting the chaincode and the peers")
        await self.start(self._chaincodes())
        await self.start(self._peers())
        report("joining the peers to the channel")
        await asyncio.gather(*(self._join_peer(member) for member in self.topology.members))
        report("agreeing on the chaincode")
        await self.deploy()
        report("waiting until the peers know each other")
        await self.until_ready()

    async def down(self, report: Report) -> None:
        """Ends what runs. The files stay."""
        for process in reversed(self.processes()):
            if self.runtime_of(process).running(process):
                report(f"stopping {process.name}")
                await asyncio.to_thread(self.runtime_of(process).stop, process)

    async def start(self, processes: Sequence[FabricProcess]) -> None:
        """Starts them and waits until they listen. Raises CannotStart, ProcessEnded, NotInTime."""
        for process in processes:
            self.runtime_of(process).start(process)
        await asyncio.gather(*map(self._until_listening, processes))

    async def restart(self, name: str) -> None:
        """One process. Raises UnknownProcess, CannotStart, ProcessEnded, NotInTime."""
        process = self.find(name)
        await asyncio.to_thread(self.runtime_of(process).stop, process)
        self.write_files()
        await self.start([process])

    def write_files(self) -> None:
        """The configuration of what is to start, as the consortium's file and the members' keys say now."""
        for process in self.processes():
            if self.runtime_of(process).running(process) is None:
                self._write_files_of(process)

    def check_ports(self) -> None:
        """That nobody else listens where a process is to start. Raises PortTaken."""
        for process in self.processes():
            if self.runtime_of(process).running(process):
                continue
            for endpoint in process.listens:
                if not _is_free(endpoint):
                    raise PortTaken(
                        f"port {endpoint}, where {process.name} should listen, is in use by another program: "
                        "end that, or found the consortium with another first_port"
                    )

    # --- steps ------------------------------------------------------------------------------------------------------

    async def _join_orderer(self, member: MemberEntry) -> None:
        admin = OrdererAdmin(_orderer(member).admin, self.topology.keys(member))

        async def join() -> None:
            if await asyncio.to_thread(admin.channel, self.topology.channel) is None:
                await asyncio.to_thread(admin.join, self.topology.genesis_path.read_bytes())

        what = f"the orderer of {member.name} joining {self.topology.channel}"
        await until(join, what, timeout_s=START_TIMEOUT_S, passing=(OrdererUnreachable,))

    async def _join_peer(self, member: MemberEntry) -> None:
        async with PeerAdmin(_peer(member).peer, self.topology.keys(member)) as admin:

            async def join() -> None:
                if self.topology.channel not in await admin.channels():
                    await admin.join(self.topology.genesis_path.read_bytes())

            what = f"the peer of {member.name} joining {self.topology.channel}"
            await until(join, what, timeout_s=START_TIMEOUT_S, passing=(PeerUnreachable,))

    async def deploy(self) -> None:
        """Installs the package on every peer, has every member approve it, and commits it."""
        definition = Definition(version("zunft"), FIRST_SEQUENCE)
        await asyncio.gather(*(self._install(member) for member in self.topology.members))
        await asyncio.gather(*(self._approve(member, definition) for member in self.topology.members))
        await self._commit(self.topology.members[0], definition)

    async def until_ready(self) -> None:
        """Until every member's peer knows all others, and that they run the chaincode. Raises NotInTime."""
        await asyncio.gather(*map(self._until_ready, self.topology.members))

    async def _install(self, member: MemberEntry) -> None:
        async with PeerAdmin(_peer(member).peer, self.topology.keys(member)) as admin:
            if self.package.package_id not in await admin.installed():
                await admin.install(self.package.to_bytes())

    async def _approve(self, member: MemberEntry, definition: Definition) -> None:
        async with self.gateway(member, LIFECYCLE) as gateway:
            lifecycle = Lifecycle(gateway)

            async def approve() -> None:
                if await lifecycle.approved_package(definition) != self.package.package_id:
                    await lifecycle.approve(definition, self.package.package_id)

            what = f"the chaincode's approval by {member.name}"
            await until(approve, what, timeout_s=AGREE_TIMEOUT_S, passing=(LedgerError,))

    async def _commit(self, member: MemberEntry, definition: Definition) -> None:
        async with self.gateway(member, LIFECYCLE) as gateway:
            lifecycle = Lifecycle(gateway)

            async def commit() -> None:
                if await lifecycle.committed() != definition:
                    await lifecycle.commit(definition)

            await until(commit, "the chaincode's commit", timeout_s=AGREE_TIMEOUT_S, passing=(LedgerError,))

    @asynccontextmanager
    async def gateway(self, member: MemberEntry, chaincode: str) -> AsyncIterator[Gateway]:
        """As the member's admin, on its own peer."""
        files = self.topology.keys(member).user("admin")
        identity = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
        transport = connect(self.topology, member)
        try:
            yield Gateway(transport, identity, channel=self.topology.channel, chaincode=chaincode, limits=_LIMITS)
        finally:
            await transport.close()

    async def _until_ready(self, member: MemberEntry) -> None:
        keys, everybody = self.topology.keys(member), {one.msp_id for one in self.topology.members}

        async def know() -> None:
            unknown = everybody - await members_known(_peer(member).peer, keys, self.topology.channel, CHAINCODE)
            if unknown:
                raise PeerUnreachable(f"it does not yet know those of {', '.join(sorted(unknown))}")

        what = f"the peer of {member.name} knowing the others"
        await until(know, what, timeout_s=AGREE_TIMEOUT_S, passing=(PeerUnreachable,))

    async def _until_listening(self, process: FabricProcess) -> None:
        async def reach() -> None:
            if self.runtime_of(process).running(process) is None:
                raise ProcessEnded(f"{process.name} ended right after its start: {_last_line(process)}")
            for endpoint in process.listens:
                _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
                writer.close()

        await until(reach, f"{process.name} listening", timeout_s=START_TIMEOUT_S, passing=(OSError,))

    def _write_files_of(self, process: FabricProcess) -> None:
        member = self.topology.member(process.member)
        keys = self.topology.keys(member)
        if process.kind == ProcessKind.ORDERER:
            write_orderer_files(keys, _orderer(member), self.settings)
        elif process.kind == ProcessKind.PEER:
            write_peer_files(keys, _peer(member), self.settings)
        else:
            write_chaincode_files(keys)

    # --- the processes ----------------------------------------------------------------------------------------------

    def _orderers(self) -> list[FabricProcess]:
        return [
            orderer_process(member.name, self.topology.keys(member), member.orderer)
            for member in self.topology.members
            if member.orderer
        ]

    def _chaincodes(self) -> list[FabricProcess]:
        return [
            chaincode_process(member.name, self.topology.keys(member), _peer(member), self.package)
            for member in self.topology.members
        ]

    def _peers(self) -> list[FabricProcess]:
        return [
            peer_process(member.name, self.topology.keys(member), _peer(member)) for member in self.topology.members
        ]

    def _members_with_orderer(self) -> list[MemberEntry]:
        return [member for member in self.topology.members if member.orderer]


# A new network takes some attempts until orderers have a leader; none of them shall take long.
_LIMITS = Limits(evaluate_s=10, endorse_s=20, submit_s=20, commit_status_s=30)


def _peer(member: MemberEntry) -> PeerEndpoints:
    if member.peer is None:
        raise NoFabricNetwork(f"{member.name} has no peer in the consortium's file")
    return member.peer


def _orderer(member: MemberEntry) -> OrdererEndpoints:
    if member.orderer is None:
        raise NoFabricNetwork(f"{member.name} has no orderer in the consortium's file")
    return member.orderer


def _is_free(endpoint: Endpoint) -> bool:
    try:
        with socket.create_server((endpoint.host, endpoint.port)):
            return True
    except OSError:
        return False


def _last_line(process: FabricProcess) -> str:
    try:
        lines = process.log_path.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it wrote nothing"
