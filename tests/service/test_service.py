"""`python -m chaincode`, as a member runs it. The test plays the peer that dials in."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2_grpc, proposal_response_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as M

from chaincode.code_digest import code_digest
from consortium.keys.member_keys import MemberKeys
from ledger.gateway import Call, SigningIdentity, make_proposal
from tests.harness.ports import free_ports
from tests.shim.fabric_peer import HOST
from zunft.v1.event_pb2 import Refusal
from zunft.v1.record_pb2 import ReadKey, Record

MSP_ID = "AlphaMSP"
ID = f"zunft:{'0' * 64}"
PATIENCE_S = 30
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> MemberKeys:
    member = MemberKeys.create(tmp_path_factory.mktemp("keys") / "alpha", MSP_ID)
    member.add_user("erp", ["erp"])
    return member


class Service:
    """A process of the contract that listens on `port`. `changed` are options other than the usual ones."""

    def __init__(self, keys: MemberKeys, log: Path, **changed: str) -> None:
        (self.port,) = free_ports(1)
        tls = keys.node_tls()
        options = {
            "listen": f"{HOST}:{self.port}",
            "chaincode-id": ID,
            "msp-id": MSP_ID,
            "tls-key": str(tls.key_path),
            "tls-certificate": str(tls.certificate_path),
            "client-roots": str(keys.folder / "tls/ca.pem"),
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen([sys.executable, "-m", "chaincode", *words], cwd=ROOT, stderr=stderr)

    def refusal(self) -> str:
        """The sentence with which a service ends that does not start."""
        assert self.process.wait(PATIENCE_S) != 0
        lines = [line for line in self.log.read_text().splitlines() if " INFO " not in line]
        assert len(lines) == 1, lines
        return lines[0]

    def wait_until_listening(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while " listens on " not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the service does not listen"
            time.sleep(0.05)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def service(keys: MemberKeys, tmp_path: Path) -> Iterator[Service]:
    service = Service(keys, tmp_path / "log", code_digest=code_digest().hex())
    try:
        service.wait_until_listening()
        yield service
    finally:
        service.end()


class Peer:
    """The peer's end of a conversation that has begun."""

    def __init__(self, keys: MemberKeys, call: grpc.aio.StreamStreamCall) -> None:  # type: ignore[type-arg]
        user = keys.user("erp")
        self._caller = SigningIdentity.load(MSP_ID, user.certificate_path, user.key_path)
        self._call = call

    async def call(self, name: str, request: bytes, *, late_s: int = 0) -> None:
        call = Call("channel", "zunft", [name.encode(), request])
        time_us = time.time_ns() // 1_000 - late_s * 1_000_000
        proposal = make_proposal(call, self._caller.creator, b"nonce", time_us)
        arguments = chaincode_pb2.ChaincodeInput(args=call.args).SerializeToString()
        await self.send(M(type=M.TRANSACTION, payload=arguments, proposal=proposal.signed))

    async def send(self, message: M) -> None:
        message.txid, message.channel_id = "tx", "channel"
        await self._call.write(message)

    async def receive(self, kind: int) -> bytes:
        """The payload of the service's next message, which must be of this kind."""
        message = await asyncio.wait_for(self._call.read(), PATIENCE_S)
        assert M.Type.Name(message.type) == M.Type.Name(kind), message
        return bytes(message.payload)

    async def response(self) -> proposal_response_pb2.Response:
        return proposal_response_pb2.Response.FromString(await self.receive(M.COMPLETED))


@asynccontextmanager
async def connected(keys: MemberKeys, port: int) -> AsyncIterator[Peer]:
    tls = keys.node_tls()
    credentials = grpc.ssl_channel_credentials(keys.tls_root_pem(), tls.key_pem(), tls.certificate_pem())
    async with grpc.aio.secure_channel(f"{HOST}:{port}", credentials) as channel:
        call = chaincode_shim_pb2_grpc.ChaincodeStub(channel).Connect()
        peer = Peer(keys, call)
        assert chaincode_pb2.ChaincodeID.FromString(await peer.receive(M.REGISTER)).name == ID
        await call.write(M(type=M.REGISTERED))
        await call.write(M(type=M.READY))
        yield peer


def test_the_service_runs_the_contract(keys: MemberKeys, service: Service) -> None:
    async def play() -> None:
        async with connected(keys, service.port) as peer:
            await peer.call("no.such", b"")
            response = await peer.response()
        assert response.status == 404
        assert Refusal.FromString(response.payload).error == "UnknownTransaction"

    asyncio.run(play())


def test_the_service_compares_a_proposals_time_with_its_own_clock(keys: MemberKeys, service: Service) -> None:
    async def play() -> None:
        async with connected(keys, service.port) as peer:
            await peer.call("record.read", ReadKey(key="member/AlphaMSP").SerializeToString(), late_s=3600)
            response = await peer.response()
        assert (response.status, Refusal.FromString(response.payload).error) == (403, "ClockSkew")

    asyncio.run(play())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_once_it_has_answered(keys: MemberKeys, service: Service, number: int) -> None:
    async def play() -> None:
        async with connected(keys, service.port) as peer:
            await peer.call("record.read", ReadKey(key="member/AlphaMSP").SerializeToString())
            await peer.receive(M.GET_STATE)
            service.process.send_signal(number)
            await peer.send(M(type=M.RESPONSE, payload=b"value"))
            assert Record.FromString((await peer.response()).payload).value == b"value"

    asyncio.run(play())
    assert service.process.wait(PATIENCE_S) == 0
    assert "Traceback" not in service.log.read_text()


def test_a_client_without_a_certificate_of_the_roots_is_refused(keys: MemberKeys, service: Service) -> None:
    async def play() -> None:
        credentials = grpc.ssl_channel_credentials(keys.tls_root_pem())
        async with grpc.aio.secure_channel(f"{HOST}:{service.port}", credentials) as channel:
            call = chaincode_shim_pb2_grpc.ChaincodeStub(channel).Connect()
            with pytest.raises(grpc.aio.AioRpcError):
                await asyncio.wait_for(call.read(), PATIENCE_S)

    asyncio.run(play())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"listen": "9999"}, "is not HOST:PORT"),
        ({"chaincode-id": "zunft"}, "is not LABEL:HASH"),
        ({"msp-id": ""}, "it is empty"),
        ({"timeout-s": "0"}, "not a number of seconds"),
        ({"code-digest": "12"}, "not a SHA-256 digest"),
        ({"no-such": "1"}, "unrecognized arguments"),
        ({"tls-key": "/nowhere/key.pem"}, "cannot read /nowhere/key.pem: No such file"),
        ({"tls-key": __file__}, "holds no unencrypted PEM private key"),
        ({"tls-certificate": __file__}, "holds no PEM certificate"),
        ({"client-roots": __file__}, "holds no PEM certificate"),
        ({"code-digest": "ab" * 32}, "the channel runs abababab: install the same version of zunft"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_reason_why_the_service_does_not_start_is_one_sentence(
    keys: MemberKeys, tmp_path: Path, changed: dict[str, str], sentence: str
) -> None:
    assert sentence in Service(keys, tmp_path / "log", **changed).refusal()


def test_a_key_of_another_certificate_is_refused(keys: MemberKeys, tmp_path: Path) -> None:
    key = keys.node().key_path
    assert "made together" in Service(keys, tmp_path / "log", tls_key=str(key)).refusal()


def test_a_port_in_use_is_one_sentence(keys: MemberKeys, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        address = f"{HOST}:{taken.getsockname()[1]}"
        assert "choose a free port" in Service(keys, tmp_path / "log", listen=address).refusal()
