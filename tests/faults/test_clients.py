"""kill -9 of the node at every step of a transaction and at any moment: each reading is charged once."""

from __future__ import annotations

import asyncio
import random
import signal
import sys

import pytest

from tests.faults.scene import PATIENCE_S, Scene


@pytest.mark.parametrize("step", ["endorse", "submit", "commit_status"])
def test_a_node_that_dies_after_a_step_goes_on_when_it_is_started_again(
    raft: Scene, step: str, chance: random.Random
) -> None:
    async def scenario() -> None:
        raft.kill_node()
        home, calls = str(raft.consortium.topology.home), str(chance.randint(1, 3))
        async with raft.machine.running():
            raft.start_node(sys.executable, "-m", "tests.faults.dying_node", home, "maker", step, calls)
            assert raft.node is not None
            assert await asyncio.to_thread(raft.node.wait, PATIENCE_S) == -signal.SIGKILL
            raft.start_node()
            await raft.until_charged()
        await raft.check()

    raft.run(scenario())


def test_a_node_that_is_killed_at_any_moment_goes_on_when_it_is_started_again(
    raft: Scene, chance: random.Random
) -> None:
    async def scenario() -> None:
        async with raft.machine.running():
            for _ in range(2):
                await raft.until_charged()
                await asyncio.sleep(chance.random() / 4)
                raft.kill_node()
                raft.start_node()
            await raft.until_charged()
        await raft.check()

    raft.run(scenario())
