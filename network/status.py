"""The network's state: one row for each process, from its own answers within a few seconds.

Source: Fabric documentation, "The Operations Service" and "Metrics Reference".
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import psutil
import requests

from consortium.channel.reader import (
    read_channel,
    unreadable_parts,
)
from consortium.errors import ConsortiumError
from consortium.folder.topology import MemberEntry
from ledger.errors import LedgerError
from network.administration.lifecycle import (
    LIFECYCLE,
    Lifecycle,
)
from network.administration.operations import get
from network.administration.participation import OrdererAdmin
from network.administration.peer_admin import PeerAdmin
from network.errors import NetworkError
from network.expiry import expiry_of
from network.network import FabricNetwork
from network.running.process import (
    FabricProcess,
    ProcessKind,
)

ANSWER_TIMEOUT_S = 5.0

_LEADER = re.compile(r'^consensus_(?:etcdraft|BFT)_is_leader\{channel="([^"]*)"\} (\S+)$', re.MULTILINE)


class ProcessState(StrEnum):
    """The state of a process on the machine; a running process need not answer."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ProcessStatus:
    """The status of one process. A field is None if its kind does not have it, or if the process did not answer.

    `height` and `behind` count blocks; `behind` are those that it lacks of the highest peer's or orderer's.
    `orderer_status` and `orderer_relation` are those of participation.OrdererChannel. For a chaincode,
    `running_package` is the package that the process was started for, `approved_package` the one that its member has
    approved; both are package ids, which stand for its code. `problems` has a sentence for each problem.
    """

    process: str
    member: str
    kind: ProcessKind
    state: ProcessState
    port: int
    pid: int | None = None
    memory_bytes: int | None = None
    version: str | None = None
    height: int | None = None
    behind: int | None = None
    orderer_status: str | None = None
    orderer_relation: str | None = None
    is_leader: bool | None = None
    running_package: str | None = None
    approved_package: str | None = None
    certificate_days_left: int | None = None
    problems: tuple[str, ...] = ()


async def network_status(network: FabricNetwork, now: datetime) -> list[ProcessStatus]:
    """The status of all processes, in the order in which they start.

    It takes ANSWER_TIMEOUT_S or little more, however many processes do not answer.
    """
    rows = await asyncio.gather(*(_process_status(network, process, now) for process in network.processes()))
    return [_with_contract_problem(row) for row in _with_distance(rows)]


def _with_distance(rows: Sequence[ProcessStatus]) -> list[ProcessStatus]:
    """The rows with the number of blocks that each peer and orderer is behind."""
    highest = max((row.height for row in rows if row.height is not None), default=0)
    return [replace(row, behind=highest - row.height) if row.height is not None else row for row in rows]


def _with_contract_problem(row: ProcessStatus) -> ProcessStatus:
    """The row with a problem if the chaincode runs another package than its member has approved."""
    problems = list(row.problems)
    if row.running_package and row.approved_package and row.running_package != row.approved_package:
        problems.append(f"it runs another contract than {row.member} has approved: zunft network up")
    return replace(row, problems=tuple(problems))


async def _process_status(network: FabricNetwork, process: FabricProcess, now: datetime) -> ProcessStatus:
    running = await asyncio.to_thread(network.runtime_of(process).running, process)
    expiry = expiry_of(process, network.topology.keys(_member(network, process)), now)
    row = ProcessStatus(
        process=process.name,
        member=process.member,
        kind=process.kind,
        state=ProcessState.RUNNING if running else ProcessState.STOPPED,
        port=process.listens[0].port,
        certificate_days_left=expiry.days_left,
        problems=expiry.problems,
    )
    if running is None:
        return row
    row = replace(row, pid=running.pid, memory_bytes=running.memory_bytes)
    for answer in await asyncio.gather(*(_answer(probe, network, process) for probe in _PROBES[process.kind])):
        row = replace(row, **{**answer, "problems": (*row.problems, *answer.get("problems", ()))})
    return row


# --- probes of a process ---------------------------------------------------------------------------------------------

# An answer has fields of ProcessStatus.
Answer = Mapping[str, Any]
Probe = Callable[[FabricNetwork, FabricProcess], Awaitable[Answer]]


async def _answer(probe: Probe, network: FabricNetwork, process: FabricProcess) -> Answer:
    """The process's answer to the probe; without one, the problem."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await probe(network, process)
    except TimeoutError:
        return {"problems": (f"it has not answered for {ANSWER_TIMEOUT_S:g} s: zunft network restart {process.name}",)}
    except (NetworkError, LedgerError, ConsortiumError, requests.RequestException) as error:
        return {"problems": (str(error),)}


async def _version(_network: FabricNetwork, process: FabricProcess) -> Answer:
    return {"version": read_version(await _get(process, "version"))}


def read_version(answer: str) -> str:
    """The version in an answer of the operations service: "3.1.5" for "v3.1.5" (official release) and for "3.1.5"."""
    version: str = json.loads(answer)["Version"]
    return version.removeprefix("v")


async def _height(network: FabricNetwork, process: FabricProcess) -> Answer:
    keys = network.topology.keys(_member(network, process))
    async with PeerAdmin(process.listens[0].from_here, keys) as admin:
        return {"height": await admin.height(network.topology.channel)}


async def _configuration(network: FabricNetwork, process: FabricProcess) -> Answer:
    """The parts of the channel's configuration that a member wrote alone and we cannot read, as problems."""
    block = await network.site(_member(network, process)).newest_config_block()
    parts = unreadable_parts(read_channel(block).config.channel_group)
    return {"problems": tuple(f"in the channel's configuration this counts as absent: {part}" for part in parts)}


async def _ordering(network: FabricNetwork, process: FabricProcess) -> Answer:
    _, admin_endpoint, _ = process.listens
    admin = OrdererAdmin(admin_endpoint, network.topology.keys(_member(network, process)))
    channel = await asyncio.to_thread(admin.channel, network.topology.channel)
    if channel is None:
        return {"problems": (f"it has not joined {network.topology.channel}: zunft network up",)}
    return {"height": channel.height, "orderer_status": channel.status, "orderer_relation": channel.relation}


async def _leading(network: FabricNetwork, process: FabricProcess) -> Answer:
    values = dict(_LEADER.findall(await _get(process, "metrics")))
    channel = network.topology.channel
    return {"is_leader": float(values[channel]) == 1} if channel in values else {}


async def _running_package(network: FabricNetwork, process: FabricProcess) -> Answer:
    """The package on the command line of the process, which may be older than the code that is here now."""
    running = network.runtime_of(process).running(process)
    try:
        words = psutil.Process(running.pid).cmdline() if running else []
    except psutil.Error:
        words = []
    options = dict(pairwise(words))
    return {"running_package": options.get("--chaincode-id")}


async def _agreed_package(network: FabricNetwork, process: FabricProcess) -> Answer:
    """The version that the channel has committed, and the package that the member has approved, by its own peer."""
    peer = network.find(f"{process.member}.{ProcessKind.PEER}")
    if network.runtime_of(peer).running(peer) is None:
        return {}
    async with network.site(_member(network, process)).gateway(LIFECYCLE) as gateway:
        lifecycle = Lifecycle(gateway)
        committed = await lifecycle.committed()
        if committed is None:
            return {"problems": (f"{network.topology.channel} has no chaincode yet: zunft network up",)}
        return {"version": committed.version, "approved_package": await lifecycle.approved_package(committed)}


_PROBES: Mapping[ProcessKind, Sequence[Probe]] = {
    ProcessKind.ORDERER: (_version, _ordering, _leading),
    ProcessKind.CHAINCODE: (_running_package, _agreed_package),
    ProcessKind.PEER: (_version, _height, _configuration),
}


async def _get(process: FabricProcess, path: str) -> str:
    """The answer of the process's operations service, the last of the endpoints."""
    *_, operations = process.listens
    return await asyncio.to_thread(get, operations, path, ANSWER_TIMEOUT_S)


def _member(network: FabricNetwork, process: FabricProcess) -> MemberEntry:
    return network.topology.member(process.member)
