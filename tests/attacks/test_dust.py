"""Members move amounts that are worth nothing, to keep others' transactions from going through, or them from going."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.gateway import gateway_pb2

from chaincode.errors import AmountOutOfRange, ExitCondition, WrongStatus
from node.ledger.gateway import Gateway
from tests.attacks.liar import until_charged
from tests.conformance.scene import Scene
from tests.consortium import TOKEN, UNIT, Deal, on_ledgers, start_consortium
from tests.node.nodes import chained, client_of, fund, last_states, running_node, send
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_LEFT
from zunft.v1.node_pb2 import BATCH_STATUS_COMMITTED, BATCH_STATUS_WAITING_FOR_OTHER_PARTY

DUST = 1


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def leavers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Who leaves here may go at once."""
    folder: Path = tmp_path_factory.mktemp("dust")
    with start_consortium(folder, request.param) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory):
            scene.bank.mint(member, 100 * TOKEN)
        yield scene


@pytest.mark.fault(19)
@pytest.mark.parametrize("amount_micro", [DUST, TOKEN // 2, TOKEN - 1])
def test_nobody_moves_another_s_balance_with_what_is_worth_nothing(scene: Scene, amount_micro: int) -> None:
    """A transfer makes the receiver's own transactions of that moment conflict: it costs a whole token each time."""
    said = scene.refuses(AmountOutOfRange, lambda: scene.forge.transfer(scene.factory, amount_micro))
    assert "1.00" in said
    before = scene.factory.balance
    scene.forge.transfer(scene.factory, TOKEN)
    assert scene.factory.balance == before + TOKEN


@pytest.mark.fault(19)
def test_what_is_too_little_to_be_moved_keeps_nobody_from_leaving(leavers: Scene) -> None:
    maker, factory, bank, forge = leavers.maker, leavers.factory, leavers.bank, leavers.forge
    bank.mint(forge, TOKEN - 1)
    forge.admin.leave()
    leavers.refuses(WrongStatus, lambda: factory.transfer(forge, 5 * TOKEN))
    ballot = forge.admin.depart()
    for voter in (maker, factory, bank):
        if ballot.status == BALLOT_STATUS_OPEN:
            ballot = voter.admin.vote(ballot)
    maker.admin.execute(ballot)
    assert forge.record.status == MEMBER_STATUS_LEFT
    bank.confirm(bank.redeem(TOKEN - 1, of=forge))
    assert forge.balance == 0


def test_what_can_be_moved_is_moved_before(leavers: Scene) -> None:
    leavers.factory.admin.leave()
    leavers.refuses(ExitCondition, lambda: leavers.factory.admin.depart())


class Overtaken:
    """The provider's way to the orderers, on which the customer's worthless funding always comes first."""

    def __init__(self, honest: Any, deal: Deal) -> None:
        self.busy = True
        self._honest = honest
        self._deal = deal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse:
        if self.busy:
            await fund(self._deal, DUST)
        return await self._honest.submit(request)


def test_an_account_that_the_customer_keeps_busy_lets_no_machine_start(scene: Scene, tmp_path: Path) -> None:
    deal = scene.agree()
    known = scene.consortium.gateway(scene.maker.msp_id, "erp")
    way: Any = Overtaken(known.transport, deal)
    gateway = Gateway(way, known.identity, channel=known.channel, clock=lambda: scene.consortium.clock.now_us)

    async def run() -> None:
        async with running_node(scene.maker, tmp_path, gateway) as node, client_of(node, scene.maker) as client:
            batches = chained(deal, UNIT)
            assert set(last_states(await send(client, *batches)).values()) == {BATCH_STATUS_WAITING_FOR_OTHER_PARTY}
            assert not (await client.authorise_start(deal.agreement_id, deal.meter.meter_id)).may_start
            way.busy = False
            assert set(last_states(await until_charged(client, batches)).values()) == {BATCH_STATUS_COMMITTED}
            assert (await client.authorise_start(deal.agreement_id, deal.meter.meter_id)).may_start

    scene.consortium.run(run())
