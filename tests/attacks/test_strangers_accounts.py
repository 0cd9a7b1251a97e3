"""Two parties forge a record that they alone endorse: a bystander's audit answers as before, and names it as theirs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from audit import (
    AuditReport,
    Status,
)
from chaincode import keys
from chaincode.errors import ContractError
from chaincode.transaction_context import serialise
from tests.attacks.rogue import Draft, Rogue, peer_of
from tests.attacks.witness import alarms_of, audited
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    per_unit,
)
from zunft.v1.account_pb2 import WithdrawFunds
from zunft.v1.usage_pb2 import AccountHead, Commitment, Disclosure, SubmitUsage, UsageRecord


@dataclass(frozen=True)
class Accounts:
    """Accounts from the time before any forgery: factory's own, and those of maker and forge."""

    scene: Scene
    theirs: tuple[Deal, ...]
    published: Deal
    before: dict[str, dict[str, Status]]


BYSTANDERS = ("factory", "bank")


@pytest.fixture(scope="module")
def accounts(own_scene: Scene) -> Accounts:
    maker, forge = own_scene.maker, own_scene.forge
    assert own_scene.deal.accrued == TOKEN
    agree, hours = own_scene.consortium.agree, per_unit("hours", TOKEN)
    theirs = tuple(agree(maker, forge, hours, funds=10 * TOKEN) for _ in range(3))
    published = agree(maker, forge, hours, funds=10 * TOKEN, open_book=True)
    for deal in (*theirs, published):
        deal.use(UNIT)
    forge.give_notice(theirs[2], 8 * TOKEN)
    before = {name: answers(audited(own_scene.consortium.member(name))) for name in BYSTANDERS}
    return Accounts(own_scene, theirs, published, before)


def answers(report: AuditReport) -> dict[str, Status]:
    return {verdict.name: verdict.status for verdict in report.verdicts}


def forged(accounts: Accounts, deal: Deal, written: Commitment, *args: bytes) -> Draft:
    draft = Rogue(accounts.scene.consortium, "maker").draft(
        "usage.submit", SubmitUsage(agreement_id=deal.agreement_id), *args
    )
    draft.private = {}
    draft.writes[keys.commitment(deal.agreement_id).name] = serialise(written)
    return draft


def leap(accounts: Accounts) -> Draft:
    """A commitment that leaps from transaction 1 to 9, of which nothing is archived."""
    deal = accounts.theirs[0]
    return forged(accounts, deal, Commitment(agreement_id=deal.agreement_id, sequence=9, head_digest=bytes(32)))


def junk(accounts: Accounts) -> Draft:
    draft = forged(accounts, accounts.theirs[1], Commitment())
    draft.writes[keys.commitment(accounts.theirs[1].agreement_id).name] = b"\xff"
    return draft


def invented(accounts: Accounts) -> Draft:
    """Invented usage of an open agreement, where everybody sees that it has no reading."""
    deal = accounts.published
    head = serialise(AccountHead(agreement_id=deal.agreement_id, sequence=2, terms_version=1, usage_micro=5 * TOKEN))
    written = Commitment(agreement_id=deal.agreement_id, sequence=2, head_digest=sha256(head).digest())
    draft = forged(accounts, deal, written, serialise(Disclosure()))
    draft.result = serialise(UsageRecord(transaction="usage.submit", head=head, terms_version=1))
    return draft


def claimed_too_much(accounts: Accounts) -> Draft:
    """A claim of more than the next withdrawal would leave."""
    deal = accounts.theirs[2]
    written = deal.commitment
    written.claimed_usage_micro = 9 * TOKEN
    return forged(accounts, deal, written)


@pytest.mark.fault(49)
@pytest.mark.parametrize("forgery", [leap, junk, invented, claimed_too_much])
def test_a_forged_commitment_of_two_others_changes_no_answer(
    accounts: Accounts, forgery: Callable[[Accounts], Draft]
) -> None:
    consortium = accounts.scene.consortium
    shown = accounts.scene.forge.shown(accounts.theirs[2])
    draft = forgery(accounts)
    peers = [peer_of(consortium, msp_id) for msp_id in ("MakerMSP", "ForgeMSP")]
    outcome = Rogue(consortium, "maker").send(draft, *peers)
    assert outcome.code == VALID
    if forgery is claimed_too_much:
        with suppress(ContractError):
            withdrawal = WithdrawFunds(agreement_id=accounts.theirs[2].agreement_id)
            consortium.run(
                consortium.gateway("ForgeMSP", "treasurer").submit("account.withdraw", withdrawal, transient=shown)
            )

    for name in BYSTANDERS:
        report = audited(consortium.member(name))
        assert answers(report) == accounts.before[name]
        assert alarms_of(report, outcome.tx_id) or forgery is claimed_too_much
        assert report.verdict("rating").status is Status.HOLDS
    # The owner of the accounts sees it.
    own = audited(accounts.scene.forge).verdict("rating")
    assert own.status is not Status.HOLDS
