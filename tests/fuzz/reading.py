"""A ledger's blocks, then blocks full of nonsense, read by a node's follower and by an audit."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.peer import events_pb2, transaction_pb2

from audit import Auditor
from chaincode import keys
from chaincode.errors import NotFound
from consortium.channel.block_hash import (
    data_hash,
    header_hash,
)
from ledger.block_reader import read_block
from node.follower import Follower
from node.read_model.read_model import ReadModel
from node.state import NodeState
from tests.fuzz.mutation import LAYERS, PRIVATE_LAYERS, Mutator

Delivered = events_pb2.BlockAndPrivateData
PER_BLOCK = 50
# After this number of transactions everything begins anew, so that nonsense also follows an honest ledger.
PER_ROUND = 10_000
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Original:
    """A transaction of the honest ledger, with the member's private sets that came with it."""

    name: str
    envelope: bytes
    private: bytes


@dataclass
class Story:
    """The honest blocks as one member gets them."""

    member: str
    genesis: common_pb2.Block
    blocks: list[Delivered]
    originals: list[Original] = field(default_factory=list)

    def __post_init__(self) -> None:
        for block in self.blocks:
            for one in read_block(block).transactions:
                private = dict(block.private_data_map).get(one.position, rwset_pb2.TxPvtReadWriteSet())
                envelope = block.block.data.data[one.position]
                self.originals.append(Original(one.name, envelope, private.SerializeToString()))


class Recorded:
    """A ledger of these blocks only, with the part of a gateway that the follower needs."""

    def __init__(self, blocks: list[Delivered]) -> None:
        self._blocks = blocks

    async def height(self, **_options: Any) -> int:
        return len(self._blocks)

    async def blocks(self, start: int, **_options: Any) -> AsyncGenerator[Delivered]:
        for block in self._blocks[start:]:
            yield block
        await asyncio.Event().wait()

    async def evaluate(self, name: str, _request: Any, **_options: Any) -> bytes:
        """Raises NotFound always: this peer has no values beyond its blocks."""
        raise NotFound(f"this peer has nothing to answer {name} with")


def rounds(story: Story, seed: int, transactions: int) -> Iterator[Counter[str]]:
    """Reads this number of changed transactions; yields after each round how often each layer was changed.

    Raises every error of a reader.
    """
    mutator = Mutator(seed)
    while transactions > 0:
        count = min(transactions, PER_ROUND)
        blocks, changed = nonsense(story, mutator, count)
        asyncio.run(read(story, blocks))
        transactions -= count
        yield changed


def nonsense(story: Story, mutator: Mutator, transactions: int) -> tuple[list[Delivered], Counter[str]]:
    """Blocks of changed transactions, all of them marked as VALID, that follow the honest ones."""
    blocks: list[Delivered] = []
    changed: Counter[str] = Counter()
    previous = story.blocks[-1].block
    for begin in range(0, transactions, PER_BLOCK):
        block = Delivered(block=common_pb2.Block(header=common_pb2.BlockHeader(number=previous.header.number + 1)))
        for _ in range(min(PER_BLOCK, transactions - begin)):
            changed[_add(story, mutator, block)] += 1
        codes = bytes([transaction_pb2.VALID]) * len(block.block.data.data)
        metadata = [b"", b"", codes, b"", b""]
        block.block.metadata.metadata.extend(metadata)
        block.block.header.previous_hash = header_hash(previous.header)
        block.block.header.data_hash = data_hash(block.block.data)
        blocks.append(block)
        previous = block.block
    return blocks, changed


def _add(story: Story, mutator: Mutator, block: Delivered) -> str:
    """Appends one changed transaction to the block; returns the name of its changed layer."""
    original = mutator.random.choice(story.originals)
    private = rwset_pb2.TxPvtReadWriteSet.FromString(original.private)
    sets = [part for space in private.ns_pvt_rwset for part in space.collection_pvt_rwset]
    if sets and mutator.random.random() < 0.3:
        part = mutator.random.choice(sets)
        layer, part.rwset = mutator.change(part.rwset, PRIVATE_LAYERS, original.name)
        envelope = original.envelope
    else:
        layer, envelope = mutator.change(original.envelope, LAYERS, original.name)
    position = len(block.block.data.data)
    block.block.data.data.append(envelope)
    if sets:
        block.private_data_map[position].CopyFrom(private)
    return layer


async def read(story: Story, blocks: list[Delivered]) -> None:
    """The follower gets to the end, the read model answers every question, and the audit makes a report."""
    everything = [*story.blocks, *blocks]
    with tempfile.TemporaryDirectory() as folder:
        model = ReadModel.open(Path(folder) / "read-model.db", story.member)
        gateway: Any = Recorded(everything)
        follower = Follower(gateway, model, NodeState(), account_changed=lambda _name: None)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reached = asyncio.create_task(model.reached(len(everything)))
                await asyncio.wait({reached, follower.task}, return_when=asyncio.FIRST_COMPLETED)
            assert model.height == len(everything), follower.task
            question_everything(model)
        finally:
            await follower.stop()
            model.close()
    audit(story, blocks)
    audit(story, [marked(block) for block in blocks])


def audit(story: Story, blocks: list[Delivered]) -> None:
    auditor = Auditor(story.genesis, story.member)
    for block in (*story.blocks, *blocks):
        auditor.check(block)
    auditor.report().to_dict()


def marked(block: Delivered) -> Delivered:
    """The block in which unreadable transactions are marked invalid, as by honest peers; an audit stops at others."""
    copy = Delivered.FromString(block.SerializeToString())
    codes = bytearray(copy.block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER])
    for one in read_block(block).transactions:
        if not one.has_effects:
            codes[one.position] = transaction_pb2.BAD_PAYLOAD
    copy.block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] = bytes(codes)
    return copy


def question_everything(model: ReadModel) -> None:
    """Asks the read model every question that the API asks."""
    for account in model.own_accounts(after="", limit=1000):
        model.statement(account.agreement.agreement_id, after_sequence=0, limit=1000)
    model.own_invoices(after=keys.invoice("", 0), agreement_id="", limit=1000)
    model.notices(after=None, agreement_id="", limit=1_000_000)
    assert all(one.text.isprintable() for one in model.alarms(after=None, limit=1_000_000))
    model.newest_alarms(5)
