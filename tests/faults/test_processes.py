"""kill -9 of peers and chaincode in a stream of usage: no reading is lost or charged twice, and charging resumes."""

from __future__ import annotations

import asyncio
import random
import re
import resource

import pytest

from tests.faults.scene import Scene


@pytest.mark.parametrize(
    ("process", "named"),
    [
        ("maker.chaincode", "MakerMSP"),
        ("factory.chaincode", "FactoryMSP"),
        ("maker.peer", "check the address and that it is running"),
        ("factory.peer", "FactoryMSP"),
    ],
)
def test_the_stream_waits_for_a_party_and_goes_on(raft: Scene, process: str, named: str, chance: random.Random) -> None:
    async def scenario() -> None:
        async with raft.machine.running():
            await raft.until_charged()
            await asyncio.sleep(chance.random())
            since = len(raft.node_log)
            raft.kill(process)
            await raft.until_node_logs("ledger does not take usage", since)
            assert named in raft.node_log[since:]
            await raft.up()
            await raft.until_charged()
            await raft.until_node_logs("ledger takes usage again", since)
        await raft.check()

    raft.run(scenario())


def test_the_stream_needs_no_third_party(raft: Scene) -> None:
    """The third party's peer is behind when it comes back, and catches up."""

    async def scenario() -> None:
        async with raft.machine.running():
            await raft.until_charged()
            since = len(raft.node_log)
            raft.kill("bank.peer")
            raft.kill("bank.chaincode")
            await asyncio.sleep(1)
            await raft.until_charged()
            assert "ledger does not take usage" not in raft.node_log[since:]
            await raft.up()
        await raft.check()

    raft.run(scenario())


def test_the_stream_outlives_a_series_of_accidents(raft: Scene, chance: random.Random) -> None:
    async def scenario() -> None:
        async with raft.machine.running():
            for _ in range(3):
                victims = [process.name for process in raft.network.processes() if process.kind != "orderer"]
                for victim in chance.sample(victims, 2):
                    await asyncio.sleep(chance.random())
                    raft.kill(victim)
                await asyncio.sleep(chance.random())
                await raft.up()
            await raft.until_charged()
        await raft.check()

    raft.run(scenario())


def test_a_peer_that_cannot_write_any_more_is_named(raft: Scene) -> None:
    """The peer cannot write, as on a full disk. Charging goes on when there is room and the peer is started again."""

    async def scenario() -> None:
        async with raft.machine.running():
            await raft.until_charged()
        await raft.come_to_rest()
        # A peer that cannot write a block ends. After this rest, its next write is for an endorsement.
        since, pid = len(raft.node_log), raft.pid("factory.peer")
        assert pid is not None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, 1))
        async with raft.machine.running():
            await raft.until_node_logs("the other party's peer refuses usage", since)
            assert re.search("FactoryMSP .*file too large", raft.node_log[since:])
            raft.kill("factory.peer")
            await raft.up()
            await raft.until_charged()
        await raft.check()

    raft.run(scenario())
