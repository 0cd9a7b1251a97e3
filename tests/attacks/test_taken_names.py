"""A member takes another's name for a meter or an agreement, or its place in a partner's archive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaincode import keys
from chaincode.errors import ForeignName, MalformedRequest, NotFound, TooManyProposals, TooOften, WrongStatus
from chaincode.recent import MOST_CHANGES, WINDOW_S
from tests.attacks.witness import audited, spoiled
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    Member,
    per_unit,
    tariff,
)
from zunft.v1.agreement_pb2 import Terms

PRICE = tariff(per_unit("hours", TOKEN))
MOST = 20


def drafted(provider: Member, customer: Member, name: str, price_micro: int = TOKEN) -> tuple[Deal, Terms]:
    deal = Deal(provider.consortium, provider, customer, name, (HandMeter(f"{name}-meter"),))
    return deal, deal.terms(1, tariff=tariff(per_unit("hours", price_micro)))


@pytest.mark.fault(46)
def test_a_name_that_begins_with_a_members_own_is_taken_by_nobody_else(scene: Scene) -> None:
    """The parties had decided on the name on paper, and another member took it first."""
    maker, factory, forge = scene.maker, scene.factory, scene.forge
    meter, name = HandMeter("MakerMSP:drill-7"), "MakerMSP:rent-2027"
    said = scene.refuses(ForeignName, lambda: forge.register(meter))
    assert "MakerMSP" in said
    assert "ForgeMSP:" in said
    scene.refuses(ForeignName, lambda: forge.propose(drafted(forge, factory, name)[1]))
    # A name of a member that is not there yet is reserved, too.
    scene.refuses(ForeignName, lambda: forge.register(HandMeter("NextMSP:drill-7")))

    deal = scene.consortium.agree(
        maker, factory, per_unit("hours", TOKEN), agreement_id=name, meters=(meter,), funds=9 * TOKEN
    )
    deal.use(UNIT)
    maker.claim(deal)
    maker.settle(deal)
    assert deal.account.paid_micro == TOKEN
    assert spoiled(audited(maker)) == {}


@pytest.mark.parametrize("name", [":drill", "MakerMSP:", "MakerMSP::drill", "MakerMSP:a:b", "MakerMSP:../a"])
def test_a_name_has_at_most_one_owner(scene: Scene, name: str) -> None:
    scene.refuses(MalformedRequest, lambda: scene.maker.register(HandMeter(name)))


@pytest.mark.fault(46)
def test_nobody_replaces_terms_that_were_handed_over(scene: Scene) -> None:
    """Terms lie in a partner's archive only where a proposal on the ledger names their digest."""
    maker, factory, forge = scene.maker, scene.factory, scene.forge
    deal, terms = drafted(maker, factory, "rent-overwritten")
    _, others = drafted(forge, factory, deal.agreement_id, 99 * TOKEN)
    scene.refuses(NotFound, lambda: forge.share(others))
    maker.propose(terms)
    maker.share(terms)
    for attempt in overwritings(forge, others):
        with pytest.raises(Exception, match=r"between other members|choose another name"):
            attempt()
    assert Terms.FromString(factory.read_terms(deal, 1)) == terms
    factory.accept(terms)


def overwritings(rogue: Member, terms: Terms) -> tuple[Callable[[], None], ...]:
    return (lambda: rogue.share(terms), lambda: rogue.propose(terms))


@pytest.mark.fault(47)
def test_a_stranger_hands_over_no_more_than_twenty_proposals(scene: Scene) -> None:
    """Terms of up to a megabyte go into the other party's archive before it agrees."""
    maker, factory, forge = scene.maker, scene.factory, scene.forge
    offers = [drafted(forge, factory, f"flood-{number}") for number in range(MOST + 2)]
    scene.refuses(NotFound, lambda: forge.share(offers[0][1]))
    for _, terms in offers[:MOST]:
        forge.propose(terms)
        forge.share(terms)
    further = offers[MOST][1]
    said = scene.refuses(TooManyProposals, lambda: forge.propose(further))
    assert "FactoryMSP" in said
    assert "turn it down" in said
    # The same terms are not taken again either.
    scene.refuses(WrongStatus, lambda: forge.share(offers[0][1]))

    # Terms that the stranger takes back still lie there; their name can be proposed anew.
    forge.terminate(offers[0][0])
    scene.refuses(TooManyProposals, lambda: forge.propose(further))
    cheaper = drafted(forge, factory, offers[0][0].agreement_id, TOKEN // 2)[1]
    forge.propose(cheaper)
    forge.share(cheaper)
    assert held(scene) == MOST

    # The customer makes room by accepting or declining one; no other member waits meanwhile.
    factory.accept(offers[1][1])
    factory.terminate(offers[2][0])
    forge.propose(further)
    forge.propose(offers[MOST + 1][1])
    for provider, customer in ((maker, factory), (factory, forge)):
        terms = drafted(provider, customer, f"beside-the-flood-{provider.name}")[1]
        provider.propose(terms)
        provider.share(terms)
        customer.accept(terms)


@pytest.mark.fault(47)
def test_an_agreement_is_proposed_anew_twenty_times_an_hour_at_most(scene: Scene) -> None:
    """Without the limit one name would be enough to fill the other party's archive and its history with terms."""
    maker, forge = scene.maker, scene.forge
    names = ("anew-1", "anew-2")
    deals = [drafted(forge, maker, name)[0] for name in names]
    for deal in deals:
        forge.propose(deal.terms(1, tariff=PRICE))
    for number in range(MOST_CHANGES):
        terms = drafted(forge, maker, names[number % 2], TOKEN + number)[1]
        forge.propose(terms)
        forge.share(terms)
    others = drafted(forge, maker, names[0], 2 * TOKEN)[1]
    assert "go on in" in scene.refuses(TooOften, lambda: forge.propose(others))
    # The other party's answer changes nothing in that.
    for deal in deals:
        maker.terminate(deal)
    scene.refuses(TooOften, lambda: forge.propose(others))
    # A further name and the other direction are free.
    forge.propose(drafted(forge, maker, "anew-3")[1])
    maker.propose(drafted(maker, forge, names[0])[1])
    maker.terminate(deals[0])
    scene.consortium.clock.advance(WINDOW_S)
    forge.propose(others)


def held(scene: Scene) -> int:
    """The number of the flood's terms in the factory's collection."""
    private = scene.consortium.followers["FactoryMSP"].private
    return sum(key.startswith(keys.terms("flood", 1).name.rsplit("/", 1)[0]) for key in private)
