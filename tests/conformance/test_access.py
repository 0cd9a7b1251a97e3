"""access: a right to look at data, with every use logged and charged. One look costs 0.25 tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaincode.errors import (
    AlreadyExists,
    ContractError,
    Forbidden,
    InsufficientFunds,
    MalformedRequest,
    NotFound,
)
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    Deal,
    accesses,
    per_unit,
    tariff,
)
from zunft.v1.access_pb2 import GrantAccess
from zunft.v1.agreement_pb2 import DataPolicy, DataSet
from zunft.v1.usage_pb2 import UsageRecord

PRICE = tariff(per_unit("hours", TOKEN), accesses("look", TOKEN // 4))
POLICY = DataPolicy(data_sets=["vibration", "temperature"], owned=[DataSet(name="vibration", owner_msp_id="MakerMSP")])


def agree(scene: Scene, **how: Any) -> Deal:
    return scene.agree(tariff=PRICE, data_policy=POLICY, **how)


def test_a_look_is_granted_logged_and_charged(scene: Scene) -> None:
    deal = agree(scene)
    scene.refuses(MalformedRequest, lambda: scene.factory.grant(deal, "g1", "vibration"))
    scene.maker.grant(deal, "g1", "vibration")
    scene.factory.use(deal, "g1")
    scene.factory.use(deal, "g1")

    [grant] = deal.head.grants
    assert (grant.granted_by_msp_id, grant.granted_to_msp_id, grant.use_count) == ("MakerMSP", "FactoryMSP", 2)
    assert deal.accrued == TOKEN // 2
    record = UsageRecord.FromString(scene.factory.read_record(deal, 3))
    assert (record.transaction, record.grant.data_set) == ("access.use", "vibration")
    assert [(line.component, line.amount_micro) for line in record.lines] == [("look", TOKEN // 4)]

    scene.refuses(Forbidden, lambda: scene.maker.use(deal, "g1"))
    scene.refuses(Forbidden, lambda: scene.factory.revoke_access(deal, "g1"))
    scene.refuses(AlreadyExists, lambda: scene.maker.grant(deal, "g1", "vibration"))
    scene.maker.revoke_access(deal, "g1")
    scene.refuses(NotFound, lambda: scene.factory.use(deal, "g1"))
    scene.refuses(NotFound, lambda: scene.maker.revoke_access(deal, "g1"))


def test_a_look_needs_funds(scene: Scene) -> None:
    deal = agree(scene, funds=TOKEN)
    scene.maker.grant(deal, "g1", "vibration")
    for _ in range(4):
        scene.factory.use(deal, "g1")
    scene.refuses(InsufficientFunds, lambda: scene.factory.use(deal, "g1"))


@refusals(
    ("grant by an outsider", Forbidden, lambda s: s.forge.move(
        s.deal, "access.grant", GrantAccess(agreement_id=s.deal.agreement_id))),
    ("grant what the policy does not name", MalformedRequest, lambda s: s.maker.grant(s.deal, "g1", "drawings")),
    ("grant without a name", MalformedRequest, lambda s: s.maker.grant(s.deal, "", "drawings")),
    ("use what is not granted", NotFound, lambda s: s.maker.use(s.deal, "none")),
    ("revoke what is not granted", NotFound, lambda s: s.maker.revoke_access(s.deal, "none")),
)  # fmt: skip
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))
