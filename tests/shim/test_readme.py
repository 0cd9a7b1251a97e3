"""The shim's README has a chaincode that runs."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import grpc.aio
import pytest
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2_grpc
from fabric_protos.peer import chaincode_shim_pb2 as shim

from tests.harness.examples import examples
from tests.shim.hand_peer import HandPeer, M, with_peer


@pytest.fixture
def example(tmp_path: Path) -> dict[str, object]:
    return examples("chaincode/shim/README.md", tmp_path)


def test_the_example_counts(example: dict[str, object]) -> None:
    async def play(peer: HandPeer) -> None:
        peer.call(b"visits")
        await peer.receive(M.GET_STATE)
        peer.send(M.RESPONSE, b"4")
        written = shim.PutState.FromString((await peer.receive(M.PUT_STATE)).payload)
        assert (written.key, written.value) == ("visits", b"5")
        peer.send(M.RESPONSE)
        assert (await peer.receive_response()).payload == b"5"

    with_peer(example["count"], play)


def test_the_example_serves_a_peer(example: dict[str, object]) -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        serving = asyncio.create_task(example["serve"](address, "counter:hash"))
        async with grpc.aio.insecure_channel(address) as channel:
            stream = chaincode_shim_pb2_grpc.ChaincodeStub(channel).Connect(wait_for_ready=True)
            register = await stream.read()
            assert chaincode_pb2.ChaincodeID.FromString(register.payload).name == "counter:hash"
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(run())
