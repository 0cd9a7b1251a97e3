"""The consortium's Fabric network on this machine: its start, its end and its processes.

`up` always goes through the same steps, and each step does only what is not done yet:

    files ─► orderers run ─► they have joined the channel ─► chaincodes and peers run ─► peers have joined
          ─► package installed ─► each member has approved it ─► committed ─► the peers know each other
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, TypeVar

from chaincode.code_digest import code_digest
from consortium.folder.topology import (
    FabricSettings,
    MemberEntry,
    Topology,
)
from consortium.keys.certificates import utc_now
from consortium.keys.member_material import (
    EVERY_ADDRESS,
    Endpoint,
)
from network.administration.lifecycle import Definition
from network.errors import (
    CannotListen,
    NoFabricNetwork,
    PortTaken,
    ProcessEnded,
    UnknownProcess,
)
from network.preflight import (
    check_certificates,
    check_room,
)
from network.running.process import (
    FabricProcess,
    ProcessKind,
    Runtime,
)
from network.site.chaincode_package import ChaincodePackage
from network.site.member_site import MemberSite
from network.waiting import until

START_TIMEOUT_S = 60
# The time between two checks that the processes that something waits for still run.
WATCH_S = 1

Report = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class FabricNetwork:
    """All members' sites. `runtime` runs peers and orderers, `native` runs the chaincode, which is Python."""

    topology: Topology
    runtime: Runtime
    native: Runtime
    package: ChaincodePackage = field(default_factory=lambda: ChaincodePackage(code_digest()))

    # --- up and down ------------------------------------------------------------------------------------------------

    async def up(self, report: Report) -> None:
        """Starts all processes and joins them to the channel. Can be repeated.

        Raises NetworkError, ConsortiumError, GatewayError.
        """
        self.check_machine()
        self.write_files()
        sites = self.sites
        report("starting the orderers")
        await self.start(self.processes(ProcessKind.ORDERER))
        report("joining the orderers to the channel")
        genesis = self.topology.genesis_path.read_bytes()
        await asyncio.gather(*(site.orderer.join(genesis) for site in sites if site.member.orderer))
        report("starting the chaincode and the peers")
        await self.start(self.processes(ProcessKind.CHAINCODE))
        await self.start(self.processes(ProcessKind.PEER))
        report("joining the peers to the channel")
        await asyncio.gather(*(site.join_peer() for site in sites))
        report("agreeing on the chaincode")
        await self._deploy()
        report("waiting until the peers know each other")
        msp_ids = {site.member.msp_id for site in sites}
        await asyncio.gather(*(site.until_known(msp_ids) for site in sites))

    async def down(self, report: Report) -> None:
        """Ends all processes. Their files stay."""
        for process in reversed(self.processes()):
            if self.runtime_of(process).running(process):
                report(f"stopping {process.name}")
                await self.stop([process])

    async def restart(self, name: str) -> None:
        """Ends and starts one process. Raises UnknownProcess, CannotStart, ProcessEnded, NotInTime."""
        process = self.find(name)
        await self.stop([process])
        self.write_files()
        await self.start([process])

    # --- members and processes --------------------------------------------------------------------------------------

    @property
    def settings(self) -> FabricSettings:
        """The consortium's Fabric settings. Raises NoFabricNetwork."""
        if self.topology.fabric is None:
            raise NoFabricNetwork(
                f"{self.topology.consortium} runs on the embedded ledger: found a consortium with a Fabric network "
                "(zunft consortium found PLAN --ledger fabric)"
            )
        return self.topology.fabric

    @property
    def sites(self) -> list[MemberSite]:
        return [self.site(member) for member in self.topology.members]

    def site(self, member: MemberEntry) -> MemberSite:
        return MemberSite(self.topology, member, self.package)

    def only(self, member: MemberEntry) -> FabricNetwork:
        """The network of one member's site alone, as its own machine has it."""
        return replace(self, topology=replace(self.topology, members=(member,)))

    def processes(self, *kinds: ProcessKind) -> list[FabricProcess]:
        """The processes of these kinds, or of all kinds if none is named, in the order in which they start."""
        everything = [process for site in self.sites for process in site.processes()]
        return [process for kind in kinds or ProcessKind for process in everything if process.kind == kind]

    def find(self, name: str) -> FabricProcess:
        """The process of this name, like maker.peer. Raises UnknownProcess."""
        for process in self.processes():
            if process.name == name:
                return process
        known = ", ".join(process.name for process in self.processes())
        raise UnknownProcess(f"the network has no process {name!r}: it has {known}")

    def runtime_of(self, process: FabricProcess) -> Runtime:
        return self.native if process.kind == ProcessKind.CHAINCODE else self.runtime

    # --- steps ------------------------------------------------------------------------------------------------------

    def check_machine(self) -> None:
        """Checks that all processes can start: certificates, disk and ports. Raises NetworkError, ConsortiumError."""
        check_certificates(self.topology, utc_now())
        check_room(self.topology)
        self._check_ports()

    def _check_ports(self) -> None:
        """Checks that the processes that do not run can listen on their ports. Raises PortTaken, CannotListen."""
        for process in self._not_running():
            for endpoint in process.listens:
                _check_listening(process, endpoint)

    def write_files(self) -> None:
        """Writes the configuration of all processes that do not run."""
        for process in self._not_running():
            self.site(self.topology.member(process.member)).write_files(process.kind, self.settings)

    async def start(self, processes: Sequence[FabricProcess]) -> None:
        """Starts the processes and waits until they listen. Raises CannotStart, ProcessEnded, NotInTime."""
        for process in processes:
            self.runtime_of(process).start(process)
        await asyncio.gather(*map(self._until_listening, processes))

    async def stop(self, processes: Sequence[FabricProcess]) -> None:
        """Ends those of the processes that run."""
        for process in processes:
            await asyncio.to_thread(self.runtime_of(process).stop, process)

    async def while_running(self, work: Coroutine[Any, Any, Answer], *kinds: ProcessKind) -> Answer:
        """The result of `work`, which needs the processes of these kinds, or all of them.

        Raises ProcessEnded as soon as one of them ends.
        """
        task, processes = asyncio.create_task(work), self.processes(*kinds)
        try:
            while not task.done():
                await asyncio.wait([task], timeout=WATCH_S)
                if not task.done():
                    await asyncio.to_thread(self._check_running, processes)
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _check_running(self, processes: Sequence[FabricProcess]) -> None:
        """Checks that all of the processes run. Raises ProcessEnded."""
        for process in processes:
            if self.runtime_of(process).running(process) is None:
                raise ProcessEnded(
                    f"{process.name} has ended meanwhile; its last line in {process.log_path}: {_last_line(process)}; "
                    "type the same command again to start it again"
                )

    async def _deploy(self) -> None:
        """Every member installs and approves the chaincode, and one member commits it."""
        definition = Definition.following(await self.sites[0].committed(), version("zunft"))
        await asyncio.gather(*(site.install() for site in self.sites))
        await asyncio.gather(*(site.approve(definition) for site in self.sites))
        await self.sites[0].commit(definition)

    async def _until_listening(self, process: FabricProcess) -> None:
        async def reach() -> None:
            if self.runtime_of(process).running(process) is None:
                raise ProcessEnded(f"{process.name} ended right after its start: {_last_line(process)}")
            for endpoint in (one.from_here for one in process.listens):
                _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
                writer.close()

        await until(reach, f"{process.name} listening", timeout_s=START_TIMEOUT_S, passing=(OSError,))

    def _not_running(self) -> list[FabricProcess]:
        return [process for process in self.processes() if self.runtime_of(process).running(process) is None]


def _check_listening(process: FabricProcess, endpoint: Endpoint) -> None:
    """Checks that the process can listen on the endpoint. Raises PortTaken, CannotListen."""
    try:
        socket.create_server((endpoint.host, endpoint.port)).close()
    except OSError as error:
        place = f"port {endpoint}, where {process.name} should listen,"
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"{place} is in use by another program: end it, or found the consortium with another first_port"
            ) from error
        if error.errno == errno.EACCES:
            raise CannotListen(f"{place} is not allowed to this user: take a first_port from 1024 on") from error
        raise CannotListen(
            f"{place} is not on an address of this machine ({error.strerror}): if the others reach this machine by "
            f"that address, write listen: {EVERY_ADDRESS} beside it in {process.member}'s part of consortium.yaml"
        ) from error


def _last_line(process: FabricProcess) -> str:
    try:
        lines = process.log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it wrote nothing"
