"""What the gateway client does when the ledger is slow, overloaded, away, or changes under its feet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from fabric_protos.peer import transaction_pb2 as codes

from network.certificates import NodeKind, Validity, issue_tls
from node.ledger.embedded.service import LedgerServer, ServerTls
from node.ledger.errors import TransportError
from node.ledger.gateway import (
    Checkpoint,
    Commit,
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    FileCheckpoints,
    Gateway,
    Limits,
    Proposal,
    SigningIdentity,
    StreamError,
    SubmitError,
    Transaction,
)
from node.ledger.gateway.clock import system_clock_us
from node.ledger.grpc_transport import GrpcTransport, TlsFiles
from node.ledger.transport import LedgerTransport
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE, embedded, member
from tests.ledger.unreliable import AWAY, OVERLOADED, UnreliableTransport

FAST = Limits(first_pause_s=0.001, longest_pause_s=0.01, reconnect_s=0.2)


@asynccontextmanager
async def unreliable(folder: Path) -> AsyncIterator[UnreliableTransport]:
    async with embedded(folder) as ledger:
        yield UnreliableTransport(ledger)


def gateway(transport: LedgerTransport, limits: Limits = FAST) -> Gateway:
    return Gateway(transport, member(ALPHA).user, channel=CHANNEL, limits=limits)


async def increment(client: Gateway, retries: int = 0) -> int:
    return (await client.submit("increment", b"counter", retries=retries)).block_number


async def counter(client: Gateway) -> bytes:
    return await client.evaluate("get", b"counter")


# --- a call that fails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["endorse", "submit", "commit_status"])
@pytest.mark.parametrize("failure", [AWAY, OVERLOADED])
async def test_what_passes_is_tried_again(tmp_path: Path, step: str, failure: TransportError) -> None:
    async with unreliable(tmp_path) as transport:
        transport.failures[step] = [failure, failure]
        await increment(gateway(transport))
        assert transport.calls[step] == 3
        assert await counter(gateway(transport)) == b'["1"]'


async def test_a_transaction_whose_answer_was_lost_is_committed_once(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        transport.lost["submit"] = [AWAY, AWAY]
        await increment(gateway(transport))
        assert transport.calls["submit"] == 3
        assert await counter(gateway(transport)) == b'["1"]'


async def test_a_refusal_is_not_tried_again(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        with pytest.raises(EndorseError) as refused:
            await gateway(transport).submit("crash", b"on purpose")
        assert transport.calls["endorse"] == 1
        assert ALPHA in str(refused.value)
        assert refused.value.details


@pytest.mark.parametrize(
    ("step", "error"), [("evaluate", EvaluateError), ("endorse", EndorseError), ("submit", SubmitError)]
)
async def test_trying_ends(tmp_path: Path, step: str, error: type[Exception]) -> None:
    async with unreliable(tmp_path) as transport:
        transport.failures[step] = [AWAY] * 100
        with pytest.raises(error, match="the peer is away"):
            await (counter if step == "evaluate" else increment)(gateway(transport, replace(FAST, attempts=4)))
        assert transport.calls[step] == 4


# --- a call that is not answered ------------------------------------------------------------------------------------


async def test_a_commit_that_was_not_seen_can_be_asked_for_later(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        transport.hanging.add("commit_status")
        with pytest.raises(CommitStatusError, match=r"not answered within 0\.05 s.*do not submit it again") as late:
            await increment(gateway(transport, replace(FAST, commit_status_s=0.05)))
        transport.hanging.clear()
        client = gateway(transport)
        assert await client.commit_status(client.new_commit(late.value.tx_id)) == 1
        assert await counter(client) == b'["1"]'


async def test_waiting_for_an_endorsement_ends(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        transport.hanging.add("endorse")
        with pytest.raises(EndorseError, match=r"not answered within 0\.05 s") as late:
            await increment(gateway(transport, replace(FAST, endorse_s=0.05)))
        assert late.value.grpc_code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert transport.under_way == 0


async def test_no_more_calls_are_under_way_than_a_peer_bears(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        client = gateway(transport, replace(FAST, in_flight=5))
        await asyncio.gather(*(client.submit("put", b"key%d" % number, extra_args=[b"v"]) for number in range(40)))
        assert transport.most_under_way == 5


# --- a ledger that changes meanwhile --------------------------------------------------------------------------------


async def test_conflicts_are_settled_by_fresh_proposals(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        client = gateway(ledger)
        await asyncio.gather(*(increment(client, retries=50) for _ in range(10)))
        assert await counter(client) == b'["10"]'


async def test_without_retries_a_conflict_is_an_error(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        client = gateway(ledger)
        stale = await client.endorse(client.new_proposal("increment", b"counter"))
        await increment(client)
        with pytest.raises(CommitError, match="MVCC_READ_CONFLICT") as conflict:
            await client.commit_status(await client.send(stale))
        assert conflict.value.code == codes.MVCC_READ_CONFLICT
        assert conflict.value.is_conflict
        assert conflict.value.tx_id == stale.tx_id


# --- streams --------------------------------------------------------------------------------------------------------


async def announce(client: Gateway, count: int) -> list[str]:
    sent = [client.submit("announce", b"event", extra_args=[b"key%d" % number]) for number in range(count)]
    return [committed.tx_id for committed in await asyncio.gather(*sent)]


async def test_events_come_once_each_over_broken_connections_and_restarts(tmp_path: Path) -> None:
    checkpoints = FileCheckpoints(tmp_path / "events.json")
    async with unreliable(tmp_path / "ledger") as transport:
        sent = await announce(gateway(transport), 10)
        transport.items_per_connection = 1
        seen: list[str] = []
        while len(seen) < len(sent):
            stream = gateway(transport).chaincode_events(start_block=0, after=checkpoints.load())
            # The program stops after every third event and goes on from its checkpoint.
            for _ in range(min(3, len(sent) - len(seen))):
                event = await anext(stream)
                seen.append(event.tx_id)
                checkpoints.save(event.checkpoint)
            await stream.aclose()
        assert sorted(seen) == sorted(sent)
        assert checkpoints.load() == Checkpoint(event.block_number, seen[-1])


async def test_events_begin_with_the_next_block_unless_told_otherwise(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        client = gateway(ledger)
        await announce(client, 1)
        stream = client.chaincode_events()
        coming = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        (tx_id,) = await announce(client, 1)
        assert (await coming).tx_id == tx_id
        await stream.aclose()


async def test_blocks_come_in_order_over_broken_connections(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        for _ in range(5):
            await increment(gateway(transport))
        transport.items_per_connection = 2
        stream = gateway(transport).blocks(0)
        assert [(await anext(stream)).block.header.number for _ in range(6)] == list(range(6))
        await stream.aclose()
        assert transport.calls["deliver"] == 3


async def test_present_blocks_end_with_the_newest(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        for _ in range(3):
            await increment(gateway(ledger))
        numbers = [block.block.header.number async for block in gateway(ledger).present_blocks(1)]
        assert numbers == [1, 2, 3]


class Overheard(UnreliableTransport):
    """Keeps the times of the requests for blocks."""

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        header = common_pb2.Payload.FromString(request.payload).header.channel_header
        self.time_us = common_pb2.ChannelHeader.FromString(header).timestamp.ToMicroseconds()
        return super().deliver_filtered(request)


async def test_a_request_for_blocks_carries_the_machines_time(tmp_path: Path) -> None:
    """A peer refuses another, so it is not the clock that transactions go by."""
    async with embedded(tmp_path) as ledger:
        transport, before_us = Overheard(ledger), system_clock_us()
        await Gateway(transport, member(ALPHA).user, channel=CHANNEL, clock=lambda: 0).height()
        assert before_us <= transport.time_us <= system_clock_us()


async def test_a_stream_that_stays_away_says_so(tmp_path: Path) -> None:
    async with unreliable(tmp_path) as transport:
        transport.failures["deliver"] = [AWAY] * 10_000
        with pytest.raises(StreamError, match="the peer is away"):
            await anext(gateway(transport).blocks(0))


async def test_a_stranger_gets_no_blocks(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        stranger = SigningIdentity("StrangerMSP", member(ALPHA).user.certificate_pem, member(ALPHA).user.sign)
        client = Gateway(ledger, stranger, channel=CHANNEL, limits=FAST)
        with pytest.raises(StreamError, match="may not read the channel"):
            await anext(client.blocks(0))


# --- signed elsewhere -----------------------------------------------------------------------------------------------


async def test_every_step_can_be_signed_elsewhere(tmp_path: Path) -> None:
    key_holder = member(ALPHA).user
    async with embedded(tmp_path) as ledger:
        identity = SigningIdentity.offline(ALPHA, key_holder.certificate_pem)
        client = Gateway(ledger, identity, channel=CHANNEL, limits=FAST)
        proposal = Proposal.from_bytes(
            client.new_proposal("increment", b"counter", endorsing_msp_ids=[ALPHA, BRAVO, CHARLIE]).to_bytes()
        )
        transaction = await client.endorse(proposal.with_signature(key_holder.sign(proposal.message)))
        transaction = Transaction.from_bytes(transaction.to_bytes())
        commit = await client.send(transaction.with_signature(key_holder.sign(transaction.message)))
        commit = Commit.from_bytes(commit.to_bytes())
        assert await client.commit_status(commit.with_signature(key_holder.sign(commit.message))) == 1
        assert await counter(gateway(ledger)) == b'["1"]'


# --- over the wire --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[str, bytes]]:
    """Address and TLS root of a ledger's service."""
    root = member(ALPHA).root
    tls = issue_tls(root, "node", NodeKind.PEER, ["localhost"], Validity())
    async with embedded(folder) as ledger:
        server = await LedgerServer.start(ledger, "localhost", 0, ServerTls(tls.key_pem, tls.certificate_pem))
        try:
            yield f"localhost:{server.port}", root.certificate_pem
        finally:
            await server.stop(0)


async def test_a_ledger_over_the_wire_answers_as_one_in_the_process(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, root):
        transport = GrpcTransport(address, TlsFiles(root))
        client = gateway(transport)
        committed = await client.submit("announce", b"event", extra_args=[b"key"], retries=1)
        events, blocks = client.chaincode_events(start_block=0), client.blocks(committed.block_number)
        assert (await anext(events)).tx_id == committed.tx_id
        assert (await anext(blocks)).block.header.number == committed.block_number
        with pytest.raises(EndorseError) as refused:
            await client.submit("crash", b"on purpose", endorsing_msp_ids=[ALPHA, BRAVO])
        assert {detail.msp_id for detail in refused.value.details} >= {ALPHA}
        await events.aclose()
        await blocks.aclose()
        await transport.close()


async def test_large_values_pass(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, root):
        transport = GrpcTransport(address, TlsFiles(root))
        value = bytes(range(65, 91)) * 160_000
        committed = await gateway(transport).submit("put", b"large", extra_args=[value])
        blocks = gateway(transport).blocks(committed.block_number)
        assert value in (await anext(blocks)).block.data.data[0]
        await blocks.aclose()
        await transport.close()


async def test_a_server_that_is_not_there_or_not_trusted_is_named(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, root):
        pass
    gone = GrpcTransport(address, TlsFiles(root))
    with pytest.raises(EvaluateError, match=f"no ledger answers at {address}"):
        await counter(gateway(gone, replace(FAST, attempts=2)))
    await gone.close()
    async with served(tmp_path) as (address, _):
        distrusted = GrpcTransport(address, TlsFiles(member(BRAVO).root.certificate_pem))
        with pytest.raises(EvaluateError, match=f"no ledger answers at {address}"):
            await counter(gateway(distrusted, replace(FAST, attempts=2)))
        await distrusted.close()
