"""Blocks: Fabric's message, linked by the hash of the header before."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.common import common_pb2

from network.block_hash import data_hash
from network.channel import block_metadata


def new_block(
    number: int, previous_hash: bytes, envelopes: Sequence[bytes], codes: Sequence[int], last_config: int
) -> common_pb2.Block:
    """A block of serialised envelopes; `codes` are their validation codes, `last_config` is the number of the
    configuration block in force."""
    data = common_pb2.BlockData(data=envelopes)
    header = common_pb2.BlockHeader(number=number, previous_hash=previous_hash, data_hash=data_hash(data))
    metadata = block_metadata(last_config)
    metadata[common_pb2.TRANSACTIONS_FILTER] = bytes(codes)
    return common_pb2.Block(
        header=header,
        data=data,
        metadata=common_pb2.BlockMetadata(metadata=metadata),
    )
