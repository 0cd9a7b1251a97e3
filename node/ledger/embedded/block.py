"""Blocks: Fabric's message, linked by the hash of the header before."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.common import common_pb2

from network.block_hash import data_hash

METADATA_FIELDS = len(common_pb2.BlockMetadataIndex.keys())


def new_block(number: int, previous_hash: bytes, envelopes: Sequence[bytes], codes: Sequence[int]) -> common_pb2.Block:
    """A block of serialised envelopes; `codes` are their validation codes."""
    data = common_pb2.BlockData(data=envelopes)
    header = common_pb2.BlockHeader(number=number, previous_hash=previous_hash, data_hash=data_hash(data))
    metadata = [b""] * METADATA_FIELDS
    metadata[common_pb2.TRANSACTIONS_FILTER] = bytes(codes)
    return common_pb2.Block(
        header=header,
        data=data,
        metadata=common_pb2.BlockMetadata(metadata=metadata),
    )
