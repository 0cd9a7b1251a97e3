"""The shim's conversation with a peer: its order, and its answers when something goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest
from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim

from chaincode.shim import FabricStub, ProtocolError, Response, limits
from tests.shim.hand_peer import HandPeer, M, with_peer

OK = Response(payload=b"done")


async def read_one(stub: FabricStub) -> Response:
    return Response(payload=await stub.get("key") or b"nothing")


def test_an_init_is_answered_like_a_transaction() -> None:
    async def play(peer: HandPeer) -> None:
        peer.call(kind=M.INIT)
        await peer.receive(M.GET_STATE)
        peer.send(M.RESPONSE, b"value")
        assert (await peer.receive_response()).payload == b"value"

    with_peer(read_one, play)


def test_a_keep_alive_is_echoed_before_and_after_the_greeting() -> None:
    async def play() -> None:
        peer = HandPeer(read_one)
        peer.send(M.KEEPALIVE)
        await peer.receive(M.REGISTER)
        await peer.receive(M.KEEPALIVE)
        peer.send(M.REGISTERED)
        peer.send(M.READY)
        peer.send(M.KEEPALIVE)
        await peer.receive(M.KEEPALIVE)
        await peer.outgoing.aclose()

    asyncio.run(play())


@pytest.mark.parametrize("kind", [M.READY, M.TRANSACTION, M.UNDEFINED, 99])
def test_a_message_out_of_turn_ends_the_conversation(kind: int) -> None:
    async def play() -> None:
        peer = HandPeer(read_one)
        await peer.receive(M.REGISTER)
        peer.send(kind)
        with pytest.raises(ProtocolError, match="where REGISTERED was due"):
            await anext(peer.outgoing)

    asyncio.run(play())


def test_a_peer_that_does_not_know_the_id_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaincode.shim.conversation.GREETING_TIMEOUT_S", 0)

    async def play() -> None:
        peer = HandPeer(read_one)
        await peer.receive(M.REGISTER)
        with pytest.raises(ProtocolError, match=r"did not accept label:hash .* check that this is the id"):
            await anext(peer.outgoing)

    asyncio.run(play())


def test_a_lost_connection_cancels_the_transaction_and_answers_nobody() -> None:
    seen: list[str] = []

    async def handler(stub: FabricStub) -> Response:
        try:
            await stub.get("key")
        except BaseException as error:
            seen.append(type(error).__name__)
            raise
        return OK

    async def play(peer: HandPeer) -> None:
        peer.call()
        await peer.receive(M.GET_STATE)
        peer.hang_up()
        assert [message async for message in peer.outgoing] == []

    with_peer(handler, play)
    assert seen in (["StreamEnded"], ["CancelledError"])


def test_requests_at_the_same_time_wait_in_line() -> None:
    async def handler(stub: FabricStub) -> Response:
        values = await asyncio.gather(stub.get("a"), stub.get("b"))
        return Response(payload=b"".join(value or b"-" for value in values))

    async def play(peer: HandPeer) -> None:
        peer.call()
        for key, value in (("a", b"1"), ("b", b"2")):
            assert shim.GetState.FromString((await peer.receive(M.GET_STATE)).payload).key == key
            # A second request would come here. None may be sent before the first one is answered.
            peer.send(M.KEEPALIVE, tx_id="")
            await peer.receive(M.KEEPALIVE)
            peer.send(M.RESPONSE, value)
        assert (await peer.receive_response()).payload == b"12"

    with_peer(handler, play)


def test_an_answer_to_an_abandoned_request_is_not_taken_for_the_next() -> None:
    async def handler(stub: FabricStub) -> Response:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stub.get("slow"), 0)
        abandoned = asyncio.create_task(stub.get("slow"))
        await asyncio.sleep(0)
        abandoned.cancel()
        return Response(payload=await stub.get("quick") or b"")

    async def play(peer: HandPeer) -> None:
        peer.call()
        await peer.receive(M.GET_STATE)
        peer.send(M.RESPONSE, b"of the slow one")
        assert shim.GetState.FromString((await peer.receive(M.GET_STATE)).payload).key == "quick"
        peer.send(M.RESPONSE, b"of the quick one")
        assert (await peer.receive_response()).payload == b"of the quick one"

    with_peer(handler, play)


def test_a_transaction_that_still_runs_is_not_run_twice() -> None:
    async def play(peer: HandPeer) -> None:
        peer.call()
        await peer.receive(M.GET_STATE)
        peer.call()
        assert b"still running" in (await peer.receive(M.ERROR)).payload
        peer.send(M.RESPONSE, b"value")
        assert (await peer.receive_response()).payload == b"value"

    with_peer(read_one, play)


def test_transactions_at_the_same_time_do_not_mix() -> None:
    async def play(peer: HandPeer) -> None:
        peer.call()
        peer.call(tx_id="other")
        assert {(await peer.receive(M.GET_STATE)).txid, (await peer.receive(M.GET_STATE)).txid} == {"tx", "other"}
        peer.send(M.RESPONSE, b"2", tx_id="other")
        assert (await peer.receive_response()).payload == b"2"
        peer.send(M.RESPONSE, b"1")
        assert (await peer.receive_response()).payload == b"1"

    with_peer(read_one, play)


def test_a_transaction_that_takes_too_long_is_given_up_and_reported() -> None:
    async def handler(_stub: FabricStub) -> Response:
        await asyncio.Event().wait()
        return OK

    async def play(peer: HandPeer) -> None:
        peer.call()
        response = await peer.receive_response()
        assert (response.status, response.message) == (500, "the transaction took longer than 0 s and was given up")

    with_peer(handler, play, timeout_s=0)


def test_a_fault_is_answered_and_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_stub: FabricStub) -> Response:
        raise KeyError("confidential")

    async def play(peer: HandPeer) -> None:
        peer.call(b"confidential too")
        response = await peer.receive_response()
        assert (response.status, response.message) == (500, "the chaincode failed with KeyError; its log says where")

    with caplog.at_level(logging.DEBUG):
        with_peer(handler, play)
    assert "KeyError" in caplog.text
    assert "confidential too" not in caplog.text


@pytest.mark.parametrize("answer", [None, Response(status="200"), Response(message="\udfff"), Response(payload="")])  # type: ignore[arg-type]
def test_an_answer_of_a_wrong_type_is_a_fault(answer: Response) -> None:
    async def handler(_stub: FabricStub) -> Response:
        return answer

    async def play(peer: HandPeer) -> None:
        peer.call()
        assert (await peer.receive_response()).message.startswith("the chaincode failed with")

    with_peer(handler, play)


def test_a_refusal_writes_nothing_and_has_no_event() -> None:
    async def handler(stub: FabricStub) -> Response:
        stub.put("key", b"value")
        stub.set_event("event", b"")
        return Response(409, "no")

    async def play(peer: HandPeer) -> None:
        peer.call()
        message = await peer.receive(M.COMPLETED)
        assert not message.HasField("chaincode_event")

    with_peer(handler, play)


def test_a_refused_write_fails_the_transaction() -> None:
    async def handler(stub: FabricStub) -> Response:
        stub.put("key", b"value")
        stub.put("other", b"value")
        return OK

    async def play(peer: HandPeer) -> None:
        peer.call()
        await peer.receive(M.PUT_STATE)
        peer.send(M.ERROR, b"the disk is full")
        response = await peer.receive_response()
        assert response.status == 500
        assert response.message == "PeerError: the peer refused PUT_STATE: the disk is full"

    with_peer(handler, play)


def test_a_message_that_is_too_large_for_a_peer_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaincode.shim.requests.MAX_MESSAGE_BYTES", 1000)

    async def handler(stub: FabricStub) -> Response:
        if stub.args[0] == b"write":
            stub.put("key", bytes(1000))
        return Response(payload=bytes(1000) if stub.args[0] == b"answer" else b"")

    async def play(peer: HandPeer) -> None:
        for command in (b"write", b"answer"):
            peer.call(command)
            response = await peer.receive_response()
            assert response.status == 500
            assert "a peer takes 1000" in response.message

    with_peer(handler, play)


def test_a_call_that_cannot_be_read_is_an_error() -> None:
    async def play(peer: HandPeer) -> None:
        peer.send(M.TRANSACTION, b"\xff\xff")
        await peer.receive(M.ERROR)

    with_peer(read_one, play)


def test_a_running_transaction_is_answered_before_the_conversation_stops() -> None:
    async def play(peer: HandPeer) -> None:
        peer.call()
        await peer.receive(M.GET_STATE)
        stopping = asyncio.create_task(peer.conversation.stop(10))
        await asyncio.sleep(0)
        peer.send(M.RESPONSE, b"value")
        assert (await peer.receive_response()).payload == b"value"
        assert [message async for message in peer.outgoing] == []
        await stopping

    with_peer(read_one, play)


@pytest.mark.parametrize(
    ("announced", "expected"),
    [
        ({}, limits.PeerLimits(1, 1)),
        ({"use_write_batch": True}, limits.PeerLimits(100, 1)),
        ({"use_get_multiple_keys": True, "max_size_get_multiple_keys": 7}, limits.PeerLimits(1, 7)),
        ({"max_size_write_batch": 1000}, limits.PeerLimits(1, 1)),
    ],
)
def test_the_limits_that_the_peer_announces_count(announced: dict[str, int], expected: limits.PeerLimits) -> None:
    payload = chaincode_pb2.ChaincodeAdditionalParams(**announced).SerializeToString()
    assert limits.read_limits(payload) == expected
    assert limits.read_limits(b"\xff") == limits.PeerLimits()
