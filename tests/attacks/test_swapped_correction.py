"""A party swaps the correction that the other one has read for another of the same name."""

from __future__ import annotations

import pytest

from chaincode.errors import CorrectionMismatch
from tests.conformance.scene import Scene
from tests.harness import (
    UNIT,
    Deal,
    Member,
)
from zunft.v1.usage_pb2 import AgreeCorrection, Correction, CorrectionReading, DeclineCorrection

HOUR = UNIT


def propose(deal: Deal, by: Member, hours: int) -> Correction:
    """The proposed correction, as the other party reads it."""
    by.correct(deal, "week-12", CorrectionReading(time_us=deal.consortium.clock.now_us, quantity_micro=hours * HOUR))
    [pending] = deal.head.pending_corrections
    return pending


def swap(deal: Deal) -> Correction:
    """The correction that the customer reads: an hour back. Then the provider swaps it for fifty hours more."""
    read = propose(deal, deal.provider, -1)
    deal.provider.decline(deal, "week-12")
    propose(deal, deal.provider, 50)
    return read


@pytest.mark.fault(5)
def test_a_party_that_agrees_to_a_correction_does_not_agree_to_another_of_the_same_name(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(2 * HOUR)
    read, accrued = swap(deal), deal.accrued
    scene.refuses(CorrectionMismatch, lambda: scene.factory.agree(deal, "week-12", read))
    assert deal.accrued == accrued
    scene.factory.decline(deal, "week-12")
    propose(deal, scene.maker, -1)
    scene.factory.agree(deal, "week-12", read)
    assert deal.accrued == accrued // 2


def test_a_party_that_declines_a_correction_does_not_decline_another_of_the_same_name(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(HOUR)
    read = swap(deal)
    scene.refuses(CorrectionMismatch, lambda: scene.factory.decline(deal, "week-12", read))
    assert deal.pending("week-12")


@pytest.mark.parametrize(("name", "request_kind"), [("agree", AgreeCorrection), ("decline", DeclineCorrection)])
def test_nobody_answers_a_correction_without_its_digest(
    scene: Scene, name: str, request_kind: type[AgreeCorrection | DeclineCorrection]
) -> None:
    deal = scene.agree()
    deal.use(HOUR)
    propose(deal, scene.maker, -1)
    request = request_kind(agreement_id=deal.agreement_id, correction_id="week-12")
    scene.refuses(CorrectionMismatch, lambda: scene.factory.move(deal, f"usage.{name}", request))
