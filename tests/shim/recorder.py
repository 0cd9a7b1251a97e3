"""Records all messages of the conversations with a real peer: python -m tests.shim.recorder"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import grpc.aio
from fabric_protos.peer import chaincode_shim_pb2_grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from chaincode.shim import ChaincodeServer
from chaincode.shim.conversation import Chaincode, Conversation
from ledger.gateway import GatewayError
from tests.harness.fabric import why_no_fabric
from tests.harness.ports import free_ports
from tests.shim.exercise import exercise
from tests.shim.fabric_peer import HOST, MSP_ID, FabricPeer, make_package, package_id
from tests.shim.recording import CHAINCODE, FOLDER, PEER, Line, save
from tests.shim.script import play_all

SINGLY = {"chaincode": {"runtimeParams": {"useWriteBatch": False, "useGetMultipleKeys": False}}}
IN_BATCHES = {
    "chaincode": {
        "runtimeParams": {
            "useWriteBatch": True,
            "maxSizeWriteBatch": 100,
            "useGetMultipleKeys": True,
            "maxSizeGetMultipleKeys": 3,
        }
    }
}
IMPATIENT = {"chaincode": {"executetimeout": "1s", "keepalive": 1}}


class Recorder(chaincode_shim_pb2_grpc.ChaincodeServicer):
    """A chaincode server that keeps all messages that it receives and sends."""

    def __init__(self, chaincode: Chaincode) -> None:
        self.lines: list[Line] = []
        self._chaincode = chaincode

    async def Connect(  # noqa: N802
        self, incoming: AsyncIterator[ChaincodeMessage], _context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[ChaincodeMessage]:
        async for message in Conversation(self._chaincode).run(self._recorded(incoming)):
            self.lines.append(Line(CHAINCODE, message))
            yield message

    async def _recorded(self, incoming: AsyncIterator[ChaincodeMessage]) -> AsyncGenerator[ChaincodeMessage]:
        async for message in incoming:
            self.lines.append(Line(PEER, message))
            yield message


async def record(name: str, core: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        peer = FabricPeer(Path(folder), core)
        try:
            await peer.start()
            lines = await _impatient(peer) if core is IMPATIENT else await _whole_script(peer)
        finally:
            await peer.stop()
    save(FOLDER / f"{name}.bin", lines)
    print(f"{name}: {len(lines)} messages")  # noqa: T201


async def _whole_script(peer: FabricPeer) -> list[Line]:
    port, other_port = free_ports(2)
    other = _package("other", other_port)
    async with ChaincodeServer(f"{HOST}:{other_port}", package_id("other", other), exercise, msp_id=MSP_ID):
        await peer.deploy("other", other)
        async with _recording(peer, port) as recorder:
            await play_all(peer.gateway("probe"))
            return list(recorder.lines)


async def _impatient(peer: FabricPeer) -> list[Line]:
    async with _recording(peer, *free_ports(1)) as recorder:
        with contextlib.suppress(GatewayError):
            await peer.gateway("probe").evaluate("sleep", b"1200")
        await asyncio.sleep(2)
        return list(recorder.lines)


@contextlib.asynccontextmanager
async def _recording(peer: FabricPeer, port: int) -> AsyncGenerator[Recorder]:
    package = _package("probe", port)
    recorder = Recorder(Chaincode(package_id("probe", package), exercise, MSP_ID))
    server = grpc.aio.server()
    chaincode_shim_pb2_grpc.add_ChaincodeServicer_to_server(recorder, server)
    server.add_insecure_port(f"{HOST}:{port}")
    await server.start()
    await peer.deploy("probe", package)
    yield recorder
    await server.stop(0)


def _package(label: str, port: int) -> bytes:
    return make_package(label, {"address": f"{HOST}:{port}", "dial_timeout": "10s", "tls_required": False})


async def main() -> None:
    if missing := why_no_fabric():
        raise SystemExit(missing)
    FOLDER.mkdir(exist_ok=True)
    await record("singly", SINGLY)
    await record("in_batches", IN_BATCHES)
    await record("impatient", IMPATIENT)


if __name__ == "__main__":
    asyncio.run(main())
