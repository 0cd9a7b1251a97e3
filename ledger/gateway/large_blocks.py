"""Reads blocks that do not fit into one message with their private values: asks for those values one by one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import events_pb2

from chaincode.limits import MESSAGE_BYTES
from chaincode.stub import implicit_collection
from ledger.block_reader import (
    PrivateWrite,
    read_block,
)
from ledger.gateway.blocks import (
    BlockReader,
    whole,
)
from ledger.gateway.calls import Limits
from ledger.gateway.errors import StreamError
from ledger.private_values import (
    Ask,
    completed,
)


@dataclass(frozen=True)
class BlocksOfAnySize:
    """Reads blocks, too large ones too: `block` fetches one bare, `with_values` adds the values that the peer has."""

    reader: BlockReader
    limits: Limits
    block: Callable[[int], Awaitable[common_pb2.Block]]
    with_values: Callable[[common_pb2.Block], Awaitable[events_pb2.BlockAndPrivateData]]

    async def read(self, height: Callable[[], Awaitable[int]] | None) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """The blocks without end, or up to the `height` that the ledger has by then. Raises StreamError."""
        while True:
            try:
                async with aclosing(whole(self.reader.answers(self.limits))) as blocks:
                    async for block in blocks:
                        yield block
                return
            except StreamError as error:
                number = self.reader.number
                if not is_too_large(error) or number is None or number < 0:
                    raise
            yield await self.with_values(await self.block(number))
            self.reader.number = number + 1
            if height and self.reader.number >= await height():
                return


def is_too_large(error: StreamError) -> bool:
    """Whether a block was too large for the peer to send or for this client to take."""
    return error.grpc_code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def with_values(block: common_pb2.Block, msp_id: str, namespace: str, ask: Ask) -> events_pb2.BlockAndPrivateData:
    """The block with those values of the member's collection that its peer has.

    Values beyond the size of a message are left out, so that no block takes all memory: they are asked for later.
    """
    collection, room = implicit_collection(msp_id), MESSAGE_BYTES
    found = events_pb2.BlockAndPrivateData(block=block)
    for transaction in read_block(block, namespace=namespace).transactions:
        one = await completed(transaction, collection, ask)
        writes = [write for write in one.private_writes if write.collection == collection and write.value is not None]
        room -= sum(len(write.value or b"") for write in writes)
        if room < 0:
            break
        if writes:
            found.private_data_map[one.position].CopyFrom(_private(namespace, collection, writes))
    return found


def _private(namespace: str, collection: str, writes: Iterable[PrivateWrite]) -> rwset_pb2.TxPvtReadWriteSet:
    rwset = kv_rwset_pb2.KVRWSet(writes=[kv_rwset_pb2.KVWrite(key=write.key, value=write.value) for write in writes])
    part = rwset_pb2.CollectionPvtReadWriteSet(collection_name=collection, rwset=rwset.SerializeToString())
    space = rwset_pb2.NsPvtReadWriteSet(namespace=namespace, collection_pvt_rwset=[part])
    return rwset_pb2.TxPvtReadWriteSet(data_model=rwset_pb2.TxReadWriteSet.KV, ns_pvt_rwset=[space])
