"""kill -9 of orderers in a stream of usage: the others go on without it, and it catches up when it comes back."""

from __future__ import annotations

import asyncio
import random

from tests.faults.scene import Scene


def test_the_others_elect_a_leader_when_theirs_is_killed(raft: Scene, chance: random.Random) -> None:
    async def scenario() -> None:
        async with raft.machine.running():
            await raft.until_charged()
            await asyncio.sleep(chance.random())
            leader = await raft.leader()
            raft.kill(leader)
            await asyncio.sleep(1)
            await raft.until_charged()
            assert await raft.leader() != leader
            await raft.up()
        await raft.check()

    raft.run(scenario())


def test_with_bft_one_of_four_may_stop_for_good(bft: Scene) -> None:
    async def scenario() -> None:
        async with bft.machine.running():
            await bft.until_charged()
            leader = await bft.leader()
            follower = next(name for name in orderers(bft) if name != leader)
            since = len(bft.node_log)
            bft.kill(follower)
            await asyncio.sleep(1)
            await bft.until_charged()
            assert "ledger does not take usage" not in bft.node_log[since:]
            await bft.up()
        await bft.check()

    bft.run(scenario())


def test_with_bft_commits_resume_when_the_leader_is_killed(bft: Scene, chance: random.Random) -> None:
    async def scenario() -> None:
        async with bft.machine.running():
            await bft.until_charged()
            await asyncio.sleep(chance.random())
            leader = await bft.leader()
            bft.kill(leader)
            await asyncio.sleep(1)
            await bft.until_charged()
            assert await bft.leader() != leader
            await bft.up()
        await bft.check()

    bft.run(scenario())


def orderers(scene: Scene) -> list[str]:
    return [process.name for process in scene.network.processes() if process.kind == "orderer"]
