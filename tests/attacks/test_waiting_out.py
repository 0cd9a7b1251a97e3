"""A customer lets the cut-off pass while the provider cannot act, so that signed readings are too late for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chaincode import keys
from chaincode.account.announcement import announced_digest
from chaincode.account.head import DISCLOSURE
from chaincode.contract import ContractAnswer, invoke
from chaincode.readings.batch import batch_digest
from chaincode.stub import Stub
from ledger.gateway import Gateway
from tests.attacks.liar import Lie, lying_customer, until_charged
from tests.attacks.rogue import Rogue
from tests.attacks.silence import silent
from tests.conformance.scene import Scene
from tests.conformance.test_ballot import suspended
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    only_on,
)
from tests.harness.odd_peers import wait_for_ever
from tests.node.nodes import chained, client_of, fund, last_states, running_node, send
from zunft.client import NodeClient
from zunft.v1.node_pb2 import (
    BATCH_DECISION_GIVE_UP,
    BATCH_DECISION_RETRY,
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
    BatchStatus,
    DecideBatchRequest,
)
from zunft.v1.record_pb2 import ListKeys, Records
from zunft.v1.usage_pb2 import Disclosure, SignedBatch

DAY_S = 86_400
CUT_OFF_S = 7 * DAY_S
ALWAYS = 10**6
HOURS = [UNIT] * 4


@pytest.fixture
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own: weeks go by, and the maker is suspended and reinstated."""
    return own_scene


@pytest.fixture
def deal(scene: Scene) -> Deal:
    return scene.agree(late_cut_off_s=CUT_OFF_S)


def with_node(
    deal: Deal, folder: Path, work: Callable[[NodeClient], Coroutine[Any, Any, None]], gateway: Gateway | None = None
) -> None:
    async def run() -> None:
        async with (
            running_node(deal.provider, folder, gateway) as node,
            client_of(node, deal.provider, "operator") as client,
        ):
            await work(client)

    deal.consortium.run(run())


async def wait_for_days(deal: Deal, client: NodeClient, batches: list[SignedBatch], why: BatchStatus) -> None:
    """The batches wait, the last one from a day later on; in the end all are older than agreed."""
    early, late = batches[:-1], batches[-1:]
    for sent in (early, late):
        assert set(last_states(await send(client, *sent)).values()) == {why}
        deal.consortium.clock.advance(DAY_S)
        await wait_until_announced(deal, sent)
    deal.consortium.clock.advance(CUT_OFF_S)


async def wait_until_announced(deal: Deal, batches: Sequence[SignedBatch]) -> None:
    """Waits until the ledger has these announcements."""
    gateway = deal.consortium.gateway(deal.provider.msp_id, "erp")
    request = ListKeys(prefix=f"announcement/{deal.provider.msp_id}/", limit=1000)
    wanted = {keys.announcement(deal.provider.msp_id, announced_digest(signed)).name for signed in batches}
    async with asyncio.timeout(20):
        while True:
            answer = await gateway.evaluate("record.list", request)
            if wanted <= {one.key for one in Records.FromString(answer).records}:
                return
            await asyncio.sleep(0.2)


async def check_all_charged(deal: Deal, client: NodeClient, batches: list[SignedBatch]) -> None:
    assert set(last_states(await until_charged(client, batches)).values()) == {BATCH_STATUS_COMMITTED}
    assert (await client.balance(deal.agreement_id)).accrued_micro == len(batches) * TOKEN


@pytest.mark.fault(39)
def test_the_customer_s_peer_answers_nonsense_until_it_is_too_late(scene: Scene, deal: Deal, tmp_path: Path) -> None:
    """It answers so to every call, also to announcements."""
    batches, is_honest = chained(deal, *HOURS), asyncio.Event()

    async def answer(stub: Stub) -> ContractAnswer:
        return await invoke(stub) if is_honest.is_set() else ContractAnswer(500, "Nonsense: later", b"")

    async def work(client: NodeClient) -> None:
        await wait_for_days(deal, client, batches, BATCH_STATUS_WAITING_FOR_OTHER_PARTY)
        is_honest.set()
        await check_all_charged(deal, client, batches)

    with Rogue(scene.consortium, scene.factory.name).running(answer):
        with_node(deal, tmp_path, work)


@pytest.mark.fault(39)
def test_the_customer_s_peer_takes_one_batch_at_a_time_and_slowly(scene: Scene, deal: Deal, tmp_path: Path) -> None:
    """Something is charged every day, so that the account is never stuck, and more than a cut-off's days wait."""
    batches = chained(deal, *[UNIT] * 10)

    async def states(client: NodeClient) -> dict[int, BatchStatus]:
        async with asyncio.timeout(90):
            return last_states([progress async for progress in client.submit_batches(batches)])

    async def work(client: NodeClient) -> None:
        sending = asyncio.create_task(states(client))
        for charged in range(1, len(batches)):
            while not sending.done():
                balance = await client.balance(deal.agreement_id)
                if balance.accrued_micro >= charged * TOKEN:
                    break
                await asyncio.sleep(0.1)
            deal.consortium.clock.advance(DAY_S)
        assert set((await sending).values()) == {BATCH_STATUS_COMMITTED}

    with Rogue(scene.consortium, scene.factory.name).running(one_at_a_time):
        with_node(deal, tmp_path, work)


async def one_at_a_time(stub: Stub) -> ContractAnswer:
    if stub.args[0] == b"usage.submit":
        if len(Disclosure.FromString(stub.transient[DISCLOSURE]).batches) > 1:
            return ContractAnswer(500, "Nonsense: one at a time", b"")
        await asyncio.sleep(0.5)
    return await invoke(stub)


@only_on("fabric", "own_scene")
def test_the_customer_s_peer_is_away_until_it_is_too_late(scene: Scene, deal: Deal, tmp_path: Path) -> None:
    """This needs a ledger on which each member has a peer of its own."""
    batches = chained(deal, *HOURS)

    async def meanwhile(client: NodeClient) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await send(client, *batches)
        deal.consortium.clock.advance(DAY_S)
        await wait_until_announced(deal, batches)
        deal.consortium.clock.advance(CUT_OFF_S)

    async def afterwards(client: NodeClient) -> None:
        await check_all_charged(deal, client, batches)

    with silent(scene, scene.factory):
        with_node(deal, tmp_path, meanwhile)
    with_node(deal, tmp_path, afterwards)


@pytest.mark.fault(39)
def test_the_provider_is_suspended_until_it_is_too_late(scene: Scene, deal: Deal, tmp_path: Path) -> None:
    """Its node is started anew in between, and goes on with the waiting batches."""
    batches = chained(deal, *HOURS)

    async def meanwhile(client: NodeClient) -> None:
        await wait_for_days(deal, client, batches, BATCH_STATUS_WAITING_FOR_RIGHTS)
        start = await client.authorise_start(deal.agreement_id, deal.meter.meter_id)
        assert (start.may_start, start.refusal.error) == (False, "NotEntitled")

    async def afterwards(client: NodeClient) -> None:
        await check_all_charged(deal, client, batches)
        assert (await client.authorise_start(deal.agreement_id, deal.meter.meter_id)).may_start

    with suspended(scene, scene.maker, scene.factory, scene.bank, scene.forge):
        with_node(deal, tmp_path, meanwhile)
    with_node(deal, tmp_path, afterwards)


@pytest.mark.fault(39)
def test_the_customer_funds_the_account_when_it_is_too_late(scene: Scene, tmp_path: Path) -> None:
    deal = scene.agree(late_cut_off_s=CUT_OFF_S, funds=0)
    batches = chained(deal, *HOURS)

    async def work(client: NodeClient) -> None:
        await wait_for_days(deal, client, batches, BATCH_STATUS_WAITING_FOR_FUNDS)
        await fund(deal, 10 * TOKEN)
        await check_all_charged(deal, client, batches)

    with_node(deal, tmp_path, work)


def test_a_node_that_stops_announces_its_waiting_batches(scene: Scene, tmp_path: Path) -> None:
    """A node that was started for an import alone does so, too."""
    deal = scene.agree(late_cut_off_s=CUT_OFF_S, funds=0)
    batches = chained(deal, *HOURS)

    async def meanwhile(client: NodeClient) -> None:
        assert set(last_states(await send(client, *batches)).values()) == {BATCH_STATUS_WAITING_FOR_FUNDS}

    async def afterwards(client: NodeClient) -> None:
        await check_all_charged(deal, client, batches)

    with_node(deal, tmp_path, meanwhile)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    scene.factory.fund(deal, 10 * TOKEN)
    with_node(deal, tmp_path, afterwards)


@pytest.mark.fault(39)
def test_a_node_that_stops_announces_batches_that_it_has_just_got(scene: Scene, deal: Deal, tmp_path: Path) -> None:
    """The customer's peer has not answered yet, and may still do so."""
    batches, is_asked = chained(deal, *HOURS), asyncio.Event()

    async def answer(stub: Stub) -> ContractAnswer:
        if stub.args[0] == b"usage.submit":
            is_asked.set()
            await wait_for_ever()
        return await invoke(stub)

    async def meanwhile(client: NodeClient) -> None:
        sending = asyncio.create_task(send(client, *batches))
        await is_asked.wait()
        while True:
            balance = await client.balance(deal.agreement_id)
            if balance.pending_batches == len(batches):
                break
            await asyncio.sleep(0.1)
        sending.cancel()

    async def afterwards(client: NodeClient) -> None:
        await check_all_charged(deal, client, batches)

    with Rogue(scene.consortium, scene.factory.name).running(answer):
        with_node(deal, tmp_path, meanwhile)
    scene.consortium.clock.advance(CUT_OFF_S + 1)
    with_node(deal, tmp_path, afterwards)


def test_a_batch_given_up_meanwhile_is_tried_again_and_not_too_late(deal: Deal, tmp_path: Path) -> None:
    lie, batches = Lie("Nonsense: later", ALWAYS, status=500), chained(deal, *HOURS)
    digest = batch_digest(batches[0].batch)

    async def work(client: NodeClient) -> None:
        await wait_for_days(deal, client, batches, BATCH_STATUS_WAITING_FOR_OTHER_PARTY)
        await client.decide(DecideBatchRequest(digest=digest, decision=BATCH_DECISION_GIVE_UP))
        lie.times = 0
        await client.decide(DecideBatchRequest(digest=digest, decision=BATCH_DECISION_RETRY))
        await check_all_charged(deal, client, batches)

    with lying_customer(deal, lie) as gateway:
        with_node(deal, tmp_path, work, gateway)


def test_a_node_that_was_not_there_in_time_is_too_late(deal: Deal, tmp_path: Path) -> None:
    """A provider loses readings by its own delay."""
    batches = chained(deal, UNIT)
    deal.consortium.clock.advance(CUT_OFF_S + 1)

    async def work(client: NodeClient) -> None:
        [progress] = await send(client, *batches)
        assert progress.refusal.error == "ReadingTooLate"

    with_node(deal, tmp_path, work)
