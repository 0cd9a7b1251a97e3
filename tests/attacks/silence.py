"""A member that takes part in nothing any more, so that the others act without its peer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from network.running.process import ProcessKind
from tests.conformance.scene import Scene
from tests.harness import Member
from tests.harness.fabric import FabricLedger
from tests.harness.follower import Follower


@contextmanager
def silent(scene: Scene, member: Member) -> Iterator[dict[str, Any]]:
    """Stops the member's peer, where it has one of its own; the value are the arguments of a call without it."""
    consortium, ledger = scene.consortium, scene.consortium.ledger
    others = tuple(one.msp_id for one in consortium.members if one != member)
    if not isinstance(ledger, FabricLedger):
        yield {"endorsers": others}
        return
    [peer] = [one for one in ledger.network.processes(ProcessKind.PEER) if one.member == member.name]
    follower = consortium.followers.pop(member.msp_id)
    consortium.run(follower.blocks.aclose())
    consortium.run(ledger.network.stop([peer]))
    try:
        yield {"endorsers": others}
    finally:
        consortium.run(ledger.network.start([peer]))
        blocks = consortium.gateway(member.msp_id, "auditor").blocks(0)
        consortium.followers[member.msp_id] = Follower(member.msp_id, blocks)
        consortium.catch_up(max(len(one.delivered) for one in consortium.followers.values()) - 1)
