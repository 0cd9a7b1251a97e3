"""Makes blocks: Fabric's message, linked by the previous header's hash, and signed by the peers in this process.

There are no orderers: as many members' peers sign a block as the channel's Endorsement policy asks for, each in the way
of a raft orderer. So somebody with fewer keys cannot make the blocks anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from fabric_protos.common import common_pb2

from consortium.channel.block_hash import (
    data_hash,
    header_bytes,
)
from consortium.channel.genesis import block_metadata
from ledger.embedded.signatures import (
    Order,
    PeerIdentity,
    Signatures,
)
from ledger.fabric_rules.channel import ChannelRules

NONCE_BYTES = 24


def new_block(
    number: int, previous_hash: bytes, envelopes: Sequence[bytes], codes: Sequence[int], last_config: int
) -> common_pb2.Block:
    """A block of serialised envelopes, not signed yet.

    `codes` are their validation codes, `last_config` is the number of the configuration block in force.
    """
    data = common_pb2.BlockData(data=envelopes)
    header = common_pb2.BlockHeader(number=number, previous_hash=previous_hash, data_hash=data_hash(data))
    metadata = block_metadata(last_config)
    metadata[common_pb2.TRANSACTIONS_FILTER] = bytes(codes)
    return common_pb2.Block(
        header=header,
        data=data,
        metadata=common_pb2.BlockMetadata(metadata=metadata),
    )


def signers(channel: ChannelRules, peers: Mapping[str, PeerIdentity]) -> tuple[PeerIdentity, ...]:
    """As few of the peers as the channel's Endorsement policy asks for; all of them if they do not suffice."""
    chosen: list[PeerIdentity] = []
    for msp_id in sorted(peers):
        chosen.append(peers[msp_id])
        if channel.endorsement.satisfied_by([channel.identity(peer.creator) for peer in chosen]):
            break
    return tuple(chosen)


async def sign_block(block: common_pb2.Block, peers: Sequence[PeerIdentity], signatures: Signatures) -> None:
    """Adds these peers' signatures to the block's metadata."""
    found = common_pb2.Metadata.FromString(block.metadata.metadata[common_pb2.SIGNATURES])
    header = header_bytes(block.header)
    own = [common_pb2.SignatureHeader(creator=peer.creator, nonce=secrets.token_bytes(NONCE_BYTES)) for peer in peers]
    serialised = [one.SerializeToString() for one in own]
    orders = [Order(peer, found.value + one + header) for peer, one in zip(peers, serialised, strict=True)]
    for one, signature in zip(serialised, await signatures.sign_all(orders), strict=True):
        found.signatures.add(signature_header=one, signature=signature)
    block.metadata.metadata[common_pb2.SIGNATURES] = found.SerializeToString()
