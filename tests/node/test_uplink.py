"""A meter and its node: usage is charged across restarts of both, and stops when the account is used up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from node.errors import NodeUnreachable
from node.meter.meter import SigningMeter
from node.meter.reading import Reading
from node.meter.uplink import deliver
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    HandMeter,
    per_unit,
    start_consortium,
)
from tests.node.nodes import client_of, fund, running_node
from zunft.client import NodeClient
from zunft.v1.meter_pb2 import RegisterMeter
from zunft.v1.node_pb2 import BatchProgress, StartAuthorisation
from zunft.v1.usage_pb2 import SignedBatch

ROOT = Path(__file__).parents[2]


class InstalledMeter(HandMeter):
    """A real meter, which the consortium can register."""

    def __init__(self, folder: Path) -> None:
        super().__init__("drill-7")
        self.folder = folder
        SigningMeter.create(folder, meter_id="drill-7", agreement_id="A1")

    def registration(self) -> RegisterMeter:
        return SigningMeter.open(self.folder).registration(label="drill", location="hall 3")


@pytest.fixture
def installed(tmp_path: Path) -> InstalledMeter:
    return InstalledMeter(tmp_path / "meter")


@pytest.fixture
def deal(tmp_path: Path, installed: InstalledMeter) -> Iterator[Deal]:
    with start_consortium(tmp_path / "consortium", names=("maker", "factory", "bank")) as consortium:
        consortium.found()
        maker, factory = consortium.member("maker"), consortium.member("factory")
        consortium.member("bank").mint(factory, 1000 * TOKEN)
        yield consortium.agree(maker, factory, per_unit("hours", 2 * TOKEN), funds=10 * TOKEN, meters=[installed])


def read(consortium: Consortium, meter: SigningMeter, quantity_micro: int) -> None:
    meter.record(Reading(consortium.clock.now_us, quantity_micro))


def test_the_machine_stops_when_the_account_is_used_up_and_goes_on_after_a_top_up(
    deal: Deal, installed: InstalledMeter, tmp_path: Path
) -> None:
    async def run() -> None:
        meter = SigningMeter.open(installed.folder)
        async with running_node(deal.provider, tmp_path / "node") as node, client_of(node, deal.provider) as client:
            read(deal.consortium, meter, 4 * UNIT)
            assert (await deliver(meter, client)).stop is None
            read(deal.consortium, meter, 4 * UNIT)
            delivery = await deliver(meter, client)
            assert delivery.stop is not None
            assert delivery.stop.error == "InsufficientFunds"

            block_number = await fund(deal, 10 * TOKEN)
            await client.status(reached_height=block_number + 1)
            read(deal.consortium, meter, 1 * UNIT)
            assert (await deliver(meter, client)).stop is None
            balance = await client.balance(deal.agreement_id)
            assert (balance.accrued_micro, balance.pending_batches) == (18 * TOKEN, 0)

    deal.consortium.run(run())


def test_a_notice_of_withdrawal_separates_earlier_usage_from_later_usage(
    deal: Deal, installed: InstalledMeter, tmp_path: Path
) -> None:
    """The notice holds back all funds from five minutes on. Usage before that is charged, later usage is not."""
    clock = deal.consortium.clock
    deal.customer.give_notice(deal, 10 * TOKEN)

    async def run() -> None:
        meter = SigningMeter.open(installed.folder)
        async with running_node(deal.provider, tmp_path / "node") as node, client_of(node, deal.provider) as client:
            for seconds in (0, 299, 1, 60):
                clock.advance(seconds)
                read(deal.consortium, meter, UNIT)
            delivery = await deliver(meter, client)
            assert delivery.stop is not None
            assert delivery.stop.error == "InsufficientFunds"
            assert [one.reading_count for one in delivery.batches] == [2, 2]
            balance = await client.balance(deal.agreement_id)
            assert (balance.accrued_micro, balance.pending_batches) == (4 * TOKEN, 1)

            await client.status(reached_height=await fund(deal, 8 * TOKEN) + 1)
            assert (await deliver(meter, client)).stop is None
            assert (await client.balance(deal.agreement_id)).accrued_micro == 8 * TOKEN

    deal.consortium.run(run())


def test_a_machine_that_hung_up_gets_the_answer_on_its_last_batch_the_next_time(
    deal: Deal, installed: InstalledMeter, tmp_path: Path
) -> None:
    async def run() -> None:
        meter = SigningMeter.open(installed.folder)
        async with running_node(deal.provider, tmp_path / "node") as node, client_of(node, deal.provider) as client:
            read(deal.consortium, meter, 4 * UNIT)
            await deliver_and_hang_up(meter, client)
            assert (await deliver(SigningMeter.open(installed.folder), client)).stop is None
            balance = await client.balance(deal.agreement_id)
            assert (balance.accrued_micro, balance.pending_batches) == (8 * TOKEN, 0)

            read(deal.consortium, meter, 4 * UNIT)
            await deliver_and_hang_up(meter, client)
            stop = (await deliver(SigningMeter.open(installed.folder), client)).stop
            assert stop is not None
            assert stop.error == "InsufficientFunds"

            block_number = await fund(deal, 10 * TOKEN)
            await client.status(reached_height=block_number + 1)
            assert (await deliver(meter, client)).stop is None
            assert meter.unacknowledged() == []
            assert (await client.balance(deal.agreement_id)).accrued_micro == 16 * TOKEN

    deal.consortium.run(run())


class BreakingLine(NodeClient):
    """A client whose connection breaks as soon as the node has acknowledged the first batch."""

    def __init__(self, whole: NodeClient) -> None:
        self._whole = whole

    async def authorise_start(self, agreement_id: str, meter_id: str, wanted_micro: int = 0) -> StartAuthorisation:
        return await self._whole.authorise_start(agreement_id, meter_id, wanted_micro)

    async def submit_batches(
        self, batches: Iterable[SignedBatch] | AsyncIterable[SignedBatch]
    ) -> AsyncGenerator[BatchProgress]:
        async with aclosing(self._whole.submit_batches(batches)) as states:
            yield await anext(states)
        raise NodeUnreachable("the line is broken")


async def deliver_and_hang_up(meter: SigningMeter, client: NodeClient) -> None:
    with pytest.raises(NodeUnreachable):
        await deliver(meter, BreakingLine(client))


def test_batches_that_did_not_reach_the_node_are_sent_again_after_a_restart(
    deal: Deal, installed: InstalledMeter, tmp_path: Path
) -> None:
    async def away() -> None:
        meter = SigningMeter.open(installed.folder)
        async with running_node(deal.provider, tmp_path / "node") as node:
            pass
        async with client_of(node, deal.provider) as client:
            read(deal.consortium, meter, UNIT)
            with pytest.raises(NodeUnreachable):
                await deliver(meter, client)

    async def back() -> None:
        meter = SigningMeter.open(installed.folder)
        read(deal.consortium, meter, UNIT)
        async with running_node(deal.provider, tmp_path / "node") as node, client_of(node, deal.provider) as client:
            delivery = await deliver(meter, client)
            assert [batch.first_sequence for batch in delivery.batches] == [1, 2]
            assert (await client.balance(deal.agreement_id)).accrued_micro == 4 * TOKEN

    deal.consortium.run(away())
    deal.consortium.run(back())


def test_a_refused_batch_stays_with_the_meter_until_it_is_given_up(
    deal: Deal, installed: InstalledMeter, tmp_path: Path
) -> None:
    async def run() -> None:
        meter = SigningMeter.open(installed.folder)
        async with running_node(deal.provider, tmp_path / "node") as node, client_of(node, deal.provider) as client:
            meter.record(Reading(deal.consortium.clock.now_us + 3_600_000_000, UNIT))
            delivery = await deliver(meter, client)
            assert delivery.stop is not None
            assert delivery.stop.error == "ReadingInFuture"
            assert len(meter.unacknowledged()) == 1

            meter.resume_at(delivery.batches[0].resume_at)
            assert meter.unacknowledged() == []
            read(deal.consortium, meter, UNIT)
            assert (await deliver(meter, client)).stop is None

    deal.consortium.run(run())


def test_kill_9_of_machine_node_and_ledger_neither_loses_nor_doubles_a_charge(
    tmp_path: Path, installed: InstalledMeter
) -> None:
    home = tmp_path / "consortium"
    with start_consortium(home, names=("maker", "factory", "bank")) as consortium:
        consortium.found()
        maker, factory = consortium.member("maker"), consortium.member("factory")
        consortium.member("bank").mint(factory, 10**6 * TOKEN)
        consortium.agree(maker, factory, per_unit("hours", 2 * TOKEN), funds=10**6 * TOKEN, meters=[installed])

    for rounds in (1, 3, 2):
        assert kill_after(rounds, home, installed.folder)
    command = [sys.executable, "-m", "tests.node.machine", str(home), str(installed.folder), "1"]
    last = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    readings, accrued_micro = map(int, last.stdout.splitlines()[-1].split())
    assert readings >= 5 * (1 + 3 + 2 + 1)
    assert accrued_micro == readings * 2 * TOKEN


def kill_after(rounds: int, home: Path, meter: Path) -> list[str]:
    """Runs the machine, and kills it at work after so many rounds. Returns the counts that it printed."""
    command = [sys.executable, "-m", "tests.node.machine", str(home), str(meter)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = filter(str.isdigit, (line.split()[0] for line in process.stdout))
        counted = [next(lines) for _ in range(rounds)]
        process.kill()
    return counted
