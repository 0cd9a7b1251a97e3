"""Events and blocks: from now on, from the past, after a checkpoint, signed elsewhere; over breaks and restarts."""

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
)
from ledger.gateway.clock import system_clock_us
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE
from tests.ledger.ledgers import FAST, OpenLedger
from tests.ledger.unreliable import AWAY, UnreliableTransport

SECRET = b"a value that nobody else may see"


@dataclass(frozen=True)
class Seen:
    """What a reader got: a chaincode event, or a block of any kind."""

    block_number: int
    tx_ids: tuple[str, ...]
    checkpoint: Checkpoint


@dataclass(frozen=True)
class StreamKind:
    """How a stream of this kind is opened, also from a request signed elsewhere, and what one of its items says."""

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
    """As many transactions with an event; their ids in the ledger's order."""
    sent = [client.submit("announce", b"event", extra_args=[f"{key}/{number}".encode()]) for number in range(count)]
    committed = sorted(await asyncio.gather(*sent), key=lambda one: one.block_number)
    return [one.tx_id for one in committed]


async def read_until(kind: StreamKind, stream: AsyncGenerator[Any], tx_ids: Sequence[str]) -> list[Seen]:
    """Everything up to the last of these transactions."""
    missing, found = set(tx_ids), []
    while missing:
        found.append(kind.seen(await anext(stream)))
        missing -= set(found[-1].tx_ids)
    return found


# --- where a stream begins ------------------------------------------------------------------------------------------


async def test_what_comes_next_is_told_to_every_reader(ledger: OpenLedger, kind: StreamKind, key: str) -> None:
    """And it goes on for one when another has had enough."""
    async with ledger() as members:
        client = members.gateway()
        await announce(client, key)
        height = await client.height()
        readers = [kind.open(client) for _ in range(2)]
        coming = [asyncio.ensure_future(anext(reader)) for reader in readers]
        # Nobody can know when a reader has been heard; what was there before it must not come.
        while not all(one.done() for one in coming):
            await announce(client, key)
            await asyncio.wait(coming, timeout=0.1)
        assert all(kind.seen(one.result()).block_number >= height for one in coming)
        await readers[0].aclose()
        (tx_id,) = await announce(client, key)
        assert tx_id in (await read_until(kind, readers[1], [tx_id]))[-1].tx_ids
        await readers[1].aclose()


async def test_the_past_is_told_again(ledger: OpenLedger, kind: StreamKind, key: str) -> None:
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
            # Nobody is here to sign another request.
            with pytest.raises(StreamError, match="the peer is away"):
                await anext(stream)
        forged = carried.with_signature(members.user(BRAVO).sign(carried.message))
        with pytest.raises(StreamError):
            await anext(kind.stream_of(client, forged))


# --- what blocks hold -----------------------------------------------------------------------------------------------


async def test_a_filtered_block_tells_codes_and_names_and_no_values(ledger: OpenLedger, key: str) -> None:
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


# --- streams that cannot be -----------------------------------------------------------------------------------------


class Overheard(UnreliableTransport):
    """Keeps the times of the requests for blocks."""

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        header = common_pb2.Payload.FromString(request.payload).header.channel_header
        self.time_us = common_pb2.ChannelHeader.FromString(header).timestamp.ToMicroseconds()
        return super().deliver_filtered(request)


async def test_a_request_for_blocks_carries_the_machines_time(ledger: OpenLedger) -> None:
    """A peer refuses another, so it is not the clock that transactions go by."""
    async with ledger() as members:
        transport, before_us = Overheard(members.transport()), system_clock_us()
        await Gateway(transport, members.user(ALPHA), channel=CHANNEL, clock=lambda: 0).height()
        assert before_us <= transport.time_us <= system_clock_us()


async def test_a_stream_that_stays_away_says_so(ledger: OpenLedger, kind: StreamKind) -> None:
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


async def test_events_tell_what_happened_in_their_own_chaincode(ledger: OpenLedger, key: str) -> None:
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
