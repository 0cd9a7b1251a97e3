"""Checks that the channel that an orderer or a peer has joined earlier is the consortium's, and not another one."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.common import common_pb2

from consortium.channel.reader import read_channel
from consortium.folder.topology import Topology
from network.administration.peer_admin import PeerAdmin
from network.errors import (
    PeerBehind,
    RefusedByPeer,
    WrongChannel,
)


def check_channels(joined: Sequence[str], topology: Topology, node: str) -> None:
    """Checks that a node (`node` is "the peer of maker") has joined no other channel. Raises WrongChannel."""
    strange = [name for name in joined if name != topology.channel]
    if strange:
        raise WrongChannel(
            f"{node} has joined {', '.join(strange)} and not {topology.channel}: its data are another network's, "
            "which `zunft network clean` deletes"
        )


async def check_genesis(admin: PeerAdmin, topology: Topology, node: str) -> None:
    """Checks that the peer's channel begins with the consortium's first block, and is no other of the same name.

    Raises WrongChannel, PeerUnreachable; PeerBehind for a member that has joined later, until its peer has the block
    that admits it.
    """
    genesis = common_pb2.Block.FromString(topology.genesis_path.read_bytes())
    try:
        is_same = (await admin.block(topology.channel, 0)).header == genesis.header
    except RefusedByPeer as error:
        if admin.identity.msp_id not in read_channel(genesis).members:
            raise PeerBehind(f"{node} does not have the block yet that admits its member: {error}") from error
        # Another consortium's channel does not let the member's admin read.
        is_same = False
    if not is_same:
        raise WrongChannel(
            f"{node} has joined a channel {topology.channel} that does not begin with {topology.genesis_path}: "
            "restore that file, or delete the network's data (zunft network clean)"
        )
