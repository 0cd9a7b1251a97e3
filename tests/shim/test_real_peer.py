"""The shim with a real peer, which is started for these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from chaincode import contract
from chaincode.errors import NotFound
from chaincode.shim import ChaincodeServer, Handler, ServerTls
from consortium.keys.certificates import (
    NodeKind,
    Validity,
    issue_tls,
    make_authority,
)
from ledger.gateway import GatewayError, Limits
from tests.harness.fabric import why_no_fabric
from tests.harness.ports import free_ports
from tests.shim.exercise import exercise
from tests.shim.fabric_peer import HOST, MSP_ID, FabricPeer, make_package, package_id
from tests.shim.recorder import IMPATIENT, IN_BATCHES, SINGLY
from tests.shim.script import play, play_all, query, submit
from zunft.v1 import record_pb2

MISSING = why_no_fabric()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

Play = Callable[[FabricPeer], Awaitable[None]]


def on_peer(folder: Path, play_with: Play, core: Mapping[str, Any] | None = None) -> None:
    async def run() -> None:
        peer = FabricPeer(folder, core or {})
        try:
            await peer.start()
            await play_with(peer)
        finally:
            await peer.stop()

    asyncio.run(run())


def service(label: str, handler: Handler, tls: ServerTls | None = None, **connection: object) -> tuple:  # type: ignore[type-arg]
    """A server that is not started yet, and the package that leads to it."""
    (port,) = free_ports(1)
    address = f"{HOST}:{port}"
    package = make_package(label, {"address": address, "dial_timeout": "10s", "tls_required": bool(tls), **connection})
    return ChaincodeServer(address, package_id(label, package), handler, msp_id=MSP_ID, tls=tls), package


@pytest.mark.parametrize("core", [SINGLY, IN_BATCHES], ids=["singly", "in batches"])
def test_everything_that_the_stub_offers_works(tmp_path: Path, core: Mapping[str, Any]) -> None:
    async def play_with(peer: FabricPeer) -> None:
        (one, package), (two, other) = service("probe", exercise), service("other", exercise)
        async with one, two:
            await peer.deploy("other", other)
            await peer.deploy("probe", package)
            gateway = peer.gateway("probe")
            await play_all(gateway)
            async with aclosing(gateway.chaincode_events(start_block=0)) as events:
                event = await anext(events)
            assert (event.name, event.payload) == ("written", b"3")

    on_peer(tmp_path, play_with, core)


def test_mutual_tls_and_a_chaincode_that_comes_back(tmp_path: Path) -> None:
    root = make_authority("tls-ca", MSP_ID, Validity())
    ours, peers = (issue_tls(root, name, NodeKind.PEER, [HOST], Validity()) for name in ("chaincode", "peer"))
    tls = ServerTls(ours.key_pem, ours.certificate_pem, root.certificate_pem)
    connection = {
        "client_auth_required": True,
        "root_cert": root.certificate_pem.decode(),
        "client_key": peers.key_pem.decode(),
        "client_cert": peers.certificate_pem.decode(),
    }

    async def play_with(peer: FabricPeer) -> None:
        server, package = service("probe", exercise, tls, **connection)
        async with server:
            await peer.deploy("probe", package)
            await play(peer.gateway("probe"), submit("write", "a=1", answer=1))
        async with server:
            await play(peer.gateway("probe"), query("read", "a", answer=["1", "1"]))

    on_peer(tmp_path, play_with)


def test_a_transaction_that_outlives_the_peers_patience_leaves_the_others_alone(tmp_path: Path) -> None:
    async def play_with(peer: FabricPeer) -> None:
        server, package = service("probe", exercise)
        async with server:
            await peer.deploy("probe", package)
            gateway = peer.gateway("probe")
            late = asyncio.create_task(gateway.evaluate("sleep", b"1200"))
            await play(gateway, submit("write", "a=1", answer=1))
            with pytest.raises(GatewayError, match="timeout"):
                await late
            await play(gateway, query("read", "a", answer=["1", "1"]))

    on_peer(tmp_path, play_with, IMPATIENT)


def test_a_wrong_id_is_soon_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaincode.shim.conversation.GREETING_TIMEOUT_S", 1)

    async def play_with(peer: FabricPeer) -> None:
        server, package = service("probe", exercise)
        server = ChaincodeServer(server.address, "probe:0123", exercise, msp_id=MSP_ID)
        async with server:
            await peer.deploy("probe", package)
            once = peer.gateway("probe").with_limits(Limits(attempts=1))
            with pytest.raises(GatewayError, match="chaincode"):
                await once.evaluate("read", b"a")

    on_peer(tmp_path, play_with)
    assert "did not accept probe:0123" in caplog.text


def test_a_peer_runs_the_chaincode_itself(tmp_path: Path) -> None:
    async def play_with(peer: FabricPeer) -> None:
        await peer.deploy("probe", make_package("probe", None))
        await play(peer.gateway("probe"), submit("write", "a=1", answer=1))
        await play(peer.gateway("probe"), query("read", "a", answer=["1", "1"]))

    on_peer(tmp_path, play_with)


def test_the_contract_runs_unchanged(tmp_path: Path) -> None:
    async def play_with(peer: FabricPeer) -> None:
        server, package = service("zunft", contract.invoke)
        async with server:
            await peer.deploy("zunft", package)
            with pytest.raises(NotFound):
                await peer.gateway("zunft").evaluate("record.read", record_pb2.ReadKey(key="member/NoMSP"))

    on_peer(tmp_path, play_with)
