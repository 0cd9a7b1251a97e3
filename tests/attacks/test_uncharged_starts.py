"""A customer keeps batches from being charged, and refuses nothing openly, so that machines start again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from chaincode import keys
from chaincode.contract import ContractAnswer, invoke
from chaincode.shim import signed_by_peers
from chaincode.stub import Stub
from ledger.gateway import EndorseError
from tests.attacks.conftest import founded
from tests.attacks.rogue import Rogue, own_key_policy
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    on_ledgers,
)
from tests.harness.odd_peers import never_answers, wait_for_ever
from tests.node.nodes import chained, client_of, last_states, running_node, send
from zunft.client import NodeClient
from zunft.v1.node_pb2 import BATCH_STATUS_COMMITTED, BATCH_STATUS_WAITING_FOR_OTHER_PARTY
from zunft.v1.usage_pb2 import SignedBatch

# Much longer than a node needs to charge.
MINUTES_S = 180


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric-impatient"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene of the module's own, since time goes by; on Fabric the provider's peer waits 3 s for the customer's."""
    yield from founded(tmp_path_factory.mktemp("uncharged"), request.param)


def with_node(deal: Deal, folder: Path, work: Callable[[NodeClient], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with (
            running_node(deal.provider, folder) as node,
            client_of(node, deal.provider, "operator") as client,
        ):
            await work(client)

    deal.consortium.run(run())


async def check_start(deal: Deal, client: NodeClient, error: str = "") -> None:
    """The machine may start, or may not because of this error."""
    start = await client.authorise_start(deal.agreement_id, deal.meter.meter_id)
    assert (start.may_start, start.refusal.error) == (not error, error)


async def send_to_journal(client: NodeClient, batches: list[SignedBatch]) -> None:
    """Sends the batches, which get into the journal and are not charged for now."""
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await send(client, *batches)
    assert (await client.status()).committed == 0


async def holding_back(stub: Stub) -> ContractAnswer:
    """A contract that never answers to usage, and answers all other calls."""
    return await (wait_for_ever() if stub.args[0] == b"usage.submit" else invoke(stub))


@pytest.mark.fault(51)
@pytest.mark.parametrize("peer", [never_answers, holding_back])
def test_a_peer_that_does_not_answer_lets_machines_start_for_minutes_at_most(
    scene: Scene, tmp_path: Path, peer: Callable[[Stub], Coroutine[Any, Any, ContractAnswer]]
) -> None:
    """They start at first, since the ledger may be away; a node that is started anew knows how long batches wait."""
    deal = scene.agree()
    batches = chained(deal, UNIT, UNIT)

    async def at_first(client: NodeClient) -> None:
        await send_to_journal(client, batches)
        await check_start(deal, client)
        scene.consortium.clock.advance(MINUTES_S)
        await check_start(deal, client, "UsageNotCharged")
        assert (await client.balance(deal.agreement_id)).halt.error == "UsageNotCharged"

    async def anew(client: NodeClient) -> None:
        await check_start(deal, client, "UsageNotCharged")

    async def afterwards(client: NodeClient) -> None:
        assert set(last_states(await send(client, *batches)).values()) == {BATCH_STATUS_COMMITTED}
        await check_start(deal, client)
        assert (await client.balance(deal.agreement_id)).accrued_micro == len(batches) * TOKEN

    with Rogue(scene.consortium, scene.factory.name).running(peer):
        with_node(deal, tmp_path, at_first)
        with_node(deal, tmp_path, anew)
    with_node(deal, tmp_path, afterwards)


def test_old_readings_that_have_just_come_in_keep_no_machine_from_starting(scene: Scene, tmp_path: Path) -> None:
    """A meter may have been offline, so the time counts for which the node has the readings."""
    deal = scene.agree()
    batches = chained(deal, UNIT, UNIT)
    scene.consortium.clock.advance(MINUTES_S)

    async def work(client: NodeClient) -> None:
        await send_to_journal(client, batches)
        await check_start(deal, client)

    with Rogue(scene.consortium, scene.factory.name).running(holding_back):
        with_node(deal, tmp_path, work)


@pytest.mark.fault(51)
def test_a_peer_that_does_not_answer_counts_as_away(scene: Scene) -> None:
    """That is no refusal, after which the account would halt at once; afterwards the peer is as far as the others."""
    deal = scene.agree()
    rogue = Rogue(scene.consortium, scene.factory.name)
    with rogue.running(never_answers), pytest.raises(EndorseError, match="DeadlineExceeded") as caught:
        scene.maker.submit(deal, deal.batch([UNIT]))
    assert not caught.value.is_answer
    deal.use(UNIT)
    assert deal.accrued == TOKEN


@pytest.mark.fault(51)
def test_a_policy_that_nobody_fulfils_on_the_customer_s_own_copy_of_the_head_lets_no_machine_start(
    scene: Scene, tmp_path: Path
) -> None:
    deal = scene.agree()
    deal.use(UNIT)
    lock_own_head(scene, deal, signed_by_peers(["NobodyMSP"]))

    async def work(client: NodeClient) -> None:
        again = deal.batch([UNIT])
        assert set(last_states(await send(client, again)).values()) == {BATCH_STATUS_WAITING_FOR_OTHER_PARTY}
        await check_start(deal, client, "OtherPartyRefuses")
        assert "ENDORSEMENT_POLICY_FAILURE" in (await client.balance(deal.agreement_id)).halt.message

    with_node(deal, tmp_path, work)


@pytest.mark.fault(51)
def test_junk_in_the_place_of_a_policy_lets_machines_start_for_minutes_at_most(scene: Scene, tmp_path: Path) -> None:
    """Fabric's peers do not say which member is at fault: they fail at every write of that key, also the provider's."""
    deal = scene.agree()
    deal.use(UNIT)
    lock_own_head(scene, deal, b"\xff")

    async def work(client: NodeClient) -> None:
        await send_to_journal(client, [deal.batch([UNIT])])
        scene.consortium.clock.advance(MINUTES_S)
        start = await client.authorise_start(deal.agreement_id, deal.meter.meter_id)
        assert not start.may_start
        assert start.refusal.error in ("OtherPartyRefuses", "UsageNotCharged")

    with_node(deal, tmp_path, work)


def lock_own_head(scene: Scene, deal: Deal, policy: bytes) -> None:
    """Sets the policy of the head in the customer's own collection, by the customer alone."""
    rogue = Rogue(scene.consortium, deal.customer.name)
    outcome = rogue.send(own_key_policy(rogue, keys.head(deal.agreement_id).name, policy))
    assert outcome.code == VALID
    scene.consortium.catch_up(outcome.block_number)
