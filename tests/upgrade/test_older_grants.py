"""An account whose head still has grants that an earlier contract revoked goes on, and the audit finds it right."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.message import Message

from chaincode import contract
from chaincode.account.head import (
    load_standing,
    read_disclosure,
    write_head,
)
from chaincode.errors import NotFound
from chaincode.transaction_context import TransactionContext
from tests.attacks.witness import audited, spoiled
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    start_consortium,
)
from zunft.v1.access_pb2 import RevokeAccess
from zunft.v1.agreement_pb2 import DataPolicy
from zunft.v1.usage_pb2 import UsageRecord


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with start_consortium(tmp_path / "consortium") as consortium:
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        scene = Scene(consortium)
        scene.bank.mint(scene.factory, 1000 * TOKEN)
        scene.bank.post_reserve("statement-1", 1000 * TOKEN, consortium.clock.now_s)
        yield scene


async def revoke(tx: TransactionContext, request: RevokeAccess) -> Message:
    """The handler of access.revoke in the last release."""
    standing, _ = await load_standing(tx, request.agreement_id, read_disclosure(tx))
    head = standing.head_to_move()
    revoked = next(one for one in head.grants if one.grant_id == request.grant_id)
    revoked.revoked = True
    return write_head(tx, standing, head, UsageRecord(transaction="access.revoke", grant=revoked))


def test_a_grant_revoked_before_is_granted_and_revoked_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = scene.agree(data_policy=DataPolicy(data_sets=["logs"]))
    maker, factory = scene.maker, scene.factory
    entry = contract.TRANSACTIONS["access.revoke"]
    monkeypatch.setitem(contract.TRANSACTIONS, "access.revoke", dataclasses.replace(entry, handler=revoke))
    for name in ("g1", "g2"):
        maker.grant(deal, name, "logs")
        factory.use(deal, name)
    maker.revoke_access(deal, "g1")
    maker.revoke_access(deal, "g1")
    monkeypatch.setitem(contract.TRANSACTIONS, "access.revoke", entry)

    scene.refuses(NotFound, lambda: factory.use(deal, "g1"))
    maker.grant(deal, "g1", "logs")
    factory.use(deal, "g1")
    maker.revoke_access(deal, "g1")
    maker.revoke_access(deal, "g2")
    assert [(one.grant_id, one.revoked) for one in deal.head.grants] == [("g1", True)]
    for member in (maker, factory):
        assert spoiled(audited(member)) == {}
