"""Tokens in the escrows of excluded members do not stay there for ever. One hour costs one token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from audit import audit
from chaincode.errors import HeadMismatch, NoticePeriod, WrongStatus
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
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, CloseAccount
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN

HOUR = UNIT
DAY_S = 86_400
GUARD_S = 300


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene of six members, two of which are excluded, one after the other."""
    folder: Path = tmp_path_factory.mktemp("gone")
    names = ("maker", "factory", "bank", "press", "mill", "forge")
    with start_consortium(folder, request.param, names=names) as consortium:
        consortium.found()
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory, scene.forge):
            scene.bank.mint(member, 1000 * TOKEN)
        yield scene


def exclude(scene: Scene, member: Member) -> None:
    ballot = scene.bank.admin.exclude(member)
    for voter in (scene.bank, *(scene.consortium.member(name) for name in ("press", "mill", "maker", "factory"))):
        if ballot.status == BALLOT_STATUS_OPEN and voter != member:
            ballot.CopyFrom(voter.admin.vote(ballot))


def agree(scene: Scene, provider: Member, customer: Member, **how: object) -> Deal:
    how = {"funds": 20 * TOKEN, "notice_s": 3 * DAY_S, **how}
    return scene.consortium.agree(provider, customer, per_unit("hours", TOKEN), **how)


def check_audits(scene: Scene) -> None:
    for name in ("maker", "factory", "forge", "press"):
        consortium = scene.consortium
        report = audit(delivered(consortium, name), genesis(consortium), consortium.member(name).msp_id)
        for verdict in ("prepaid", "invoices", "rating", "tokens"):
            assert report.verdict(verdict).violations == ()


def close_into_transfers(scene: Scene, deal: Deal) -> int:
    """The validation code of the issuer's closing, which leaves a share, while a token goes to a friend and back."""
    bank = Rogue(scene.consortium, "bank")
    request = CloseAccount(agreement_id=deal.agreement_id, customer_msp_id=deal.customer.msp_id, leaves_share=True)
    closing = bank.endorsed("account.close", request, role=Role.TREASURER)
    scene.factory.transfer(deal.provider, TOKEN)
    deal.provider.transfer(scene.factory, TOKEN)
    outcome = bank.send_endorsed(closing, role=Role.TREASURER)
    scene.consortium.catch_up(outcome.block_number)
    return outcome.code


@pytest.mark.fault(55)
@pytest.mark.fault(37)
def test_the_issuer_gives_back_the_uncharged_tokens_of_members_that_are_gone(scene: Scene) -> None:
    """First the customer is excluded, then the provider as well."""
    maker, factory, bank, forge = scene.maker, scene.factory, scene.bank, scene.forge
    claimed, shown, hidden, openly = (agree(scene, maker, forge, open_book=one) for one in (False, False, False, True))
    both, theirs, left = agree(scene, factory, forge), agree(scene, forge, factory), agree(scene, maker, forge)
    for deal in (claimed, shown, hidden, openly, both, theirs, left):
        deal.use(7 * HOUR)
    factory.claim(both)
    scene.refuses(WrongStatus, lambda: bank.close(claimed))
    scene.refuses(WrongStatus, lambda: bank.settle(claimed))

    close_without_the_customer(scene, claimed, shown, hidden, openly, left)
    close_leaving_the_share(scene, left)
    close_without_both(scene, both, theirs)
    check_audits(scene)


def close_without_the_customer(
    scene: Scene, claimed: Deal, shown: Deal, hidden: Deal, openly: Deal, left: Deal
) -> None:
    """The provider has as much time as a closing customer would have to wait."""
    maker, bank, clock, before = scene.maker, scene.bank, scene.consortium.clock, scene.maker.balance
    exclude(scene, scene.forge)
    clock.advance(2 * DAY_S)
    scene.refuses(NoticePeriod, lambda: bank.close(claimed))
    maker.claim_alone(claimed)
    maker.claim_alone(left)
    clock.advance(DAY_S + GUARD_S)
    scene.refuses(WrongStatus, lambda: bank.close(claimed))
    bank.settle(claimed)
    for deal in (claimed, hidden, openly):
        bank.close(deal)
    scene.refuses(HeadMismatch, lambda: bank.close(shown, transient=maker.shown(hidden)))
    bank.close(shown, transient=maker.shown(shown))
    assert maker.balance - before == 3 * 7 * TOKEN
    for deal, charged in ((claimed, 7), (shown, 7), (openly, 7), (hidden, 0)):
        assert (deal.account.status, deal.escrow, deal.account.paid_micro) == (
            ACCOUNT_STATUS_CLOSED,
            0,
            charged * TOKEN,
        )


def close_leaving_the_share(scene: Scene, left: Deal) -> None:
    """The provider settles the share that is left to it."""
    had = scene.forge.balance
    assert close_into_transfers(scene, left) == VALID
    assert (scene.forge.balance - had, left.escrow) == (13 * TOKEN, 7 * TOKEN)
    scene.maker.settle(left)
    assert (left.escrow, left.account.paid_micro) == (0, 7 * TOKEN)


def close_without_both(scene: Scene, both: Deal, theirs: Deal) -> None:
    """Now the provider is excluded, too."""
    factory, bank, forge, clock = scene.factory, scene.bank, scene.forge, scene.consortium.clock
    scene.refuses(WrongStatus, lambda: factory.close(both))
    exclude(scene, factory)
    clock.advance(3 * DAY_S)
    bank.settle(both)
    scene.refuses(NoticePeriod, lambda: bank.close(both))
    clock.advance(GUARD_S)
    for deal in (both, theirs):
        bank.close(deal)
    assert (both.account.paid_micro, theirs.account.paid_micro, both.escrow, theirs.escrow) == (7 * TOKEN, 0, 0, 0)
    for gone in (forge, factory):
        bank.confirm(bank.redeem(gone.balance, of=gone))
