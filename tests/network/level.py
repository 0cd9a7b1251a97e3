"""Waits between two commands as people do: every peer has the block of one command before the next is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from consortium.folder.topology import (
    MemberEntry,
    Topology,
)
from network.administration.peer_admin import PeerAdmin
from network.errors import (
    NetworkError,
    NotInTime,
)
from network.running.process import ProcessKind
from network.runtimes import network_of
from network.waiting import until

# If a peer stays behind for longer, the test goes on, and fails where the newest block matters.
LEVEL_S = 10
ANSWER_S = 5

Peers = Sequence[tuple[Topology, MemberEntry]]


async def until_level(*homes: Path) -> None:
    """Waits until every running peer of these homes has the newest block that one of them has."""
    peers = [peer for home in homes for peer in _running(home)]
    newest = max(await _heights(peers), default=0)

    async def check() -> None:
        assert min(await _heights(peers), default=newest) >= newest

    with suppress(NotInTime):
        await until(check, "level peers", timeout_s=LEVEL_S, passing=(AssertionError,))


def _running(home: Path) -> Peers:
    """The home's running peers: none before its setup, on the embedded ledger, or when its last member has left."""
    if not (home / "consortium.yaml").exists():
        return []
    topology = Topology.load(home)
    if not topology.fabric or not topology.members:
        return []
    network = network_of(topology, None)
    peers = network.processes(ProcessKind.PEER)
    running = {one.member for one in peers if network.runtime_of(one).running(one)}
    return [(topology, member) for member in topology.members if member.name in running]


async def _heights(peers: Peers) -> list[int]:
    """The heights of the peers that answer. A peer that is joining, or that has left, has none."""
    heights = await asyncio.gather(*(_height(*peer) for peer in peers))
    return [height for height in heights if height is not None]


async def _height(topology: Topology, member: MemberEntry) -> int | None:
    assert member.peer
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            PeerAdmin(member.peer.listening.from_here, topology.keys(member)) as admin,
        ):
            return await admin.height(topology.channel)
    except (NetworkError, TimeoutError):
        return None
