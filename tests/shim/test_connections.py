"""Real connections between peer and chaincode, dialled from either side: TLS, mutual TLS, a peer that comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2_grpc, proposal_response_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as M

from chaincode.shim import (
    ChaincodeClient,
    ChaincodeServer,
    FabricStub,
    InvalidRequest,
    ListenError,
    Response,
    ServerTls,
)
from chaincode.shim import client as client_module
from consortium.keys.certificates import (
    KeyPair,
    NodeKind,
    Validity,
    issue_tls,
    make_authority,
)

HOST = "127.0.0.1"
ID = "label:hash"
PATIENCE_S = 20


async def greet_back(stub: FabricStub) -> Response:
    return Response(payload=b"hello " + stub.args[0])


def tls_pair() -> tuple[KeyPair, KeyPair]:
    root = make_authority("tls-ca", "AlphaMSP", Validity())
    return root, issue_tls(root, "peer", NodeKind.PEER, [HOST], Validity())


async def one_call(incoming: AsyncIterator[M]) -> AsyncGenerator[M]:
    """A peer's messages: it greets, makes one call, checks the answer, and ends."""
    register = await anext(incoming)
    assert chaincode_pb2.ChaincodeID.FromString(register.payload).name == ID
    yield M(type=M.REGISTERED)
    yield M(type=M.READY)
    arguments = chaincode_pb2.ChaincodeInput(args=[b"peer"]).SerializeToString()
    yield M(type=M.TRANSACTION, payload=arguments, txid="tx", channel_id="channel")
    completed = await anext(incoming)
    assert proposal_response_pb2.Response.FromString(completed.payload).payload == b"hello peer"


async def dial(channel: grpc.aio.Channel) -> None:
    """Dials the chaincode and calls it once, as a peer does with a chaincode as a service."""
    async with channel:
        call = chaincode_shim_pb2_grpc.ChaincodeStub(channel).Connect()
        async for message in one_call(aiter(call)):
            await call.write(message)
        await call.done_writing()


def serve(dialler: Any, tls: ServerTls | None = None) -> None:
    async def run() -> None:
        async with ChaincodeServer(f"{HOST}:0", ID, greet_back, msp_id="AlphaMSP", tls=tls) as server:
            await asyncio.wait_for(dialler(f"{HOST}:{server.port}"), PATIENCE_S)

    asyncio.run(run())


def test_a_peer_dials_in_and_comes_back() -> None:
    async def dialler(address: str) -> None:
        await dial(grpc.aio.insecure_channel(address))
        await asyncio.gather(dial(grpc.aio.insecure_channel(address)), dial(grpc.aio.insecure_channel(address)))

    serve(dialler)


@pytest.mark.parametrize("is_mutual", [False, True])
def test_a_peer_dials_in_over_tls(is_mutual: bool) -> None:
    root, pair = tls_pair()
    own = (pair.key_pem, pair.certificate_pem) if is_mutual else (None, None)

    async def dialler(address: str) -> None:
        await dial(grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(root.certificate_pem, *own)))

    client_roots = root.certificate_pem if is_mutual else None
    serve(dialler, ServerTls(pair.key_pem, pair.certificate_pem, client_roots))


def test_a_stranger_is_not_let_in() -> None:
    root, pair = tls_pair()
    _, stranger = tls_pair()

    async def dialler(address: str) -> None:
        credentials = grpc.ssl_channel_credentials(root.certificate_pem, stranger.key_pem, stranger.certificate_pem)
        with pytest.raises(grpc.aio.AioRpcError):
            await dial(grpc.aio.secure_channel(address, credentials))

    serve(dialler, ServerTls(pair.key_pem, pair.certificate_pem, root.certificate_pem))


def test_a_port_in_use_is_named() -> None:
    async def dialler(address: str) -> None:
        with pytest.raises(ListenError, match="choose a free port"):
            await ChaincodeServer(address, ID, greet_back, msp_id="AlphaMSP").start()

    serve(dialler)


class Peer(chaincode_shim_pb2_grpc.ChaincodeSupportServicer):
    """A peer that chaincode dials, and that hangs up after every call."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[str] = asyncio.Queue()

    async def Register(  # noqa: N802
        self, incoming: AsyncIterator[M], _context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[M]:
        async for message in one_call(incoming):
            yield message
        self.calls.put_nowait("answered")


@pytest.mark.parametrize("is_mutual", [False, True])
def test_a_client_dials_its_peer_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_mutual: bool) -> None:
    monkeypatch.setattr(client_module, "_LONGEST_PAUSE_S", 0)
    asyncio.run(_client(tmp_path, is_mutual))


async def _client(folder: Path, is_mutual: bool) -> None:
    root, pair = tls_pair()
    peer, server = Peer(), grpc.aio.server()
    chaincode_shim_pb2_grpc.add_ChaincodeSupportServicer_to_server(peer, server)
    connection = {"chaincode_id": ID, "mspid": "AlphaMSP"}
    if is_mutual:
        files = root.certificate_pem, pair.key_pem, pair.certificate_pem
        credentials = grpc.ssl_server_credentials([files[1:]], files[0], True)
        connection |= dict(
            zip(("root_cert", "client_key", "client_cert"), (item.decode() for item in files), strict=True)
        )
        port = server.add_secure_port(f"{HOST}:0", credentials)
    else:
        port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    (folder / "chaincode.json").write_text(json.dumps({**connection, "peer_address": f"{HOST}:{port}"}))
    running = asyncio.create_task(ChaincodeClient.from_run_folder(folder, greet_back).run())
    for _ in range(2):
        assert await asyncio.wait_for(peer.calls.get(), PATIENCE_S) == "answered"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await server.stop(0)


def test_a_folder_without_a_peers_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="not what a peer writes"):
        ChaincodeClient.from_run_folder(tmp_path, greet_back)
