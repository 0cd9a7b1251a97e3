"""kill -9 of an orderer in a stream of usage: the others go on without it, and it catches up when it comes back.

A member cannot leave with its orderer, nor be excluded, if too few orderers would be left.
"""

from __future__ import annotations

import asyncio
import random

from consortium.exit_codes import ExitCode
from tests.cli.program import Zunft
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


def test_with_bft_a_departure_that_would_leave_too_few_orderers_is_refused_before_anything_is_done(bft: Scene) -> None:
    home = bft.consortium.topology.home
    zunft, too_few = Zunft(home), "has 4 orderers and needs 4: add another one before"
    excluded = zunft("member exclude forge --reason 'cannot be reached' --as maker")
    assert (excluded.exit_code, too_few in excluded.stderr) == (ExitCode.REFUSED, True), excluded
    assert zunft("ballot list --json").json == []
    asked = zunft("leave start --as forge", answer="n\n")
    assert "Before forge can leave, another company with an orderer has to join" in asked.stdout
    completed = zunft("leave complete --as forge")
    assert (completed.exit_code, too_few in completed.stderr) == (ExitCode.REFUSED, True), completed
    assert not (home / "forge.archive").exists()
    steps = {step["step"]: step["done"] for step in zunft("leave status --json --as forge").json}
    assert steps["another company joins that runs an orderer: without its own too few are left"] == "no"


def orderers(scene: Scene) -> list[str]:
    return [process.name for process in scene.network.processes() if process.kind == "orderer"]
