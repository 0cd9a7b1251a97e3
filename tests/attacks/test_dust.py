"""Members move worthless amounts to make others' transactions conflict, or to keep others from leaving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer.transaction_pb2 import MVCC_READ_CONFLICT, VALID
from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import AmountOutOfRange, ExitCondition, TooOften, WrongStatus
from chaincode.recent import (
    MOST_CHANGES,
    WINDOW_S,
)
from ledger.gateway import Gateway
from tests.attacks.liar import until_charged
from tests.attacks.rogue import Rogue
from tests.attacks.witness import audited, spoiled
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
    on_ledgers,
    per_unit,
    start_consortium,
    tariff,
)
from tests.node.nodes import chained, client_of, fund, last_states, running_node, send
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, ClaimAccount, CloseAccount, SettleAccount
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_LEFT
from zunft.v1.node_pb2 import BATCH_STATUS_COMMITTED, BATCH_STATUS_WAITING_FOR_OTHER_PARTY
from zunft.v1.usage_pb2 import CorrectionReading

DUST = 1


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def leavers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene in which a member that leaves may go at once."""
    folder: Path = tmp_path_factory.mktemp("dust")
    with start_consortium(folder, request.param) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory):
            scene.bank.mint(member, 100 * TOKEN)
        yield scene


@pytest.mark.fault(19)
@pytest.mark.parametrize("amount_micro", [DUST, TOKEN // 2, TOKEN - 1])
def test_nobody_moves_another_s_balance_with_a_worthless_amount(scene: Scene, amount_micro: int) -> None:
    """A transfer makes the receiver's own transactions of that moment conflict, so it costs a whole token each time."""
    said = scene.refuses(AmountOutOfRange, lambda: scene.forge.transfer(scene.factory, amount_micro))
    assert "1.00" in said
    before = scene.factory.balance
    scene.forge.transfer(scene.factory, TOKEN)
    assert scene.factory.balance == before + TOKEN


@pytest.mark.fault(38)
def test_the_issuer_mints_no_worthless_amount(scene: Scene) -> None:
    """The issuer needs no friend and no tokens to make a member's own transactions of that moment conflict."""
    said = scene.refuses(AmountOutOfRange, lambda: scene.bank.mint(scene.factory, TOKEN - 1))
    assert "1.00" in said
    scene.bank.mint(scene.factory, TOKEN)


@pytest.mark.fault(19)
def test_a_rest_that_is_too_little_to_move_keeps_nobody_from_leaving(leavers: Scene) -> None:
    maker, factory, bank, forge = leavers.maker, leavers.factory, leavers.bank, leavers.forge
    bank.mint(forge, 3 * TOKEN - 1)
    forge.transfer(maker, 2 * TOKEN)
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


@pytest.mark.fault(56)
def test_a_leaver_moves_its_free_tokens_first_and_its_debts_do_not_keep_it(leavers: Scene) -> None:
    """The customer also gets its refund when its provider is gone."""
    maker, factory, bank = leavers.maker, leavers.factory, leavers.bank
    deal = leavers.consortium.agree(factory, maker, per_unit("hours", TOKEN), funds=5 * TOKEN)
    deal.use(5 * UNIT)
    factory.claim(deal)
    factory.settle(deal)
    factory.transfer(maker, factory.balance)
    reading = CorrectionReading(time_us=leavers.consortium.clock.now_us, quantity_micro=-5 * UNIT)
    maker.correct(deal, "back", reading)
    factory.agree(deal, "back")
    factory.terminate(deal)
    factory.claim(deal)
    factory.settle(deal)
    factory.close(deal)
    factory.revoke(deal.meter)
    bank.mint(factory, 6 * TOKEN)
    factory.admin.leave()
    assert "the 1.00 tokens" in leavers.refuses(ExitCondition, lambda: factory.admin.depart())
    factory.transfer(maker, TOKEN)
    factory.admin.depart()
    maker.settle(deal)
    assert (factory.balance, deal.account.owed_back_micro) == (0, 0)


# --- acts that make another's transaction conflict --------------------------------------------------------------------


@pytest.mark.fault(38)
def test_no_worthless_amount_is_paid_out(scene: Scene) -> None:
    """A redemption is of a token at least, or of the whole balance."""
    bank = scene.bank
    assert "1.00" in scene.refuses(AmountOutOfRange, lambda: scene.forge.redeem(TOKEN - 1))
    if bank.balance:
        bank.redeem(bank.balance)
    bank.mint(bank, TOKEN * 3 // 2)
    bank.transfer(scene.maker, TOKEN)
    bank.redeem(TOKEN // 2)
    assert bank.balance == 0


@pytest.mark.fault(38)
def test_a_rest_below_a_token_is_paid_out_twenty_times_an_hour_at_most(scene: Scene) -> None:
    """Two friends pass a token and a millionth to and fro, and each redeems its rest again and again."""
    forge, maker, before = scene.forge, scene.maker, scene.forge.balance
    forge.transfer(maker, before)
    for _ in range(MOST_CHANGES):
        maker.transfer(forge, TOKEN + DUST)
        forge.transfer(maker, TOKEN)
        forge.redeem(DUST)
    maker.transfer(forge, 2 * TOKEN + DUST)
    forge.redeem(TOKEN)
    forge.transfer(maker, TOKEN)
    assert "go on in" in scene.refuses(TooOften, lambda: forge.redeem(DUST))
    scene.consortium.clock.advance(WINDOW_S)
    forge.redeem(DUST)
    maker.transfer(forge, before)


@pytest.mark.fault(38)
def test_goodwill_of_less_than_a_token_comes_twenty_times_an_hour_at_most(scene: Scene) -> None:
    """A quarter of a token for a scrapped part is honest; without end it would stop the customer's own acts."""
    maker, factory, clock = scene.maker, scene.factory, scene.consortium.clock
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(5 * UNIT)
    maker.claim(deal)
    maker.settle(deal)
    [invoice] = deal.invoices
    for _ in range(MOST_CHANGES):
        maker.credit(invoice.number, DUST, factory)
    assert "go on in" in scene.refuses(TooOften, lambda: maker.credit(invoice.number, DUST, factory))
    maker.credit(invoice.number, TOKEN, factory)
    clock.advance(WINDOW_S)
    maker.credit(invoice.number, DUST, factory)


@pytest.mark.fault(52)
def test_nobody_amends_without_end(scene: Scene) -> None:
    """Each amendment writes a record that the other party's transactions read, so that these would conflict."""
    terms = scene.agree().terms(2, tariff=tariff(per_unit("hours", TOKEN)))
    for _ in range(MOST_CHANGES):
        scene.factory.amend(terms)
    assert "go on in" in scene.refuses(TooOften, lambda: scene.factory.amend(terms))
    scene.maker.amend(terms)
    scene.consortium.clock.advance(WINDOW_S)
    scene.factory.amend(terms)


@pytest.mark.fault(38)
def test_the_customer_keeps_the_provider_from_its_claim_for_a_while_at_most(scene: Scene) -> None:
    """Notices and fundings come before the provider's claim, twenty times within an hour and no more."""
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(2 * UNIT)
    maker, factory = Rogue(scene.consortium, "maker"), scene.factory
    request = ClaimAccount(agreement_id=deal.agreement_id)
    disturbances = [lambda: factory.give_notice(deal, TOKEN), lambda: factory.fund(deal, TOKEN)]
    # The funding at its opening counts, too.
    for number in range(MOST_CHANGES - 1):
        claim = maker.endorsed("account.claim", request, role="treasurer", transient=scene.maker.shown(deal))
        disturbances[number % 2]()
        assert maker.send_endorsed(claim, role="treasurer").code == MVCC_READ_CONFLICT

    claim = maker.endorsed("account.claim", request, role="treasurer", transient=scene.maker.shown(deal))
    for disturb in disturbances:
        assert "go on in" in scene.refuses(TooOften, disturb)
    assert maker.send_endorsed(claim, role="treasurer").code == VALID
    scene.maker.settle(deal)
    scene.consortium.clock.advance(WINDOW_S)
    factory.withdraw(deal)


@pytest.mark.fault(38)
def test_the_customer_s_transfers_stop_no_payment(scene: Scene) -> None:
    """The customer sends a token to a friend and back, again and again."""
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(2 * UNIT)
    scene.maker.claim(deal)
    request = SettleAccount(agreement_id=deal.agreement_id, provider_msp_id=deal.provider.msp_id)
    payment = Rogue(scene.consortium, "maker").endorsed("account.settle", request, role="treasurer")
    scene.factory.transfer(scene.forge, TOKEN)
    assert Rogue(scene.consortium, "maker").send_endorsed(payment, role="treasurer").code == VALID


@pytest.mark.fault(38)
def test_the_provider_s_transfers_keep_no_account_open(scene: Scene) -> None:
    """Everything is settled, and the provider sends a token to a friend and back, again and again."""
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(2 * UNIT)
    scene.maker.claim(deal)
    scene.maker.settle(deal)
    scene.factory.terminate(deal)
    scene.consortium.clock.advance(300)
    request = CloseAccount(agreement_id=deal.agreement_id, customer_msp_id=deal.customer.msp_id)
    closing = Rogue(scene.consortium, "factory").endorsed("account.close", request, role="treasurer")
    scene.maker.transfer(scene.forge, TOKEN)
    assert Rogue(scene.consortium, "factory").send_endorsed(closing, role="treasurer").code == VALID


@pytest.mark.fault(55)
@pytest.mark.parametrize("closer", ["maker", "factory"])
def test_transfers_of_the_other_party_and_a_friend_keep_no_account_open(scene: Scene, closer: str) -> None:
    """The other party's share stays in the escrow; the closing party and its friend cannot stop its settlement."""
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(2 * UNIT)
    scene.factory.terminate(deal)
    scene.consortium.clock.advance(300)
    one = scene.consortium.member(closer)
    other = scene.factory if closer == "maker" else scene.maker
    due = {"maker": 2 * TOKEN, "factory": 8 * TOKEN}
    had = {member.name: member.balance for member in (one, other)}

    request = CloseAccount(agreement_id=deal.agreement_id, customer_msp_id=deal.customer.msp_id, leaves_share=True)
    shown = one.shown(deal)
    assert sent_between(scene, one, other, "account.close", request, transient=shown) == VALID
    assert (deal.account.status, deal.escrow) == (ACCOUNT_STATUS_CLOSED, due[other.name])
    assert one.balance - had[one.name] == due[one.name]
    assert keys.obligation(one.msp_id, keys.account(deal.agreement_id)).name not in scene.consortium.public

    payment = SettleAccount(agreement_id=deal.agreement_id, provider_msp_id=deal.provider.msp_id)
    assert sent_between(scene, other, one, "account.settle", payment) == VALID
    assert {member.name: member.balance - had[member.name] for member in (one, other)} == due
    assert (deal.escrow, [invoice.amount_micro for invoice in deal.invoices]) == (0, [2 * TOKEN])
    scene.refuses(WrongStatus, lambda: other.settle(deal))
    for member in (one, other):
        assert spoiled(audited(member)) == {}


@pytest.mark.fault(55)
def test_a_claim_that_the_provider_does_not_settle_keeps_no_account_open(scene: Scene) -> None:
    """The provider goes on with its usage, and lets nobody else settle; both periods are billed when it settles."""
    maker, factory = scene.maker, scene.factory
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(2 * UNIT)
    maker.claim(deal)
    deal.use(3 * UNIT)
    factory.terminate(deal)
    scene.consortium.clock.advance(300)
    had = maker.balance, factory.balance
    request = CloseAccount(agreement_id=deal.agreement_id, customer_msp_id=factory.msp_id, leaves_share=True)
    assert sent_between(scene, factory, maker, "account.close", request, transient=factory.shown(deal)) == VALID
    assert (factory.balance - had[1], deal.escrow) == (5 * TOKEN, 5 * TOKEN)

    for owed in (3 * TOKEN, 0):
        maker.settle(deal)
        assert deal.escrow == owed
    assert maker.balance - had[0] == 5 * TOKEN
    assert [(one.amount_micro, bool(one.head_sequence)) for one in deal.invoices] == [
        (2 * TOKEN, False),
        (3 * TOKEN, True),
    ]
    scene.refuses(WrongStatus, lambda: maker.settle(deal))
    for member in (maker, factory):
        assert spoiled(audited(member)) == {}


def sent_between(scene: Scene, sender: Member, disturber: Member, name: str, request: Message, **how: Any) -> int:
    """The validation code of a transaction while another member and a friend pass a token to and fro."""
    honest = Rogue(scene.consortium, sender.name)
    endorsed = honest.endorsed(name, request, role="treasurer", **how)
    disturber.transfer(scene.forge, TOKEN)
    scene.forge.transfer(disturber, TOKEN)
    outcome = honest.send_endorsed(endorsed, role="treasurer")
    scene.consortium.catch_up(outcome.block_number)
    return outcome.code


class Overtaken:
    """The provider's transport, on which the customer's funding always comes before the provider's transaction."""

    def __init__(self, honest: Any, deal: Deal) -> None:
        self.busy = True
        self._honest = honest
        self._deal = deal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse:
        if self.busy:
            await fund(self._deal, TOKEN)
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
