"""Transactions under a false name: no ERP gets a notice of them, no account moves, no audit is misled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from fabric_protos.peer import events_pb2
from fabric_protos.peer.transaction_pb2 import ENDORSEMENT_POLICY_FAILURE, VALID

from chaincode import keys
from chaincode.readings.batch import batch_digest
from chaincode.transaction_context import serialise
from ledger.block_reader import read_block
from ledger.gateway import RETRIES, SigningIdentity
from node.read_model.read_model import ReadModel
from tests.attacks.forgeries import mint, share, usage
from tests.attacks.rogue import Rogue, peer_of
from tests.attacks.witness import audited, look, spoiled
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
    per_unit,
)
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.token_pb2 import TransferTokens
from zunft.v1.usage_pb2 import AccountHead, Commitment, Disclosure, SubmitUsage, UsageRecord


def end_honestly(scene: Scene) -> None:
    """Submits an honest transaction, without the check of invariants, which two parties may have broken."""
    request = TransferTokens(to_msp_id=scene.factory.msp_id, amount_micro=TOKEN)
    gateway = scene.consortium.gateway(scene.maker.msp_id, "treasurer")
    scene.consortium.run(gateway.submit("token.transfer", request, retries=RETRIES))


@pytest.mark.fault(2)
def test_one_member_s_word_reaches_no_erp(scene: Scene, rogue: Rogue, tmp_path: Path) -> None:
    drafts = [
        mint(rogue),
        usage(rogue, scene.deal.agreement_id),
        share(rogue, "A-of-others", "MakerMSP", "FactoryMSP"),
        share(rogue, scene.deal.agreement_id, "ForgeMSP", "ForgeMSP"),
        share(rogue, "A-with-itself", "ForgeMSP", "ForgeMSP"),
    ]
    sent = [rogue.send(draft) for draft in drafts]
    assert {outcome.code for outcome in sent} == {VALID}
    end_honestly(scene)

    seen = look(scene.factory, tmp_path)
    assert [seen.notice_of(outcome.tx_id) for outcome in sent] == [None] * len(sent)
    assert all(seen.alarms_of(outcome.tx_id) for outcome in sent)
    report = audited(scene.factory)
    assert spoiled(report) == {}
    alarms = "\n".join(report.verdict("endorsement").alarms)
    assert all(outcome.tx_id[:12] in alarms for outcome in sent)


@pytest.mark.fault(2)
def test_other_members_names_among_the_endorsements_prove_nothing(scene: Scene, rogue: Rogue, tmp_path: Path) -> None:
    """Peers ignore an endorsement whose signature is wrong, so it can have anybody's certificate."""
    draft = mint(rogue)
    envelope = rogue.seal(draft, rogue.peer(), *(liar(scene, name) for name in ("maker", "bank", "factory")))
    assert rogue.send_envelope(envelope, draft.tx_id).code == VALID
    end_honestly(scene)

    assert look(scene.factory, tmp_path).notice_of(draft.tx_id) is None
    assert spoiled(audited(scene.factory)) == {}


@pytest.mark.fault(2)
def test_an_invalid_transaction_s_time_stops_no_audit(scene: Scene, rogue: Rogue) -> None:
    """Any client certificate can send such a transaction."""
    draft = rogue.draft()
    draft.writes["balance/ForgeMSP"] = b"\xff"
    draft.at(seconds=2**62)
    assert rogue.send(draft).code == ENDORSEMENT_POLICY_FAILURE
    end_honestly(scene)
    assert spoiled(audited(scene.factory)) == {}


@dataclass(frozen=True)
class Accounts:
    """Accounts from the time before two parties break their invariants."""

    scene: Scene
    ours: Deal
    renamed: Deal
    garbled: Deal
    published: Deal


@pytest.fixture(scope="module")
def accounts(own_scene: Scene) -> Accounts:
    maker, factory, forge = own_scene.maker, own_scene.factory, own_scene.forge
    hours = per_unit("hours", TOKEN)
    return Accounts(
        own_scene,
        own_scene.deal,
        accounts_of(own_scene, maker, forge),
        accounts_of(own_scene, maker, forge),
        own_scene.consortium.agree(factory, forge, hours, funds=10 * TOKEN, open_book=True),
    )


@pytest.mark.fault(2)
@pytest.mark.fault(30)
def test_two_parties_nonsense_is_their_own_affair(accounts: Accounts, tmp_path: Path) -> None:
    """maker and forge write their own commitments by hand: one is named as others' payment, one is no message."""
    scene, maker = accounts.scene, Rogue(accounts.scene.consortium, "maker")
    ours, renamed, garbled = accounts.ours, accounts.renamed, accounts.garbled
    claim = usage(maker, renamed.agreement_id)
    written = Commitment(agreement_id=renamed.agreement_id, sequence=1, head_digest=bytes(32))
    claim.private = {}
    claim.writes[keys.commitment(renamed.agreement_id).name] = serialise(written)
    claim.event_name = "token.transfer"
    event = LedgerEvent.FromString(mint(maker).event)
    event.agreement_id = ours.agreement_id
    claim.event = serialise(event)
    garbage = maker.draft("\x07anything")
    garbage.writes[keys.commitment(garbled.agreement_id).name] = b"\xff"
    for draft in (claim, garbage):
        assert maker.send(draft, *peers(scene, "maker", "forge")).code == VALID
    end_honestly(scene)

    seen = look(scene.factory, tmp_path / "node")
    notice = seen.notice_of(claim.tx_id)
    assert notice is not None
    assert (notice.name, notice.event.agreement_id) == ("usage.submit", renamed.agreement_id)
    assert (list(notice.event.msp_ids), len(notice.event.postings)) == (["ForgeMSP", "MakerMSP"], 0)
    assert seen.notice_of(garbage.tx_id) is None
    assert all(seen.alarms_of(draft.tx_id) for draft in (claim, garbage))

    report = audited(scene.factory)
    model = model_of(scene.factory, tmp_path / "model.db")
    # A valid value of a public key is the ledger's state.
    assert model.find(keys.commitment(renamed.agreement_id)) == written
    assert model.find_bytes(keys.commitment(garbled.agreement_id)) == b"\xff"
    own = {one.account.agreement_id for one in model.own_accounts(after="", limit=100)}
    assert own == {ours.agreement_id, accounts.published.agreement_id}
    # The audit names the transactions that these two have not archived; all verdicts about others hold.
    assert spoiled(report) == {}
    assert any(claim.tx_id[:12] in text for text in report.verdict("rating").alarms)
    assert ours.agreement_id in {bill.agreement_id for bill in report.bills}


def test_a_batch_that_others_publish_as_theirs_is_not_charged(accounts: Accounts, tmp_path: Path) -> None:
    """factory sees a batch, does not endorse it, and puts it into an open account with an accomplice instead."""
    scene, factory, theirs = accounts.scene, Rogue(accounts.scene.consortium, "factory"), accounts.published
    seen_batch = accounts.ours.batch([UNIT])
    head = serialise(AccountHead(agreement_id=theirs.agreement_id, sequence=1, terms_version=1))
    written = Commitment(agreement_id=theirs.agreement_id, sequence=1, head_digest=sha256(head).digest())
    disclosed = serialise(Disclosure(batches=[seen_batch]))
    draft = factory.draft("usage.submit", SubmitUsage(agreement_id=theirs.agreement_id), disclosed)
    draft.private = {}
    draft.writes[keys.commitment(theirs.agreement_id).name] = serialise(written)
    draft.result = serialise(UsageRecord(transaction="usage.submit", head=head, terms_version=1))
    assert factory.send(draft, *peers(scene, "factory", "forge")).code == VALID
    end_honestly(scene)

    audited(scene.maker)
    model = model_of(scene.maker, tmp_path / "model.db")
    assert model.find(keys.commitment(theirs.agreement_id)) == written
    assert model.find_batch(batch_digest(seen_batch.batch)) is None


@pytest.mark.fault(34)
def test_a_further_endorser_is_named_and_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    deal, maker = accounts_of(scene, scene.maker, scene.factory), Rogue(scene.consortium, "maker")
    disclosure = scene.maker.disclose(deal)
    disclosure.batches.append(deal.batch([UNIT]))
    usage = maker.endorsed(
        "usage.submit",
        SubmitUsage(agreement_id=deal.agreement_id),
        endorsers=deal.parties,
        transient={"disclosure": serialise(disclosure)},
    )
    assert maker.send_endorsed(usage, peer_of(scene.consortium, "ForgeMSP"), liar(scene, "bank")).code == VALID
    end_honestly(scene)

    seen = look(scene.factory, tmp_path)
    notice = seen.notice_of(usage.tx_id)
    assert notice is not None
    assert any("ForgeMSP" in text for text in seen.alarms_of(usage.tx_id))
    report = audited(scene.factory)
    assert deal.head.usage_micro == TOKEN
    assert spoiled(report) == {}
    assert [bill.usage_micro for bill in report.bills if bill.agreement_id == deal.agreement_id] == [TOKEN]
    assert any("ForgeMSP" in text and usage.tx_id[:12] in text for text in report.verdict("endorsement").alarms)


def liar(scene: Scene, name: str) -> SigningIdentity:
    """The identity of a member's peer, which signs other bytes."""
    peer = peer_of(scene.consortium, scene.consortium.member(name).msp_id)
    return replace(peer, sign=lambda message: peer.sign(message + b"not"))


def peers(scene: Scene, *names: str) -> list[SigningIdentity]:
    return [peer_of(scene.consortium, scene.consortium.member(name).msp_id) for name in names]


def accounts_of(scene: Scene, provider: Member, customer: Member) -> Deal:
    return scene.consortium.agree(provider, customer, per_unit("hours", TOKEN), funds=10 * TOKEN)


def model_of(member: Member, path: Path) -> ReadModel:
    """The member's read model after every block."""
    model = ReadModel.open(path, member.msp_id)
    for data in member.consortium.followers[member.msp_id].delivered:
        model.apply(read_block(events_pb2.BlockAndPrivateData.FromString(data)))
    return model
