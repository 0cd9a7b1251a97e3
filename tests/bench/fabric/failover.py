"""Measures the time without a commit after the leading orderer is killed under load."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from chaincode.rights.roles import Role
from ledger.gateway import (
    Gateway,
    GatewayError,
    Limits,
)
from network.network import FabricNetwork
from network.running.process import FabricProcess
from network.status import network_status
from tests.bench.fabric.network import Report, Shape, start_network
from tests.bench.lanes import OpenLane
from tests.bench.workload import Account, open_accounts
from zunft.v1.usage_pb2 import AccountHead

ACCOUNTS, READINGS, BATCHES = 4, 1, 1_500
# A transaction may be lost with the leader, so its outcome is not waited for long.
LIMITS = Limits(submit_s=5, commit_status_s=2)
BEFORE_S = 3
# Commits have resumed when they have come steadily for STEADY_S. The bench waits for that for WATCH_S at most.
STEADY_S, WATCH_S = 5, 60


def failover_s(shape: Shape, report: Report) -> float:
    """The seconds from the kill until the first commit after the longest time without one."""
    with start_network(shape, report) as network:
        accounts = open_accounts(network.consortium, ACCOUNTS, READINGS, BATCHES)
        report("killing the leading orderer under load")
        return network.consortium.run(_fail_over(network.gateway("maker", Role.ERP, LIMITS), network.fabric, accounts))


async def _fail_over(gateway: Gateway, network: FabricNetwork, accounts: Sequence[Account]) -> float:
    commits_s: list[float] = []
    streams = [asyncio.create_task(_charge(gateway, account, commits_s)) for account in accounts]
    await asyncio.sleep(BEFORE_S)
    leader = await _leader(network)
    killed_s = time.perf_counter()
    _kill(network, leader)
    await _until_steady(commits_s, killed_s)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    after_s = [killed_s, *(at_s for at_s in commits_s if at_s > killed_s)]
    _, resumed_s = max(pairwise(after_s), key=lambda gap: gap[1] - gap[0])
    return resumed_s - killed_s


async def _charge(gateway: Gateway, account: Account, commits_s: list[float]) -> None:
    """Charges one batch after the other, for ever. After a failure it reads the head, and sends a lost batch again."""
    lane = await OpenLane.begin(gateway, account.deal.agreement_id)
    while True:
        try:
            await lane.charge([account.batches[AccountHead.FromString(lane.head).sequence]])
            commits_s.append(time.perf_counter())
        except GatewayError:
            await asyncio.sleep(LIMITS.first_pause_s)
        await lane.read_head()


async def _until_steady(commits_s: Sequence[float], killed_s: float) -> None:
    """Waits until commits come steadily again. Raises TimeoutError."""
    async with asyncio.timeout(WATCH_S):
        while True:
            await asyncio.sleep(STEADY_S)
            recent = [at_s for at_s in (*commits_s, time.perf_counter()) if at_s > time.perf_counter() - STEADY_S]
            longest_s = max((later - earlier for earlier, later in pairwise(recent)), default=STEADY_S)
            if longest_s < 1 and recent[0] > killed_s + STEADY_S:
                return


async def _leader(network: FabricNetwork) -> FabricProcess:
    rows = await network_status(network, datetime.now(UTC))
    [name] = [row.process for row in rows if row.is_leader]
    return network.find(name)


def _kill(network: FabricNetwork, process: FabricProcess) -> None:
    running = network.runtime_of(process).running(process)
    assert running, f"{process.name} does not run"
    os.kill(running.pid, signal.SIGKILL)
