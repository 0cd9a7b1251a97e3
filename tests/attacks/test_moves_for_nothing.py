"""A party moves the account on alone and for nothing, so that all transactions of the other one conflict."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fabric_protos.peer.transaction_pb2 import MVCC_READ_CONFLICT, VALID

from chaincode.account.head import DISCLOSURE, MOST_OWN_MOVES
from chaincode.errors import TooOften
from chaincode.recent import WINDOW_S
from chaincode.transaction_context import serialise
from tests.attacks.rogue import Rogue
from tests.conformance.scene import Scene
from tests.harness import UNIT, Deal
from zunft.v1.agreement_pb2 import DataPolicy
from zunft.v1.usage_pb2 import CorrectionReading, SignedBatch, SubmitUsage


def propose(deal: Deal, name: str) -> None:
    now_us = deal.consortium.clock.now_us
    deal.customer.correct(deal, name, CorrectionReading(time_us=now_us, quantity_micro=-1))


def send_while_disturbed(scene: Scene, deal: Deal, used: SignedBatch, move: Callable[[], None]) -> int:
    """The validation code of the provider's usage when the customer moves the account on in that moment."""
    provider = Rogue(scene.consortium, "maker")
    disclosure = scene.maker.disclose(deal)
    disclosure.batches.append(used)
    how = {"endorsers": deal.parties, "transient": {DISCLOSURE: serialise(disclosure)}}
    charge = provider.endorsed("usage.submit", SubmitUsage(agreement_id=deal.agreement_id), **how)
    move()
    outcome = provider.send_endorsed(charge)
    scene.consortium.catch_up(outcome.block_number)
    return outcome.code


@pytest.mark.fault(54)
def test_corrections_that_the_customer_takes_back_itself_stop_no_usage(scene: Scene) -> None:
    """The provider's peer endorses forty moves within an hour at most, and then the usage is charged."""
    deal = scene.agree()
    used = deal.batch([2 * UNIT])

    def move() -> None:
        propose(deal, "again")
        deal.customer.decline(deal, "again")

    for _ in range(MOST_OWN_MOVES // 2):
        assert send_while_disturbed(scene, deal, used, move) == MVCC_READ_CONFLICT
    assert "go on in" in scene.refuses(TooOften, lambda: propose(deal, "again"))
    assert send_while_disturbed(scene, deal, used, lambda: None) == VALID
    scene.consortium.clock.advance(WINDOW_S)
    move()


@pytest.mark.fault(54)
def test_old_proposals_are_not_taken_back_all_at_once(scene: Scene) -> None:
    """A party cannot save corrections up; the other one is free to decline them all."""
    deal = scene.agree()
    for number in range(MOST_OWN_MOVES):
        propose(deal, f"c{number}")
    scene.refuses(TooOften, lambda: deal.customer.decline(deal, "c0"))
    for number in range(MOST_OWN_MOVES):
        deal.provider.decline(deal, f"c{number}")
    assert not deal.head.pending_corrections


@pytest.mark.fault(54)
def test_accesses_that_are_granted_and_revoked_stop_no_usage_either(scene: Scene) -> None:
    """Grants are counted; the party that has granted may revoke at any time."""
    deal = scene.agree(data_policy=DataPolicy(data_sets=["logs"]))
    for _ in range(MOST_OWN_MOVES):
        deal.customer.grant(deal, "again", "logs")
        deal.customer.revoke_access(deal, "again")
    scene.refuses(TooOften, lambda: deal.customer.grant(deal, "again", "logs"))
    deal.provider.grant(deal, "own", "logs")
