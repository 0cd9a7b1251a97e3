"""One member's part of the network, as on that member's own machines: its processes and its admin's acts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version

from fabric_protos.common import common_pb2

from consortium.folder.topology import (
    FabricSettings,
    MemberEntry,
    PeerEndpoints,
    Topology,
)
from consortium.joining.known_orderers import Detour
from consortium.keys.member_keys import MemberKeys
from consortium.keys.users import admin_of
from ledger.configuration import newest_config_block
from ledger.connect import connect
from ledger.errors import LedgerError
from ledger.gateway import Gateway, Limits, SigningIdentity
from network.administration.discovery import members_known
from network.administration.lifecycle import (
    CHAINCODE,
    LIFECYCLE,
    Definition,
    Lifecycle,
)
from network.administration.operations import ledger_height
from network.administration.peer_admin import PeerAdmin
from network.channel_check import (
    check_channels,
    check_genesis,
)
from network.errors import (
    NoChaincode,
    NoFabricNetwork,
    OtherChaincode,
    PeerBehind,
    PeerUnreachable,
    RefusedByPeer,
)
from network.running.process import (
    FabricProcess,
    ProcessKind,
)
from network.site.chaincode import (
    chaincode_process,
    write_chaincode_files,
)
from network.site.chaincode_package import ChaincodePackage
from network.site.detours import (
    end_detours,
    set_detours,
)
from network.site.member_folders import (
    make_process_folder,
    process_folder,
)
from network.site.orderer import (
    orderer_process,
    write_orderer_files,
)
from network.site.orderer_site import OrdererSite
from network.site.peer import (
    peer_process,
    write_peer_files,
)
from network.waiting import (
    AGREE_TIMEOUT_S,
    JOIN_TIMEOUT_S,
    STALL_TIMEOUT_S,
    until,
    until_caught_up,
)

# In a new network some attempts fail, and none of them must take long.
_LIMITS = Limits(evaluate_s=10, endorse_s=20, submit_s=20, commit_status_s=30)


@dataclass(frozen=True)
class MemberSite:
    """One member's site. Each step does only what is not done yet, and raises NotInTime after its time limit."""

    topology: Topology
    member: MemberEntry
    package: ChaincodePackage

    # --- processes --------------------------------------------------------------------------------------------------

    def processes(self) -> list[FabricProcess]:
        """The member's processes, in the order in which they start. Raises NoFabricNetwork."""
        name, keys, package = self.member.name, self._keys, self.package
        orderers = [orderer_process(name, keys, self.orderer.endpoints)] if self.member.orderer else []
        return [*orderers, chaincode_process(name, keys, self._peer, package), peer_process(name, keys, self._peer)]

    def write_files(self, kind: ProcessKind, settings: FabricSettings) -> None:
        """Writes a process's configuration, from the present consortium's file and member's keys."""
        if kind == ProcessKind.ORDERER:
            write_orderer_files(self._keys, self.orderer.endpoints, settings)
        elif kind == ProcessKind.PEER:
            write_peer_files(self._keys, self._peer, settings)
        else:
            write_chaincode_files(self._keys)

    # --- the channel ------------------------------------------------------------------------------------------------

    @property
    def orderer(self) -> OrdererSite:
        """The site of the member's orderer, if it has one."""
        return OrdererSite(self.topology, self.member)

    async def join_peer(self) -> None:
        """Joins the member's peer with the channel's first block. Raises WrongChannel, RefusedByPeer, NotInTime.

        From there the peer checks every block up to the newest one for itself: see `until_caught_up`.
        """
        peer = f"the peer of {self.member.name}"
        async with PeerAdmin(self._peer.listening.from_here, self._keys) as admin:

            async def join() -> None:
                joined = await admin.channels()
                check_channels(joined, self.topology, peer)
                if not joined:
                    await admin.join(self.topology.genesis_path.read_bytes())
                    return
                with suppress(PeerBehind):
                    await check_genesis(admin, self.topology, peer)

            what = f"{peer} joining {self.topology.channel}"
            await until(join, what, timeout_s=JOIN_TIMEOUT_S, passing=(PeerUnreachable,))

    async def until_caught_up(self) -> None:
        """Waits until the peer has the block that admits its member, however long the channel is.

        Raises WrongChannel; NotInTime when no block has come for STALL_TIMEOUT_S.
        """
        peer = f"the peer of {self.member.name}"
        async with PeerAdmin(self._peer.listening.from_here, self._keys) as admin:
            await until_caught_up(
                lambda: check_genesis(admin, self.topology, peer),
                f"{peer} catching up",
                height=self._peer_height,
                stall_s=STALL_TIMEOUT_S,
                passing=(PeerUnreachable, PeerBehind),
            )

    async def is_caught_up(self) -> bool:
        """Whether the peer answers and has the block that admits its member. Raises WrongChannel."""
        async with PeerAdmin(self._peer.listening.from_here, self._keys) as admin:
            try:
                await check_genesis(admin, self.topology, f"the peer of {self.member.name}")
            except (PeerUnreachable, PeerBehind):
                return False
        return True

    def set_detours(self, detours: Sequence[Detour]) -> bool:
        """Sets the orderers that the peer uses from its next start on; returns whether they have changed."""
        return set_detours(make_process_folder(self._keys, ProcessKind.PEER), detours)

    def end_detours(self) -> None:
        """Removes the detours of a peer that has caught up and so knows the orderers itself."""
        end_detours(process_folder(self._keys, ProcessKind.PEER))

    async def until_known(self, msp_ids: set[str], *, least: int | None = None) -> None:
        """Waits until the member's peer knows a peer with the chaincode of each of these members. Raises NotInTime.

        With `least` it waits for that many of them only.
        """

        async def know() -> None:
            unknown = msp_ids - await members_known(
                self._peer.listening.from_here, self._keys, self.topology.channel, CHAINCODE
            )
            if len(unknown) > len(msp_ids) - (len(msp_ids) if least is None else least):
                raise PeerUnreachable(f"it does not know the peers of {', '.join(sorted(unknown))} yet")

        what = f"the peer of {self.member.name} knowing the others"
        # A peer without the block of the chaincode's commit refuses the request.
        await until(know, what, timeout_s=AGREE_TIMEOUT_S, passing=(PeerUnreachable, RefusedByPeer))

    # --- the chaincode ----------------------------------------------------------------------------------------------

    async def install(self) -> None:
        """Installs the package on the member's peer. Raises PeerUnreachable, RefusedByPeer."""
        async with PeerAdmin(self._peer.listening.from_here, self._keys) as admin:
            if self.package.package_id not in await admin.installed():
                await admin.install(self.package.to_bytes())

    async def committed(self) -> Definition | None:
        """The definition that the channel runs; None before the first commit. Raises NotInTime."""
        async with self.gateway(LIFECYCLE) as gateway:
            lifecycle = Lifecycle(gateway)
            what = f"an answer of the peer of {self.member.name}"
            return await until(lifecycle.committed, what, timeout_s=AGREE_TIMEOUT_S, passing=(LedgerError,))

    async def approve(self, definition: Definition) -> None:
        """Approves the definition in the member's name. Raises NotInTime."""
        async with self.gateway(LIFECYCLE) as gateway:
            lifecycle = Lifecycle(gateway)

            async def approve() -> None:
                if await lifecycle.approved_package(definition) != self.package.package_id:
                    await lifecycle.approve(definition, self.package.package_id)

            what = f"the chaincode's approval by {self.member.name}"
            await until(approve, what, timeout_s=AGREE_TIMEOUT_S, passing=(LedgerError,))

    async def approve_committed(self) -> None:
        """Approves the definition that the channel runs. Raises NoChaincode, OtherChaincode, NotInTime."""
        definition, own = await self.committed(), version("zunft")
        if definition is None:
            raise NoChaincode(
                f"{self.topology.channel} runs no chaincode yet: wait until its founders have brought it up"
            )
        if definition.version != own:
            raise OtherChaincode(
                f"{self.topology.channel} runs contract {definition.version}, and this is zunft {own}: install "
                f"zunft {definition.version}"
            )
        await self.approve(definition)

    async def commit(self, definition: Definition) -> None:
        """Commits a definition that a majority has approved. Raises NotInTime."""
        async with self.gateway(LIFECYCLE) as gateway:
            lifecycle = Lifecycle(gateway)

            async def commit() -> None:
                if await lifecycle.committed() != definition:
                    await lifecycle.commit(definition)

            await until(commit, "the chaincode's commit", timeout_s=AGREE_TIMEOUT_S, passing=(LedgerError,))

    # --- as the member's admin --------------------------------------------------------------------------------------

    async def newest_config_block(self) -> common_pb2.Block:
        """The newest configuration block, as the member's peer has it. Raises StreamError."""
        async with self.gateway(CHAINCODE) as gateway:
            return await newest_config_block(gateway)

    @asynccontextmanager
    async def gateway(self, chaincode: str) -> AsyncIterator[Gateway]:
        """A gateway of the member's admin on its own peer."""
        files = admin_of(self._keys)
        identity = SigningIdentity.load(self.member.msp_id, files.certificate_path, files.key_path)
        transport = connect(self.topology, self.member)
        try:
            yield Gateway(transport, identity, channel=self.topology.channel, chaincode=chaincode, limits=_LIMITS)
        finally:
            await transport.close()

    async def _peer_height(self) -> int:
        return await asyncio.to_thread(ledger_height, self._peer.operations, self.topology.channel)

    # --- from the consortium's file ---------------------------------------------------------------------------------

    @property
    def _keys(self) -> MemberKeys:
        return self.topology.keys(self.member)

    @property
    def _peer(self) -> PeerEndpoints:
        if self.member.peer is None:
            raise NoFabricNetwork(f"{self.member.name} has no peer in the consortium's file")
        return self.member.peer
