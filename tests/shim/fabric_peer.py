"""One member's real peer and orderer on this machine, with chaincode as a service: enough to converse with."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import io
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.peer import peer_pb2_grpc, proposal_response_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2

from network.certificates import NodeKind
from network.channel import ChannelSettings, genesis_block
from network.member_keys import MemberKeys
from network.member_material import Endpoint
from network.msp_folder import write_msp_folder
from network.ordering import Orderer, RaftOrdering
from node.ledger.gateway.gateway import Gateway
from node.ledger.gateway.identity import SigningIdentity
from node.ledger.gateway.proposal import NONCE_BYTES, Call, make_proposal
from node.ledger.grpc_transport import GrpcTransport, TlsFiles

MSP_ID = "ProbeMSP"
CHANNEL = "probe"
HOST = "127.0.0.1"
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


def why_not_here() -> str:
    """What this machine lacks, or nothing."""
    if not (shutil.which("peer") and shutil.which("orderer")):
        return "needs Fabric's peer and orderer on the PATH"
    return "" if _config_folder() else "needs core.yaml and orderer.yaml in FABRIC_CFG_PATH or beside Fabric's binaries"


@dataclass
class FabricPeer:
    """Processes and files live in `folder`; `settings` are a peer's environment variables without CORE_."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    transport: GrpcTransport | None = None
    _channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        self.member = MemberKeys.found(self.folder / "member", MSP_ID)
        self.member.add_node(NodeKind.ORDERER)
        self.member.add_user("admin", ["admin"])
        for kind in (NodeKind.PEER, NodeKind.ORDERER):
            msp = self.member.folder / kind / "fabric-msp"
            write_msp_folder(msp, self.member.public_material(), self.member.node(kind))
        self.ports = dict(zip(("peer", "chaincode", "orderer", "admin"), free_ports(4), strict=True))
        self._spawn("orderer", ["orderer"], self._orderer_environment())
        self._spawn("peer", ["peer", "node", "start"], self._peer_environment())
        self._connect()
        block = self._genesis_block()
        await _until(lambda: self._join_orderer(block.SerializeToString()))
        await _until_listening(self.ports["peer"])
        await self.call_peer("cscc", b"JoinChain", block.SerializeToString())

    async def stop(self) -> None:
        """Leaves no process, however far the start came."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            await asyncio.to_thread(_wait_or_kill, process)
        if self.transport:
            await self.transport.close()
        if self._channel:
            await self._channel.close()

    def gateway(self, chaincode: str) -> Gateway:
        return Gateway(self.transport, self.admin, channel=CHANNEL, chaincode=chaincode)

    async def deploy(self, name: str, package: bytes) -> None:
        """Install, approve and commit."""
        args = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package).SerializeToString()
        await self.call_peer("_lifecycle", b"InstallChaincode", args)
        source = lifecycle_pb2.ChaincodeSource(
            local_package=lifecycle_pb2.ChaincodeSource.Local(package_id=package_id(name, package))
        )
        terms = {"sequence": 1, "name": name, "version": "1", "endorsement_plugin": "escc", "validation_plugin": "vscc"}
        approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(source=source, **terms)
        commit = lifecycle_pb2.CommitChaincodeDefinitionArgs(**terms)
        lifecycle = self.gateway("_lifecycle")
        await _until(lambda: lifecycle.submit("ApproveChaincodeDefinitionForMyOrg", approve))
        await lifecycle.submit("CommitChaincodeDefinition", commit)

    async def call_peer(self, chaincode: str, *args: bytes) -> bytes:
        """A system chaincode without a channel."""
        call = Call("", chaincode, list(args))
        proposal = make_proposal(call, self.admin.creator, secrets.token_bytes(NONCE_BYTES), time.time_ns() // 1000)
        signed = proposal.with_signature(self.admin.sign(proposal.message)).signed
        answer: proposal_response_pb2.ProposalResponse = await peer_pb2_grpc.EndorserStub(
            self._channel
        ).ProcessProposal(signed)
        assert answer.response.status == 200, answer.response.message
        return bytes(answer.response.payload)

    # --- how --------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        address = f"{HOST}:{self.ports['peer']}"
        roots = self.member.tls_root_pem()
        self._channel = grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(roots))
        self.transport = GrpcTransport(address, TlsFiles(roots))
        user = self.member.user("admin")
        self.admin = SigningIdentity.load(MSP_ID, user.certificate_path, user.key_path)

    def _genesis_block(self) -> common_pb2.Block:
        keys = self.member
        orderer = Orderer(
            MSP_ID,
            Endpoint(HOST, self.ports["orderer"]),
            keys.node(NodeKind.ORDERER).certificate_pem(),
            keys.node_tls(NodeKind.ORDERER).certificate_pem(),
        )
        anchor = keys.public_material(anchor_peers=[Endpoint(HOST, self.ports["peer"])])
        return genesis_block(ChannelSettings(CHANNEL, [anchor], RaftOrdering([orderer])))

    async def _join_orderer(self, block: bytes) -> None:
        await asyncio.to_thread(self._post_block, block)

    def _post_block(self, block: bytes) -> None:
        tls = self.member.node_tls(NodeKind.ORDERER)
        context = ssl.create_default_context(cafile=str(self.member.folder / "tls/ca.pem"))
        context.load_cert_chain(tls.certificate_path, tls.key_path)
        connection = http.client.HTTPSConnection(HOST, self.ports["admin"], context=context, timeout=5)
        head = '--zunft\r\nContent-Disposition: form-data; name="config-block"; filename="genesis.block"\r\n\r\n'
        body = head.encode() + block + b"\r\n--zunft--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=zunft"}
        connection.request("POST", "/participation/v1/channels", body, kind)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 201, text

    def _spawn(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        config = {"FABRIC_CFG_PATH": str(_config_folder()), "FABRIC_LOGGING_SPEC": "WARN"}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, env={**os.environ, **config, **environment}, stdout=log, stderr=subprocess.STDOUT
            )
        self.processes.append(process)

    def _peer_environment(self) -> dict[str, str]:
        keys, address = self.member, f"{HOST}:{self.ports['peer']}"
        tls = keys.node_tls()
        chaincode = f"{HOST}:{self.ports['chaincode']}"
        values = {
            "PEER_TLS_ENABLED": "true",
            "PEER_TLS_CERT_FILE": tls.certificate_path,
            "PEER_TLS_KEY_FILE": tls.key_path,
            "PEER_TLS_ROOTCERT_FILE": keys.folder / "tls/ca.pem",
            "PEER_ID": "peer",
            "PEER_ADDRESS": address,
            "PEER_LISTENADDRESS": address,
            "PEER_CHAINCODELISTENADDRESS": chaincode,
            "PEER_CHAINCODEADDRESS": chaincode,
            "PEER_GOSSIP_BOOTSTRAP": address,
            "PEER_GOSSIP_EXTERNALENDPOINT": address,
            "PEER_LOCALMSPID": MSP_ID,
            "PEER_MSPCONFIGPATH": keys.folder / "peer/fabric-msp",
            "PEER_FILESYSTEMPATH": self.folder / "peer",
            "LEDGER_SNAPSHOTS_ROOTDIR": self.folder / "snapshots",
            "OPERATIONS_LISTENADDRESS": f"{HOST}:0",
            "VM_ENDPOINT": "",
            "CHAINCODE_EXTERNALBUILDERS": json.dumps([{"name": "service", "path": str(self._builder())}]),
            **self.settings,
        }
        return {f"CORE_{name}": str(value) for name, value in values.items()}

    def _orderer_environment(self) -> dict[str, str]:
        keys, data = self.member, self.folder / "orderer"
        tls, roots = keys.node_tls(NodeKind.ORDERER), f"[{keys.folder / 'tls/ca.pem'}]"
        values = {
            "GENERAL_LISTENADDRESS": HOST,
            "GENERAL_LISTENPORT": self.ports["orderer"],
            "GENERAL_TLS_ENABLED": "true",
            "GENERAL_TLS_PRIVATEKEY": tls.key_path,
            "GENERAL_TLS_CERTIFICATE": tls.certificate_path,
            "GENERAL_TLS_ROOTCAS": roots,
            "GENERAL_LOCALMSPDIR": keys.folder / "orderer/fabric-msp",
            "GENERAL_LOCALMSPID": MSP_ID,
            "GENERAL_BOOTSTRAPMETHOD": "none",
            "GENERAL_CLUSTER_CLIENTCERTIFICATE": tls.certificate_path,
            "GENERAL_CLUSTER_CLIENTPRIVATEKEY": tls.key_path,
            "GENERAL_CLUSTER_ROOTCAS": roots,
            "FILELEDGER_LOCATION": data,
            "CONSENSUS_WALDIR": data / "wal",
            "CONSENSUS_SNAPDIR": data / "snapshots",
            "ADMIN_LISTENADDRESS": f"{HOST}:{self.ports['admin']}",
            "ADMIN_TLS_ENABLED": "true",
            "ADMIN_TLS_PRIVATEKEY": tls.key_path,
            "ADMIN_TLS_CERTIFICATE": tls.certificate_path,
            "ADMIN_TLS_CLIENTROOTCAS": roots,
            "ADMIN_TLS_CLIENTAUTHREQUIRED": "true",
            "CHANNELPARTICIPATION_ENABLED": "true",
            "OPERATIONS_LISTENADDRESS": f"{HOST}:0",
        }
        return {f"ORDERER_{name}": str(value) for name, value in values.items()}

    def _builder(self) -> Path:
        folder = self.folder / "builder"
        (folder / "bin").mkdir(parents=True)
        for name, text in BUILDER.items():
            script = folder / "bin" / name
            script.write_text(text)
            script.chmod(0o755)
        return folder


def make_package(label: str, connection: Mapping[str, object] | None) -> bytes:
    """An installable package that says where the chaincode listens, if it listens."""
    metadata = json.dumps({"type": "probe", "label": label}).encode()
    code = _tar({"connection.json" if connection else "nothing.json": json.dumps(connection or {}).encode()})
    return _tar({"metadata.json": metadata, "code.tar.gz": code})


def package_id(label: str, package: bytes) -> str:
    return f"{label}:{hashlib.sha256(package).hexdigest()}"


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server((HOST, 0)) for _ in range(number)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _config_folder() -> Path | None:
    """Fabric's release archive has config/ beside bin/."""
    places = [Path(os.environ.get("FABRIC_CFG_PATH", "/nowhere"))]
    if binary := shutil.which("peer"):
        places.append(Path(binary).resolve().parent.parent / "config")
    return next((place for place in places if (place / "core.yaml").exists()), None)


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _until(attempt: Callable[[], object]) -> None:
    """Repeats what fails while a process starts."""
    for remaining in range(UP_WITHIN_S, -1, -1):
        try:
            await attempt()  # type: ignore[misc]
            return
        except Exception:
            if not remaining:
                raise
        await asyncio.sleep(1)


async def _until_listening(port: int) -> None:
    async def attempt() -> None:
        _, writer = await asyncio.open_connection(HOST, port)
        writer.close()

    await _until(attempt)
