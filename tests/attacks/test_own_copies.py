"""A party deletes or rewrites its own copy of shared terms: that is its own loss and holds up nobody else."""

from __future__ import annotations

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from chaincode import keys
from chaincode.errors import WrongStatus
from tests.attacks.rogue import Rogue
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    per_unit,
    tariff,
)
from tests.harness.member import refer
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_ACTIVE, AcceptAgreement, Terms


def proposed(scene: Scene) -> tuple[Deal, Terms]:
    """An agreement that maker has proposed and shared, and that factory has not accepted yet."""
    number = sum(key.startswith("agreement/") for key in scene.consortium.public) + 1
    meter = HandMeter(f"meter-A{number}")
    scene.maker.register(meter)
    deal = Deal(scene.consortium, scene.maker, scene.factory, f"A{number}", (meter,))
    terms = deal.terms(1, tariff=tariff(per_unit("hours", TOKEN)))
    scene.maker.propose(terms)
    scene.maker.share(terms)
    return deal, terms


def rewrite(scene: Scene, terms: Terms, value: bytes | None) -> None:
    """Changes maker's own copy of the terms, by maker alone."""
    maker = Rogue(scene.consortium, "maker")
    draft = maker.draft("agreement.share")
    draft.private = {maker.own_collection: {keys.terms(terms.agreement_id, terms.version).name: value}}
    outcome = maker.send(draft)
    assert outcome.code == VALID
    scene.consortium.catch_up(outcome.block_number)


@pytest.mark.fault(33)
@pytest.mark.parametrize("value", [None, b"other terms"], ids=["deleted", "rewritten"])
def test_the_other_party_accepts_the_terms_that_it_holds_itself(scene: Scene, value: bytes | None) -> None:
    deal, terms = proposed(scene)
    customer = Rogue(scene.consortium, "factory")
    request = AcceptAgreement(agreement_id=deal.agreement_id, terms=refer(terms))
    accept = customer.endorsed("agreement.accept", request)
    rewrite(scene, terms, value)
    accepted = customer.send_endorsed(accept)
    assert accepted.code == VALID
    scene.consortium.catch_up(accepted.block_number)

    scene.maker.open_account(deal)
    assert deal.agreement.status == AGREEMENT_STATUS_ACTIVE
    scene.factory.fund(deal, 10 * TOKEN)
    scene.factory.submit(deal, deal.batch([UNIT]))
    assert deal.head.usage_micro == TOKEN


@pytest.mark.fault(33)
def test_a_deleted_copy_is_its_owner_s_loss_alone(scene: Scene) -> None:
    deal, terms = proposed(scene)
    rewrite(scene, terms, None)
    scene.factory.accept(terms)
    assert deal.agreement.status == AGREEMENT_STATUS_ACTIVE


@pytest.mark.fault(47)
@pytest.mark.parametrize("value", [None, b"other terms"], ids=["deleted", "rewritten"])
def test_a_party_that_spoils_its_own_copy_hands_nothing_over_again(scene: Scene, value: bytes | None) -> None:
    """The other party holds the terms, and the same bytes again would only make its history longer."""
    _, terms = proposed(scene)
    rewrite(scene, terms, value)
    assert "FactoryMSP holds" in scene.refuses(WrongStatus, lambda: scene.maker.share(terms))
    scene.factory.accept(terms)
