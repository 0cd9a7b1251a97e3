"""An accomplice's refund, noted late, is not paid before an honest customer's; a debt holds back only its own amount.

One hour costs one token.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from audit import audit
from chaincode.errors import AmountOutOfRange, RefundOwed, WrongStatus
from chaincode.rights.roles import Role
from tests.attacks.rogue import Rogue
from tests.audit.run import delivered, genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
    on_ledgers,
    per_unit,
    start_consortium,
)
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN, Ballot
from zunft.v1.charter_pb2 import EntryConditions
from zunft.v1.token_pb2 import TransferTokens
from zunft.v1.usage_pb2 import CorrectionReading

HOUR = UNIT
DEPOSIT = 40 * TOKEN
GUARD_S = 300


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene in which forge has been admitted and has paid a deposit; press is the fourth founder."""
    folder: Path = tmp_path_factory.mktemp("refunds")
    names = ("maker", "factory", "bank", "press", "forge")
    with start_consortium(folder, request.param, names=names) as consortium:
        consortium.found(names=names[:-1], entry=EntryConditions(deposit_micro=DEPOSIT))
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory, consortium.member("press")):
            scene.bank.mint(member, 1000 * TOKEN)
        admission = scene.maker.admin.apply(scene.forge.admin.sign(scene.forge.admin.bundle(scene.maker)))
        carry(admission, *voters(scene))
        scene.bank.mint(scene.forge, DEPOSIT)
        scene.forge.admin.activate(admission)
        yield scene


def voters(scene: Scene) -> tuple[Member, ...]:
    return scene.maker, scene.factory, scene.bank, scene.consortium.member("press")


def carry(ballot: Ballot, *voters: Member) -> None:
    for voter in voters:
        if ballot.status == BALLOT_STATUS_OPEN:
            ballot.CopyFrom(voter.admin.vote(ballot))


def spent(scene: Scene, customer: Member, hours: int) -> Deal:
    """An account of forge's, which was paid for it and has passed the tokens on to its accomplice."""
    deal = scene.consortium.agree(scene.forge, customer, per_unit("hours", TOKEN), funds=hours * TOKEN)
    deal.use(hours * HOUR)
    scene.forge.claim(deal)
    scene.forge.settle(deal)
    scene.forge.transfer(scene.factory, scene.forge.balance)
    return deal


def take_back(deal: Deal, hours: int, name: str = "c1") -> None:
    take_back_micro(deal, hours * HOUR, name)


def take_back_micro(deal: Deal, amount_micro: int, name: str = "c1") -> None:
    reading = CorrectionReading(time_us=deal.consortium.clock.now_us, quantity_micro=-amount_micro)
    deal.customer.correct(deal, name, reading)
    deal.provider.agree(deal, name)
    deal.customer.claim(deal)


@pytest.mark.fault(36)
def test_an_earlier_settlement_takes_nothing_that_was_noted_for_another_before(scene: Scene) -> None:
    """Forge gets 10 tokens, of which 3 are maker's in any order of asking; the accomplice gets the rest."""
    forge, maker, factory = scene.forge, scene.maker, scene.factory
    gift, honest, later = spent(scene, factory, 40), spent(scene, maker, 5), spent(scene, maker, 5)
    take_back(honest, 3)
    maker.settle(honest)
    take_back(gift, 40)
    factory.settle(gift)
    take_back(later, 2)
    maker.settle(later)
    assert [one.account.owed_back_micro for one in (honest, gift, later)] == [3 * TOKEN, 40 * TOKEN, 2 * TOKEN]

    factory.transfer(forge, 10 * TOKEN)
    scene.refuses(WrongStatus, lambda: maker.settle(later))
    factory.settle(gift)
    assert (gift.escrow, forge.balance) == (7 * TOKEN, 3 * TOKEN)
    scene.refuses(WrongStatus, lambda: factory.settle(gift))
    maker.settle(honest)
    assert (honest.account.owed_back_micro, forge.balance) == (0, 0)

    # A further debt comes last.
    take_back(honest, 1, "c2")
    maker.settle(honest)
    factory.transfer(forge, 35 * TOKEN)
    scene.refuses(WrongStatus, lambda: maker.settle(honest))
    maker.settle(later)
    factory.settle(gift)
    assert [one.account.owed_back_micro for one in (honest, gift, later)] == [TOKEN, 0, 0]
    assert "1.00 tokens" in scene.refuses(RefundOwed, lambda: forge.redeem(TOKEN))
    factory.transfer(forge, TOKEN)
    maker.settle(honest)
    assert forge.balance == 0


@pytest.mark.fault(56)
def test_a_debt_of_a_millionth_holds_a_millionth(scene: Scene) -> None:
    """The customer settles once, when the provider has spent its tokens, and never again."""
    forge, maker, factory, press = scene.forge, scene.maker, scene.factory, scene.consortium.member("press")
    deal = spent(scene, factory, 5)
    take_back_micro(deal, 1)
    factory.settle(deal)
    assert (deal.account.owed_back_micro, forge.balance) == (1, 0)

    scene.bank.mint(forge, 500 * TOKEN)
    forge.transfer(press, 100 * TOKEN)
    consumes = scene.consortium.agree(maker, forge, per_unit("hours", TOKEN), funds=100 * TOKEN)
    said = scene.refuses(RefundOwed, lambda: forge.redeem(300 * TOKEN))
    assert "may spend 299.999999 of its 300.00" in said
    scene.refuses(RefundOwed, lambda: forge.fund(consumes, 300 * TOKEN))
    forge.redeem(300 * TOKEN - 1)
    assert forge.balance == 1
    factory.settle(deal)
    assert (forge.balance, deal.account.owed_back_micro) == (0, 0)


@pytest.mark.fault(56)
def test_nobody_moves_owed_tokens_away_first(scene: Scene) -> None:
    """All creditors get their tokens, also the one noted last, although the debtor sends tokens to its friends."""
    forge, maker, factory = scene.forge, scene.maker, scene.factory
    honest, later = spent(scene, maker, 5), spent(scene, factory, 5)
    take_back(honest, 3)
    maker.settle(honest)
    take_back(later, 4)
    factory.settle(later)
    scene.bank.mint(forge, 10 * TOKEN)
    scene.refuses(RefundOwed, lambda: forge.transfer(factory, 3 * TOKEN + 1))
    forge.transfer(factory, 3 * TOKEN)
    scene.refuses(RefundOwed, lambda: forge.transfer(factory, TOKEN))
    factory.settle(later)
    scene.refuses(RefundOwed, lambda: forge.redeem(TOKEN))
    maker.settle(honest)
    assert (forge.balance, honest.account.owed_back_micro, later.account.owed_back_micro) == (0, 0, 0)


@pytest.mark.fault(38)
def test_a_debtor_gives_back_no_millionths(scene: Scene) -> None:
    """Each refund would make a transfer of the customer's conflict, or its acts on the account while that is open."""
    forge, maker, factory = scene.forge, scene.maker, scene.factory
    deal = spent(scene, maker, 3)
    take_back(deal, 2)
    maker.settle(deal)
    other = scene.consortium.agree(forge, factory, per_unit("hours", TOKEN), funds=10 * TOKEN)

    def earns(amount_micro: int) -> None:
        other.use(amount_micro)
        forge.claim(other)
        forge.settle(other)

    earns(1)
    assert "1.00 at least" in scene.refuses(AmountOutOfRange, lambda: forge.settle(deal))
    maker.terminate(deal)
    scene.consortium.clock.advance(GUARD_S)
    maker.close(deal)
    assert (forge.balance, deal.account.owed_back_micro) == (0, 2 * TOKEN - 1)
    transfer = TransferTokens(to_msp_id="PressMSP", amount_micro=TOKEN)
    honest = Rogue(scene.consortium, "maker")
    for _ in range(3):
        endorsed = honest.endorsed("token.transfer", transfer, role=Role.TREASURER)
        earns(1)
        scene.refuses(AmountOutOfRange, lambda: forge.settle(deal))
        assert honest.send_endorsed(endorsed, role=Role.TREASURER).code == VALID

    # The customer takes any amount; the debtor gives back a token at least, or the whole rest.
    maker.settle(deal)
    assert (forge.balance, deal.account.owed_back_micro) == (0, 2 * TOKEN - 4)
    earns(TOKEN)
    forge.settle(deal)
    earns(TOKEN)
    forge.settle(deal)
    assert (forge.balance, deal.account.owed_back_micro) == (4, 0)
    forge.redeem(4)


@pytest.mark.fault(36)
def test_a_suspended_provider_agrees_to_no_refund(scene: Scene) -> None:
    """A suspended provider agrees to no correction, and nobody agrees to one with it."""
    deal = spent(scene, scene.factory, 5)
    reading = CorrectionReading(time_us=scene.consortium.clock.now_us, quantity_micro=-HOUR)
    scene.forge.correct(deal, "gift", reading)
    carry(scene.maker.admin.suspend(scene.forge), *voters(scene))
    said = scene.refuses(WrongStatus, lambda: scene.factory.agree(deal, "gift"))
    assert "suspended" in said
    carry(scene.maker.admin.reinstate(scene.forge), *voters(scene))
    scene.factory.agree(deal, "gift")


@pytest.mark.fault(36)
def test_an_excluded_member_s_deposit_goes_to_its_oldest_creditor(scene: Scene) -> None:
    """This test is the last in its file. The accomplice settles before the honest customer, and then both close."""
    forge, maker, factory = scene.forge, scene.maker, scene.factory
    gift, honest = spent(scene, factory, 60), spent(scene, maker, 50)
    take_back(honest, 30)
    maker.settle(honest)
    take_back(gift, 60)
    carry(maker.admin.exclude(forge), *voters(scene))
    factory.settle(gift)
    assert (gift.escrow, forge.record.deposit_micro, forge.balance) == (DEPOSIT - 30 * TOKEN, 0, 30 * TOKEN)
    before = maker.balance
    maker.close(honest)
    assert (maker.balance - before, forge.balance) == (30 * TOKEN, 0)
    factory.close(gift)
    assert gift.account.owed_back_micro == 50 * TOKEN

    for name in ("maker", "factory", "press"):
        consortium = scene.consortium
        report = audit(delivered(consortium, name), genesis(consortium), consortium.member(name).msp_id)
        assert report.verdict("prepaid").violations == report.verdict("tokens").violations == ()
