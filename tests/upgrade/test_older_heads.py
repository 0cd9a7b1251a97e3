"""An account whose last head an earlier contract sealed as a whole goes on, and either party can end it alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaincode import keys
from chaincode.account.head_digest import SHOWN
from chaincode.errors import HeadMismatch
from chaincode.transaction_context import serialise
from tests.attacks.rogue import rewritten
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    start_consortium,
)
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED
from zunft.v1.usage_pb2 import AccountHead, HeadAmounts, ShownAmounts

HOUR = UNIT


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A consortium that checks no invariants, since the archives keep this contract's heads."""
    with start_consortium(tmp_path / "consortium") as consortium:
        consortium.found()
        consortium.violations = list  # type: ignore[method-assign]
        scene = Scene(consortium)
        scene.bank.mint(scene.factory, 1000 * TOKEN)
        yield scene


def older_head(deal: Deal) -> bytes:
    """The head's bytes as an earlier contract wrote them; puts the commitment to them on the ledger."""
    head = AccountHead()
    head.CopyFrom(deal.head)
    head.ClearField("amounts_salt")
    head.salt = deal.terms_in_force().salt
    data, commitment = serialise(head), deal.commitment
    commitment.head_digest = hashlib.sha256(data).digest()
    rewritten(deal.consortium, {keys.commitment(deal.agreement_id): commitment})
    return data


def test_the_next_transaction_starts_from_such_a_head_and_seals_in_two_parts(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(3 * HOUR)
    head, batch = older_head(deal), deal.batch([2 * HOUR])
    scene.maker.submit(deal, batch, head=head)
    assert (deal.accrued, len(deal.head.amounts_salt)) == (5 * TOKEN, 32)
    assert deal.head.salt != deal.terms_in_force().salt
    scene.maker.claim_alone(deal)
    scene.maker.settle(deal)
    assert deal.account.paid_micro == 5 * TOKEN


def test_such_a_head_is_shown_whole_where_the_other_party_takes_no_part(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(3 * HOUR)
    whole = scene.factory.shown(deal, older_head(deal))
    assert ShownAmounts.FromString(whole[SHOWN]).head
    scene.factory.give_notice(deal, 100 * TOKEN)
    lie = ShownAmounts(amounts=serialise(HeadAmounts(usage_micro=0)), rest_digest=bytes(32))
    scene.refuses(HeadMismatch, lambda: scene.factory.withdraw(deal, transient={SHOWN: serialise(lie)}))
    scene.factory.withdraw(deal, transient=whole)
    assert deal.escrow == 3 * TOKEN

    before = scene.maker.balance
    scene.maker.terminate(deal)
    scene.maker.close(deal, transient=whole)
    assert (deal.account.status, scene.maker.balance - before) == (ACCOUNT_STATUS_CLOSED, 3 * TOKEN)
