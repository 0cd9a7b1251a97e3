"""Streams of events and blocks: from now on, from the past or a checkpoint, over broken connections and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import events_pb2
from fabric_protos.peer import transaction_pb2 as codes

from ledger.block_reader import read_block
from ledger.gateway import (
    BlocksRequest,
    Checkpoint,
    CommitError,
    EventsRequest,
    FileCheckpoints,
    Gateway,
    SigningIdentity,
    StreamError,
    system_clock_us,
)
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE
from tests.ledger.ledgers import FAST, OpenLedger
from tests.ledger.unreliable import AWAY, UnreliableTransport

SECRET = b"a value that nobody else may see"


@dataclass(frozen=True)
class Seen:
    """An item of a stream, which is a chaincode event or a block of any kind."""

    block_number: int
    tx_ids: tuple[str, ...]
    checkpoint: Checkpoint


@dataclass(frozen=True)
class StreamKind:
    """A kind of stream: how it is opened, also from a request that was signed elsewhere, and how its items are read."""

    stream: Callable[..., AsyncGenerator[Any]]
    request: Callable[..., EventsRequest | BlocksRequest]
    request_type: type[EventsRequest] | type[BlocksRequest]
    stream_of: Callable[..., AsyncGenerator[Any]]
    seen: Callable[[Any], Seen]

    def open(self, client: Gateway, start: int | None = None, after: Checkpoint | None = None) -> AsyncGenerator[Any]:
        return self.stream(client, start, after)


def seen_block(block: events_pb2.BlockAndPrivateData) -> Seen:
    found = read_block(block)
    return Seen(found.number, tuple(one.tx_id for one in found.transactions), Checkpoint.after_block(found.number))


def seen_filtered(block: events_pb2.FilteredBlock) -> Seen:
    tx_ids = tuple(one.txid for one in block.filtered_transactions)
    return Seen(block.number, tx_ids, Checkpoint.after_block(block.number))


KINDS = {
    "events": StreamKind(
        lambda client, start, after: client.chaincode_events(start_block=start, after=after),
        lambda client, start: client.new_events_request(start_block=start),
        EventsRequest,
        Gateway.events_of,
        lambda event: Seen(event.block_number, (event.tx_id,), event.checkpoint),
    ),
    "blocks": StreamKind(
        lambda client, start, after: client.blocks(start, after=after, private_data=False),
        Gateway.new_blocks_request,
        BlocksRequest,
        lambda client, request: client.blocks_of(request, private_data=False),
        seen_block,
    ),
    "filtered blocks": StreamKind(
        lambda client, start, after: client.filtered_blocks(start, after=after),
        Gateway.new_blocks_request,
        BlocksRequest,
        Gateway.filtered_blocks_of,
        seen_filtered,
    ),
    "blocks and private data": StreamKind(
        lambda client, start, after: client.blocks(start, after=after),
        Gateway.new_blocks_request,
        BlocksRequest,
        Gateway.blocks_of,
        seen_block,
    ),
}
BLOCK_KINDS = [name for name in KINDS if name != "events"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> StreamKind:
    return KINDS[request.param]


async def announce(client: Gateway, key: str, count: int = 1) -> list[str]:
    """Commits so many transactions with an event. Returns their ids in the ledger's order."""
    sent = [client.submit("announce", b"event", extra_args=[f"{key}/{number}".encode()]) for number in range(count)]
    committed = sorted(await asyncio.gather(*sent), key=lambda one: one.block_number)
    return [one.tx_id for one in committed]


async def read_until(kind: StreamKind, stream: AsyncGenerator[Any], tx_ids: Sequence[str]) -> list[Seen]:
    """Reads the stream until it has brought all these transactions. Returns all items."""
    missing, found = set(tx_ids), []
    while missing:
        found.append(kind.seen(await anext(stream)))
        missing -= set(found[-1].tx_ids)
    return found


# --- a stream's beginning -------------------------------------------------------------------------------------------


async def test_every_reader_gets_the_next_block(ledger: OpenLedger, kind: StreamKind, key: str) -> None:
    """A reader's stream goes on when another reader closes its own."""
    async with ledger() as members:
        client = members.gateway()
        await announce(client, key)
        height = await client.height()
        readers = [kind.open(client) for _ in range(2)]
        coming = [asyncio.ensure_future(anext(reader)) for reader in readers]
        # A client cannot know when its stream has begun. Blocks from before its request must not come.
        while not all(one.done() for one in coming):
            await announce(client, key)
            await asyncio.wait(coming, timeout=0.1)
        assert all(kind.seen(one.result()).block_number >= height for one in coming)
        await readers[0].aclose()
        (tx_id,) = await announce(client, key)
        assert tx_id in (await read_until(kind, readers[1], [tx_id]))[-1].tx_ids
        await readers[1].aclose()


async def test_past_blocks_can_be_read_again(ledger: OpenLedger, kind: StreamKind, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        committed = await client.submit("announce", b"event", extra_args=[key.encode()])
        for _ in range(2):
            async with aclosing(kind.open(client, committed.block_number)) as stream:
                first = kind.seen(await anext(stream))
            assert (first.block_number, committed.tx_id in first.tx_ids) == (committed.block_number, True)


async def test_everything_comes_once_over_broken_connections_and_restarts(
    ledger: OpenLedger, kind: StreamKind, key: str, tmp_path: Path
) -> None:
    checkpoints = FileCheckpoints(tmp_path / "checkpoint.json")
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        client, start = members.gateway(transport=transport), await members.gateway().height()
        sent = await announce(client, key, 5) + await announce(client, key, 5)
        transport.items_per_connection = 1
        seen: list[str] = []
        while set(seen) < set(sent):
            # The program stops after every third item and goes on from its checkpoint.
            async with aclosing(kind.open(client, start, checkpoints.load())) as stream:
                for _ in range(3):
                    item = kind.seen(await anext(stream))
                    seen += item.tx_ids
                    checkpoints.save(item.checkpoint)
                    if set(seen) >= set(sent):
                        break
        assert sorted(seen) == sorted(sent)


# --- signed elsewhere -----------------------------------------------------------------------------------------------


async def test_a_request_can_be_signed_elsewhere(ledger: OpenLedger, kind: StreamKind, key: str) -> None:
    async with ledger() as members:
        committed = await members.gateway().submit("announce", b"event", extra_args=[key.encode()])
        key_holder = members.user(ALPHA)
        offline = SigningIdentity.offline(ALPHA, key_holder.certificate_pem)
        transport = UnreliableTransport(members.transport())
        client = Gateway(transport, offline, channel=CHANNEL, limits=FAST)
        carried = kind.request_type.from_bytes(kind.request(client, committed.block_number).to_bytes())
        request = carried.with_signature(key_holder.sign(carried.message))
        transport.items_per_connection = 1
        async with aclosing(kind.stream_of(client, request)) as stream:
            assert committed.tx_id in kind.seen(await anext(stream)).tx_ids
            await announce(members.gateway(), key)
            # The client has no key to sign another request.
            with pytest.raises(StreamError, match="the peer is away"):
                await anext(stream)
        forged = carried.with_signature(members.user(BRAVO).sign(carried.message))
        with pytest.raises(StreamError):
            await anext(kind.stream_of(client, forged))


# --- the content of blocks ------------------------------------------------------------------------------------------


async def test_a_filtered_block_has_codes_and_names_and_no_values(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        height = await client.height()
        (valid,) = await announce(client, key)
        with pytest.raises(CommitError) as failed:
            await client.submit("announce", b"lost", extra_args=[key.encode()], endorsing_msp_ids=[ALPHA])
        found: dict[str, events_pb2.FilteredTransaction] = {}
        async with aclosing(client.filtered_blocks(height)) as blocks:
            while not {valid, failed.value.tx_id} <= set(found):
                block = await anext(blocks)
                assert (block.channel_id, block.number) == (CHANNEL, height)
                found |= {one.txid: one for one in block.filtered_transactions}
                height += 1
        assert found[valid].tx_validation_code == codes.VALID
        assert found[failed.value.tx_id].tx_validation_code == codes.ENDORSEMENT_POLICY_FAILURE
        assert found[valid].type == common_pb2.ENDORSER_TRANSACTION
        (action,) = found[valid].transaction_actions.chaincode_actions
        event = action.chaincode_event
        assert (event.tx_id, event.chaincode_id, event.event_name, event.payload) == (valid, "zunft", "event", b"")


async def test_blocks_bring_each_member_its_own_private_data(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        both = (ALPHA, BRAVO)
        committed = await members.gateway().submit(
            "share",
            key.encode(),
            extra_args=[msp_id.encode() for msp_id in both],
            transient={"value": SECRET},
            endorsing_msp_ids=both,
        )
        for msp_id, expected in ((ALPHA, [SECRET]), (BRAVO, [SECRET]), (CHARLIE, [])):
            async with aclosing(members.gateway(msp_id).blocks(committed.block_number)) as blocks:
                block = await anext(blocks)
            assert list(private_values(block)) == expected
            assert SECRET not in block.block.SerializeToString()


def private_values(block: events_pb2.BlockAndPrivateData) -> list[bytes]:
    parts = [
        part
        for entry in block.private_data_map.values()
        for namespace in entry.ns_pvt_rwset
        for part in namespace.collection_pvt_rwset
    ]
    return [write.value for part in parts for write in kv_rwset_pb2.KVRWSet.FromString(part.rwset).writes]


async def test_blocks_come_in_order_over_broken_connections(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        client, start = members.gateway(transport=transport), await members.gateway().height()
        for _ in range(5):
            await announce(client, key)
        transport.items_per_connection = 2
        async with aclosing(client.blocks(start)) as stream:
            numbers = [(await anext(stream)).block.header.number for _ in range(5)]
        assert numbers == list(range(start, start + 5))
        assert transport.calls["deliver"] == 3


async def test_present_blocks_end_with_the_newest(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        await announce(client, key)
        numbers = [block.block.header.number async for block in client.present_blocks()]
        assert numbers == list(range(await client.height()))


# --- requests and refused streams -----------------------------------------------------------------------------------


class RequestTimes(UnreliableTransport):
    """A transport that keeps the time of the last request for blocks."""

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        header = common_pb2.Payload.FromString(request.payload).header.channel_header
        self.time_us = common_pb2.ChannelHeader.FromString(header).timestamp.ToMicroseconds()
        return super().deliver_filtered(request)


async def test_a_request_for_blocks_carries_the_machines_time(ledger: OpenLedger) -> None:
    """A peer refuses a request with another time. So the time is not from the clock of the client's transactions."""
    async with ledger() as members:
        transport, before_us = RequestTimes(members.transport()), system_clock_us()
        await Gateway(transport, members.user(ALPHA), channel=CHANNEL, clock=lambda: 0).height()
        assert before_us <= transport.time_us <= system_clock_us()


async def test_a_stream_whose_peer_stays_away_fails(ledger: OpenLedger, kind: StreamKind) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        transport.failures = {"deliver": [AWAY] * 10_000, "chaincode_events": [AWAY] * 10_000}
        with pytest.raises(StreamError, match="the peer is away"):
            await anext(kind.open(members.gateway(transport=transport), 0))


async def test_a_stranger_gets_nothing(ledger: OpenLedger, kind: StreamKind) -> None:
    async with ledger() as members:
        user = members.user(ALPHA)
        stranger = SigningIdentity("StrangerMSP", user.certificate_pem, user.sign)
        client = Gateway(members.transport(), stranger, channel=CHANNEL, limits=FAST)
        with pytest.raises(StreamError, match=r"may not read the channel|access denied|Readers"):
            await anext(kind.open(client, 0))


async def test_a_stream_has_only_its_own_chaincodes_events(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        (tx_id,) = await announce(members.gateway(), key)
        other = Gateway(members.transport(), members.user(ALPHA), channel=CHANNEL, chaincode="other", limits=FAST)
        coming = asyncio.ensure_future(anext(other.chaincode_events(start_block=0)))
        async with aclosing(members.gateway().chaincode_events(start_block=0)) as events:
            while (event := await anext(events)).tx_id != tx_id:
                pass
        assert (event.name, event.payload, event.chaincode) == ("event", f"{key}/0".encode(), "zunft")
        assert not coming.done()
        coming.cancel()
