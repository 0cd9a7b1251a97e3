"""One party uses up all grants of an account, so that the other party can grant nothing any more."""

from __future__ import annotations

import pytest

from chaincode.account.head import MOST_OWN_MOVES
from chaincode.errors import NotFound, WrongStatus
from chaincode.recent import WINDOW_S
from tests.attacks.witness import audited, spoiled
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    accesses,
    per_unit,
    tariff,
)
from zunft.v1.agreement_pb2 import DataPolicy, DataSet

MOST = 100


@pytest.mark.fault(48)
def test_a_party_that_grants_all_it_can_leaves_the_other_its_own(scene: Scene) -> None:
    """Revoked grants do not count, since an account lives for years."""
    maker, factory = scene.maker, scene.factory
    owned = [DataSet(name="logs", owner_msp_id="MakerMSP"), DataSet(name="recipes", owner_msp_id="FactoryMSP")]
    deal = scene.agree(
        tariff=tariff(per_unit("hours", TOKEN), accesses("look", TOKEN)),
        data_policy=DataPolicy(data_sets=["logs", "recipes"], owned=owned),
    )
    for number in range(MOST):
        if number % MOST_OWN_MOVES == 0:
            scene.consortium.clock.advance(WINDOW_S)
        factory.grant(deal, f"g{number}", "recipes")
    said = scene.refuses(WrongStatus, lambda: factory.grant(deal, "more", "recipes"))
    assert "revoke" in said
    maker.grant(deal, "sold", "logs")
    factory.use(deal, "sold")
    assert deal.accrued == TOKEN

    maker.use(deal, "g0")
    factory.revoke_access(deal, "g0")
    assert len(deal.head.grants) == MOST
    scene.refuses(NotFound, lambda: maker.use(deal, "g0"))
    factory.grant(deal, "more", "recipes")
    for member in (maker, factory):
        assert spoiled(audited(member)) == {}
