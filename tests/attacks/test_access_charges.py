"""A provider is paid for looking at its customer's data, or its customer pays for looking at the customer's own."""

from __future__ import annotations

from typing import Any

import pytest

from chaincode.errors import MalformedRequest
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    accesses,
    per_unit,
    tariff,
)
from zunft.v1.agreement_pb2 import DataPolicy, DataSet

FEE = TOKEN // 2


def policy(**owners: str) -> DataPolicy:
    """A policy of data sets by name, each with its owner; "" where the terms name no owner."""
    owned = [DataSet(name=name, owner_msp_id=owner) for name, owner in owners.items() if owner]
    return DataPolicy(data_sets=[*owners], owned=owned)


def agree(scene: Scene, data_policy: DataPolicy, **how: Any) -> Deal:
    price = tariff(per_unit("hours", TOKEN), accesses("look", FEE))
    return scene.agree(tariff=price, data_policy=data_policy, **how)


@pytest.mark.fault(10)
def test_the_customer_does_not_pay_when_the_provider_looks_at_its_data(scene: Scene) -> None:
    deal = agree(scene, policy(recipes="FactoryMSP"))
    deal.use(UNIT)
    scene.factory.grant(deal, "audit", "recipes")
    for _ in range(5):
        scene.maker.use(deal, "audit")
    assert deal.accrued == TOKEN
    assert deal.head.grants[0].use_count == 5
    scene.maker.claim(deal)
    scene.maker.settle(deal)
    assert deal.account.paid_micro == TOKEN


@pytest.mark.parametrize("owner", ["", "FactoryMSP", "MakerMSP"])
def test_only_a_look_of_the_customer_at_the_provider_s_data_is_charged(scene: Scene, owner: str) -> None:
    deal = agree(scene, policy(load=owner))
    if owner == "FactoryMSP":
        # The owner alone can grant, so the provider cannot grant its customer's data.
        scene.refuses(MalformedRequest, lambda: scene.maker.grant(deal, "look", "load"))
        return
    scene.maker.grant(deal, "look", "load")
    scene.factory.use(deal, "look")
    assert deal.accrued == (FEE if owner else 0)


def test_a_data_set_that_an_amendment_gives_to_somebody_else_is_charged_by_the_terms_in_force(scene: Scene) -> None:
    deal = agree(scene, policy(load="MakerMSP"))
    scene.maker.grant(deal, "look", "load")
    scene.factory.use(deal, "look")
    deal.amend(data_policy=policy(load="FactoryMSP"))
    scene.factory.use(deal, "look")
    assert deal.accrued == FEE


@pytest.mark.parametrize(
    "owners",
    [[("load", "ForgeMSP")], [("heat", "MakerMSP")], [("load", "MakerMSP"), ("load", "FactoryMSP")]],
    ids=["a third member's", "no data set", "two owners"],
)
def test_terms_name_one_party_as_the_owner_of_one_of_their_data_sets(
    scene: Scene, owners: list[tuple[str, str]]
) -> None:
    terms = scene.deal.terms_in_force()
    terms.version += 1
    terms.data_policy.data_sets.append("load")
    for name, owner in owners:
        terms.data_policy.owned.add(name=name, owner_msp_id=owner)
    scene.refuses(MalformedRequest, lambda: scene.maker.share(terms))
