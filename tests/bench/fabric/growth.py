"""Measures joining and leaving: a consortium grows to eight members and shrinks back, while a machine is charged.

All members type the docs' commands, `zunft join` and `zunft leave`, each in a process of its own that loads everything
first. The telephone calls between people, which take longest, are left out.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from chaincode.rights.roles import Role
from consortium.folder.topology import OrderingKind
from ledger.block_reader import read_block
from ledger.gateway import Gateway
from tests.bench.fabric.network import NAMES, Report, share_cores
from tests.bench.fabric.processes import total_rss_mb
from tests.cli.program import Zunft
from tests.faults.scene import Scene, start_scene
from tests.network.company import Company
from tests.network.members import (
    FAILURE,
    user_gateway,
)
from zunft.v1.charter_pb2 import ExitConditions

# BFT needs four orderers, so it begins with four founders that have one each.
FOUNDERS = {OrderingKind.RAFT: 3, OrderingKind.BFT: 4}
LARGEST = len(NAMES)
SPONSOR = "maker"
# The time for which the stream is watched before the first member joins.
ALONE_S = 15
# Parts of the output of the command that has changed the channel.
ADMITTED, REMOVED = "the channel knows it", "Decided and done"


@dataclass
class Growth:
    """The time of each step, by its name in `steps`, and the stream's longest time without a commit, by phase."""

    steps_s: dict[str, float] = field(default_factory=dict)
    pause_s: dict[str, float] = field(default_factory=dict)
    failures: int = 0


@dataclass(frozen=True)
class Desk:
    """The home in which a member's people type commands."""

    name: str
    home: Path

    async def types(self, words: str) -> str:
        """Runs the command, which has to succeed. Returns its output."""
        return await _typed(self.home, f"{words} --as {self.name}")


def steps(ordering: OrderingKind, largest: int) -> list[str]:
    """The steps' names in their order: joining with the number of members after it, leaving with that before it."""
    numbers = range(FOUNDERS[ordering] + 1, largest + 1)
    return [*(f"join_s.{number}" for number in numbers), *(f"leave_s.{number}" for number in reversed(numbers))]


def runs_orderer(number: int) -> bool:
    """Whether the member of this number runs an orderer: the fourth, the sixth and the eighth do."""
    return number % 2 == 0


def grow(ordering: OrderingKind, largest: int, report: Report) -> Growth:
    """Measures the way from the founders to `largest` members and back."""
    share_cores(largest)
    names, at_once = NAMES[: FOUNDERS[ordering]], ExitConditions(notice_period_s=0)
    with tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder:
        report(f"{len(names)} founders ({ordering}): starting")
        with start_scene(Path(folder), names, ordering, 1, exit=at_once) as scene:
            story = _Story(scene, Path(folder), report)
            try:
                scene.run(story.play(largest))
            finally:
                for company in story.companies:
                    scene.consortium.run(company.down())
    return story.growth


@dataclass
class _Story:
    """The scene with its present `members`, and `companies`, which have joined or are joining and have not left."""

    scene: Scene
    folder: Path
    report: Report
    growth: Growth = field(default_factory=Growth)
    companies: list[Company] = field(default_factory=list)
    members: list[Desk] = field(default_factory=list)

    def __post_init__(self) -> None:
        topology = self.scene.consortium.topology
        self.members = [Desk(member.name, topology.home) for member in topology.members]

    async def play(self, largest: int) -> None:
        """Lets all companies join and leave, and checks that all that the machine has signed is charged once."""
        async with self.scene.machine.running(), self._watched() as commits_s:
            with self._phase("alone", commits_s):
                await asyncio.sleep(ALONE_S)
            with self._phase("join", commits_s):
                for number in range(len(self.members) + 1, largest + 1):
                    await self._join(number)
            self.report(self._memory())
            with self._phase("leave", commits_s):
                while self.companies:
                    await self._leave(self.companies[-1])
                    self.companies.pop()
        await self.scene.check()

    # --- a company joins, a member leaves -----------------------------------------------------------------------------

    async def _join(self, number: int) -> None:
        """Measures the time from the invited company's application until it is active."""
        company = self._company(number)
        newcomer, sponsor, invitation = Desk(company.name, company.home), self.members[0], f"{company.file}.invitation"
        await sponsor.types(f"join invite {invitation}")
        watch = _Watch()
        await self._apply(company, invitation)
        watch.lap("request")
        await sponsor.types(f"join propose {company.bundle}")
        watch.lap("propose")
        approvals = await _approve_until(self.members[1:], f"join approve {company.msp_id} --yes", ADMITTED)
        watch.lap(f"{approvals} x approve")
        await newcomer.types("join complete")
        watch.lap("complete")
        self.members.append(newcomer)
        self.growth.steps_s[f"join_s.{number}"] = watch.total_s
        self.report(f"{number} members, {'an orderer more' if runs_orderer(number) else 'no orderer more'}: {watch}")

    async def _leave(self, company: Company) -> None:
        """Measures the time from the company's notice until its processes have ended. It has no business to end."""
        number, leaver = len(self.members), self.members.pop()
        watch = _Watch()
        await leaver.types("leave start --yes")
        watch.lap("start")
        await leaver.types("leave complete")
        watch.lap("complete")
        approvals = await _approve_until(self.members, f"leave approve {company.msp_id} --yes", REMOVED)
        watch.lap(f"{approvals} x approve")
        await leaver.types("leave complete")
        watch.lap("complete again")
        self.growth.steps_s[f"leave_s.{number}"] = watch.total_s
        self.report(f"{number - 1} members again: {watch}")

    def _memory(self) -> str:
        """A sentence about the number and the memory of all members' processes, by kind."""
        total = total_rss_mb([self.scene.network, *(company.network for company in self.companies)])
        return f"memory: {', '.join(f'{count} {kind}s {rss_mb:.0f} MB' for kind, (count, rss_mb) in total.items())}"

    def _company(self, number: int) -> Company:
        """Makes a company with a folder of its own."""
        folder, name = self.folder / f"company-{number}", NAMES[number - 1]
        folder.mkdir()
        company = Company.make(folder, name, orders=runs_orderer(number))
        self.companies.append(company)
        return company

    async def _apply(self, company: Company, invitation: str) -> None:
        await _typed(company.home, f"join request {company.file} --invitation {invitation} --sponsor {SPONSOR} --yes")

    # --- the stream ---------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[list[float]]:
        """Yields a list that grows by the time of each commit. Counts the transactions that failed meanwhile."""
        await self.scene.until_charged()
        since, commits_s = len(self.scene.node_log), list[float]()
        gateway = user_gateway(self.scene, SPONSOR, Role.AUDITOR)
        watching = asyncio.create_task(_note_commits(gateway, await gateway.height(), commits_s))
        try:
            yield commits_s
            await self.scene.until_charged()
            assert not watching.done(), watching.exception()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        self.growth.failures = self.scene.node_log[since:].count(FAILURE)

    @contextmanager
    def _phase(self, name: str, commits_s: Sequence[float]) -> Iterator[None]:
        began_s = time.perf_counter()
        yield
        within_s = [began_s, *(at_s for at_s in commits_s if at_s > began_s), time.perf_counter()]
        self.growth.pause_s[name] = max(later - earlier for earlier, later in pairwise(within_s))
        self.report(f"the stream, {name}: {self.growth.pause_s[name]:.2f} s without a commit at most")


@dataclass
class _Watch:
    """The time of each part of a step."""

    laps_s: dict[str, float] = field(default_factory=dict)
    _since_s: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now_s = time.perf_counter()
        self.laps_s[name], self._since_s = now_s - self._since_s, now_s

    @property
    def total_s(self) -> float:
        return sum(self.laps_s.values())

    def __str__(self) -> str:
        return f"{self.total_s:.1f} s ({', '.join(f'{name} {lap_s:.1f}' for name, lap_s in self.laps_s.items())})"


async def _typed(home: Path, words: str) -> str:
    """Runs the command, which has to succeed, as a process that loads everything first. Returns its output."""
    outcome = await asyncio.to_thread(Zunft(home).run, words)
    assert outcome.exit_code == 0, f"zunft {words}: {outcome}"
    return outcome.stdout


async def _approve_until(members: Sequence[Desk], words: str, done: str) -> int:
    """Has one member after the other approve, until the output has `done`. Returns the number of approvals."""
    for count, member in enumerate(members, start=1):
        printed = await member.types(words)
        if done in " ".join(printed.split()):
            return count
    raise AssertionError(f"all have typed zunft {words}, and it is not done: {printed}")


async def _note_commits(gateway: Gateway, next_block: int, commits_s: list[float]) -> None:
    """Notes the time of each block with a charge from this block on, for ever."""
    async with aclosing(gateway.blocks(next_block, private_data=False)) as blocks:
        async for delivered in blocks:
            if any(one.name == "usage.submit" and one.is_valid for one in read_block(delivered).transactions):
                commits_s.append(time.perf_counter())
