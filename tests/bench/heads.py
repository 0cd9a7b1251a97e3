"""Account heads, which are read like a node does: from the blocks of the member's peer with its private data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from chaincode import keys
from chaincode.stub import implicit_collection
from ledger.block_reader import read_block
from ledger.gateway import Gateway

_HEADS = keys.head("").name


@dataclass
class Heads:
    """The heads by agreement, as of the newest block."""

    collection: str
    next_block: int
    _heads: dict[str, bytes] = field(default_factory=dict)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def after(self, agreement_id: str, block_number: int) -> bytes:
        """The account's head once this block is known."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.next_block > block_number)
        return self._heads[agreement_id]

    async def follow(self, gateway: Gateway) -> None:
        """Reads block after block, for ever."""
        async with aclosing(gateway.blocks(self.next_block, private_data=True)) as blocks:
            async for delivered in blocks:
                block = read_block(delivered)
                for write in (write for one in block.transactions if one.is_valid for write in one.private_writes):
                    if write.collection == self.collection and write.key and write.key.startswith(_HEADS):
                        self._heads[write.key.removeprefix(_HEADS)] = write.value or b""
                async with self._moved:
                    self.next_block = block.number + 1
                    self._moved.notify_all()


@asynccontextmanager
async def followed_heads(gateway: Gateway) -> AsyncIterator[Heads]:
    """The heads that change from now on. They are followed while the block runs."""
    heads = Heads(implicit_collection(gateway.identity.msp_id), await gateway.height())
    follower = asyncio.create_task(heads.follow(gateway))
    try:
        yield heads
    finally:
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
