"""A customer's peer refuses with invented sentences, so that its provider's node throws signed readings away."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from chaincode.readings.batch import batch_digest
from ledger.configuration import ordered_height
from tests.attacks.liar import Lie, lying_customer, until_charged
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
)
from tests.node.nodes import chained, client_of, last_states, running_node, send
from zunft.client import NodeClient
from zunft.v1.node_pb2 import (
    BATCH_DECISION_GIVE_UP,
    BATCH_DECISION_RETRY,
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    DecideBatchRequest,
    ListBatchesRequest,
)

HOURS = [UNIT] * 8
ALWAYS = 10**6
# This clears a terminal, and turns the following text from right to left.
TERMINAL = "\x1b[2J\u202e"


def with_node(deal: Deal, folder: Path, lie: Lie, work: Callable[[NodeClient], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` as a machine of the provider while the customer's peer lies."""

    async def run() -> None:
        with lying_customer(deal, lie) as gateway:
            async with (
                running_node(deal.provider, folder, gateway) as node,
                client_of(node, deal.provider, "operator") as client,
            ):
                await work(client)

    deal.consortium.run(run())


@pytest.mark.fault(4)
def test_one_lie_costs_the_provider_nothing(scene: Scene, tmp_path: Path) -> None:
    deal = scene.agree()

    async def work(client: NodeClient) -> None:
        states = await send(client, *chained(deal, *HOURS))
        assert set(last_states(states).values()) == {BATCH_STATUS_COMMITTED}
        assert (await client.balance(deal.agreement_id)).accrued_micro == len(HOURS) * TOKEN

    with_node(deal, tmp_path, Lie("WrongSignature: of no batch", times=5), work)


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("WrongSignature: of no batch", 400),
        ("MeterRevoked: long ago", 409),
        ("InsufficientFunds: not a cent", 402),
        ("HeadMismatch: moved on", 409),
        ("ClockSkew: another century", 403),
        (f"Nonsense: {TERMINAL}", 500),
    ],
)
def test_while_the_peer_lies_the_account_waits_and_no_machine_starts(
    scene: Scene, tmp_path: Path, words: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    deal, lie = scene.agree(), Lie(words, ALWAYS, status=status)
    batches = chained(deal, *HOURS)

    async def work(client: NodeClient) -> None:
        states = await send(client, *batches)
        assert set(last_states(states).values()) == {BATCH_STATUS_WAITING_FOR_OTHER_PARTY}
        start = await client.authorise_start(deal.agreement_id, deal.meter.meter_id)
        assert (start.may_start, start.refusal.error) == (False, "OtherPartyRefuses")
        assert words.split(":")[0] in start.refusal.message
        assert start.refusal.message.isprintable()
        waiting = await client.batches(ListBatchesRequest(agreement_id=deal.agreement_id))
        assert {one.digest for one in waiting.batches} == {one.digest for one in states}
        lie.times = 0
        assert set(last_states(await until_charged(client, batches)).values()) == {BATCH_STATUS_COMMITTED}
        assert (await client.authorise_start(deal.agreement_id, deal.meter.meter_id)).may_start
        assert (await client.balance(deal.agreement_id)).accrued_micro == len(HOURS) * TOKEN

    with_node(deal, tmp_path, lie, work)
    logged = capsys.readouterr().out
    assert "ALARM" in logged
    assert not any(sign in logged for sign in TERMINAL[:: len(TERMINAL) - 1])


def test_a_waiting_batch_is_given_up_and_tried_again_only_when_a_person_says_so(scene: Scene, tmp_path: Path) -> None:
    deal, lie = scene.agree(), Lie("Gap: before your time", ALWAYS, status=409)
    batches = chained(deal, UNIT, UNIT, UNIT)

    async def work(client: NodeClient) -> None:
        states = last_states(await send(client, *batches))
        assert set(states.values()) == {BATCH_STATUS_WAITING_FOR_OTHER_PARTY}
        digest = batch_digest(batches[1].batch)
        given_up = await client.decide(DecideBatchRequest(digest=digest, decision=BATCH_DECISION_GIVE_UP))
        assert (given_up.status, given_up.refusal.error, given_up.resume_at.next_sequence) == (
            BATCH_STATUS_REFUSED,
            "GivenUp",
            2,
        )
        listed = (await client.batches(ListBatchesRequest())).batches
        assert [(one.status, one.refusal.error) for one in listed if one.agreement_id == deal.agreement_id] == [
            (BATCH_STATUS_WAITING_FOR_OTHER_PARTY, "OtherPartyRefuses"),
            (BATCH_STATUS_REFUSED, "GivenUp"),
            (BATCH_STATUS_REFUSED, "Gap"),
        ]
        lie.times = 0
        await until_charged(client, batches[:1])
        again = await client.decide(DecideBatchRequest(digest=digest, decision=BATCH_DECISION_RETRY))
        assert again.status in (BATCH_STATUS_JOURNALLED, BATCH_STATUS_COMMITTED)
        await until_charged(client, batches)
        assert (await client.balance(deal.agreement_id)).accrued_micro == 3 * TOKEN

    with_node(deal, tmp_path, lie, work)


def test_the_own_peer_s_refusal_is_for_good(scene: Scene, tmp_path: Path) -> None:
    deal = scene.agree()
    scene.maker.revoke(deal.meter)
    batches = chained(deal, UNIT)

    async def work(client: NodeClient) -> None:
        [state] = last_states(await send(client, *batches)).values()
        assert state == BATCH_STATUS_REFUSED

    with_node(deal, tmp_path, Lie("", 0), work)


def test_the_orderers_name_the_height(scene: Scene) -> None:
    """A peer's own height counts only when the peer has all blocks."""
    gateway = scene.consortium.gateway(scene.maker.msp_id, "erp")
    assert scene.consortium.run(ordered_height(gateway)) == scene.consortium.run(gateway.height())
