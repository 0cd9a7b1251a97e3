"""One member's real peer and orderer on this machine, with chaincode as a service, for conversations with the shim."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fabric_protos.peer.lifecycle import lifecycle_pb2

from consortium.folder.founding import (
    HOST,
    FoundingPlan,
    make_members,
)
from consortium.folder.topology import FabricSettings
from ledger.connect import connect
from ledger.errors import LedgerError
from ledger.gateway import Gateway
from ledger.transport import LedgerTransport
from network.administration.lifecycle import LIFECYCLE
from network.administration.peer_admin import PeerAdmin
from network.finding.binaries import find_binaries
from network.finding.release import default_cache
from network.network import FabricNetwork
from network.running.native import NativeRuntime
from network.running.process import ProcessKind
from network.site.config_file import lay_over
from network.waiting import until
from tests.harness.ports import (
    free_first_port,
    free_ports,
)

MSP_ID = "ProbeMSP"
CHANNEL = "probe"
UP_WITHIN_S = 60

# A package with a connection.json is a service that the peer dials; without one, the peer runs the chaincode.
BUILDER = {
    "detect": '#!/bin/sh\ngrep -q probe "$2/metadata.json"\n',
    "build": '#!/bin/sh\ncp "$1"/*.json "$3"\n',
    "release": '#!/bin/sh\n[ -f "$1/connection.json" ] || exit 0\n'
    'mkdir -p "$2/chaincode/server" && cp "$1/connection.json" "$2/chaincode/server"\n',
    "run": f'#!/bin/sh\nPYTHONPATH="{":".join(path for path in sys.path if path)}" '
    f'exec "{sys.executable}" -m tests.shim.run_client "$2"\n',
}


@dataclass
class FabricPeer:
    """A peer and its orderer, with all their files in `folder`. `core` is laid over the peer's core.yaml."""

    folder: Path
    core: Mapping[str, Any] = field(default_factory=dict)

    async def start(self) -> None:
        """Starts peer and orderer, and joins them to the channel."""
        self.network.write_files()
        (site,) = self.network.sites
        await self.network.start(self.network.processes(ProcessKind.ORDERER))
        await site.orderer.join(self.network.topology.genesis_path.read_bytes())
        await self.network.start(self.network.processes(ProcessKind.PEER))
        await site.join_peer()

    async def stop(self) -> None:
        """Stops all processes, also after a start that has failed."""
        for process in reversed(self.network.processes(ProcessKind.ORDERER, ProcessKind.PEER)):
            await asyncio.to_thread(self.network.runtime.stop, process)
        await self._transport.close()
        await self._admin.close()

    def gateway(self, chaincode: str) -> Gateway:
        return Gateway(self._transport, self._admin.identity, channel=CHANNEL, chaincode=chaincode)

    async def deploy(self, name: str, package: bytes) -> None:
        """Installs, approves and commits the chaincode."""
        await self._admin.install(package)
        local = lifecycle_pb2.ChaincodeSource.Local(package_id=package_id(name, package))
        source = lifecycle_pb2.ChaincodeSource(local_package=local)
        terms = {"sequence": 1, "name": name, "version": "1", "endorsement_plugin": "escc", "validation_plugin": "vscc"}
        approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(source=source, **terms)
        commit = lifecycle_pb2.CommitChaincodeDefinitionArgs(**terms)
        lifecycle = self.gateway(LIFECYCLE)
        await until(
            lambda: lifecycle.submit("ApproveChaincodeDefinitionForMyOrg", approve),
            f"the approval of {name}",
            timeout_s=UP_WITHIN_S,
            passing=(LedgerError,),
        )
        await lifecycle.submit("CommitChaincodeDefinition", commit)

    # --- its processes and settings ---------------------------------------------------------------------------------

    @cached_property
    def network(self) -> FabricNetwork:
        """A network of one member. It starts no chaincode process, and deploys no package."""
        binaries = find_binaries(None, default_cache())
        runtime = NativeRuntime({"peer": binaries.peer, "orderer": binaries.orderer})
        settings = FabricSettings(core=lay_over(self._own_core(), self.core))
        member = ("probe", MSP_ID, "Probe")
        plan = FoundingPlan("Probe", CHANNEL, "EUR", "probe", "", (member,), free_first_port(1), settings)
        return FabricNetwork(make_members(self.folder / "network", plan), runtime, runtime)

    @cached_property
    def _transport(self) -> LedgerTransport:
        return connect(self.network.topology, self.network.topology.member(MSP_ID))

    @cached_property
    def _admin(self) -> PeerAdmin:
        member = self.network.topology.member(MSP_ID)
        assert member.peer
        return PeerAdmin(member.peer.peer, self.network.topology.keys(member))

    def _own_core(self) -> dict[str, Any]:
        """Settings by which chaincode may dial in, too, its packages name its address, and keys have a history."""
        (port,) = free_ports(1)
        address = f"{HOST}:{port}"
        return {
            "peer": {"chaincodeListenAddress": address, "chaincodeAddress": address},
            "chaincode": {"externalBuilders": [{"name": "service", "path": str(self._builder())}]},
            "ledger": {"history": {"enableHistoryDatabase": True}},
        }

    def _builder(self) -> Path:
        folder = self.folder / "builder"
        (folder / "bin").mkdir(parents=True)
        for name, text in BUILDER.items():
            script = folder / "bin" / name
            script.write_text(text)
            script.chmod(0o755)
        return folder


def make_package(label: str, connection: Mapping[str, object] | None) -> bytes:
    """An installable package. `connection` is the address at which the chaincode listens, or None if it dials in."""
    metadata = json.dumps({"type": "probe", "label": label}).encode()
    code = _tar({"connection.json" if connection else "nothing.json": json.dumps(connection or {}).encode()})
    return _tar({"metadata.json": metadata, "code.tar.gz": code})


def package_id(label: str, package: bytes) -> str:
    return f"{label}:{hashlib.sha256(package).hexdigest()}"


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
