"""A node leaves a transaction out: junk takes its place, is marked as invalid, and the chain is linked anew.

A peer that delivers blocks can do that by itself; only the orderers' signatures show it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2

from audit import (
    AuditReport,
    Status,
    Verdict,
    audit,
)
from consortium.folder.topology import OrderingKind
from tests.audit.block_signing import by_one_member, by_orderers, unsigned
from tests.audit.forger import Forger
from tests.audit.run import Blocks, delivered, genesis
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    HandMeter,
    on_ledgers,
    per_unit,
    start_consortium,
)

REPLACED = ["invoice.dispute", "meter.locate", "token.mint"]


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric", "fabric-bft"))
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """A consortium with a disputed bill, a meter that is moved, and at the end a mint without money."""
    with start_consortium(tmp_path_factory.mktemp("forged") / "consortium", request.param) as consortium:
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        maker, factory, bank = (consortium.member(name) for name in ("maker", "factory", "bank"))
        bank.mint(factory, 100 * TOKEN)
        bank.post_reserve("statement-1", 100 * TOKEN, consortium.clock.now_s)
        deal = consortium.agree(
            maker, factory, per_unit("hours", 2 * TOKEN), meters=(HandMeter("drill"),), funds=50 * TOKEN
        )
        deal.use(UNIT)
        maker.claim(deal)
        maker.settle(deal)
        factory.dispute(maker, 1)
        maker.locate(deal.meters[0], "another hall")
        bank.mint(bank, 999_999 * TOKEN)
        yield consortium


def audited(story: Consortium, blocks: Blocks) -> AuditReport:
    return audit(blocks, genesis(story), "FactoryMSP")


def chain_of(story: Consortium, blocks: Blocks) -> Verdict:
    return audited(story, blocks).verdict("chain")


def replaced(story: Consortium, name: str) -> Forger:
    """The blocks of factory's node with junk in place of the last transaction of this name."""
    forger = Forger(story, delivered(story, "factory"))
    number, position = forger.find(name, -1)
    block = forger.blocks[number].block
    block.data.data[position] = b"\xff junk"
    codes = bytearray(block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER])
    codes[position] = transaction_pb2.BAD_PAYLOAD
    block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] = bytes(codes)
    forger.relink(by=())
    return forger


def names(report: AuditReport, status: Status) -> list[str]:
    return [verdict.name for verdict in report.verdicts if verdict.status is status]


def test_blocks_as_the_orderers_made_them_hold_and_the_audit_says_who_signed_them(story: Consortium) -> None:
    report = audited(story, delivered(story, "factory"))
    assert names(report, Status.HOLDS) == [verdict.name for verdict in report.verdicts], report.verdicts
    assert any("signed by" in note for note in report.verdict("chain").notes)


@pytest.mark.fault(16)
@pytest.mark.parametrize("name", REPLACED)
def test_a_transaction_that_was_left_out_in_the_middle_is_noticed(story: Consortium, name: str) -> None:
    forger = replaced(story, name)
    report = audited(story, forger.blocks)
    assert "chain" in names(report, Status.FAILS)
    assert f"block {forger.find_block(b'junk')}" in report.verdict("chain").violations[0]


@pytest.mark.fault(16)
def test_blocks_without_signatures_do_not_hold(story: Consortium) -> None:
    forger = replaced(story, "invoice.dispute")
    for one in forger.blocks:
        unsigned(one.block)
    assert chain_of(story, forger.blocks).status is not Status.HOLDS
    assert chain_of(story, delivered(story, "factory")).status is Status.HOLDS


def test_an_embedded_ledger_that_signs_only_since_its_new_version_cannot_be_checked_before(story: Consortium) -> None:
    blocks = delivered(story, "factory")
    for one in blocks[:10]:
        unsigned(one.block)
    expected = Status.UNCHECKED if story.topology.fabric is None else Status.FAILS
    assert chain_of(story, blocks).status is expected


@pytest.mark.fault(16)
def test_one_block_without_a_signature_does_not_hold(story: Consortium) -> None:
    blocks = delivered(story, "factory")
    unsigned(blocks[-1].block)
    chain = chain_of(story, blocks)
    assert (chain.status, chain.violation_count) == (Status.FAILS, 1)


@pytest.mark.fault(16)
def test_blocks_signed_by_one_member_hold_only_where_the_channel_allows_it_and_the_audit_names_it(
    story: Consortium,
) -> None:
    """With raft one orderer makes a block; otherwise that takes more orderers than one member has."""
    forger = replaced(story, "invoice.dispute")
    forger.relink(by=by_one_member(story, "ForgeMSP"))
    chain = chain_of(story, forger.blocks)
    if is_raft(story):
        assert chain.status is Status.HOLDS
        assert [note for note in chain.notes if "signed by" in note and "ForgeMSP" in note]
    else:
        assert chain.status is not Status.HOLDS
    repeat_signatures(forger.blocks)
    assert is_raft(story) or chain_of(story, forger.blocks).status is not Status.HOLDS


@pytest.mark.fault(16)
def test_orderers_that_make_the_blocks_anew_together_are_believed(story: Consortium) -> None:
    """A member has to trust them so far; the test shows that the other forgeries fail by their signatures alone."""
    forger = replaced(story, "invoice.dispute")
    forger.relink(by=by_orderers(story))
    assert chain_of(story, forger.blocks).status is Status.HOLDS


@pytest.mark.fault(16)
def test_the_reserve_s_verdict_names_the_block_of_the_last_statement(story: Consortium) -> None:
    """No bank statement backs a mint after the last one."""
    reserve = audited(story, delivered(story, "factory")).verdict("reserve")
    number, _ = Forger(story, delivered(story, "factory")).find("token.post_reserve", -1)
    notes = " ".join(reserve.notes)
    assert f"block {number}" in notes
    assert "999999" in notes.replace(",", "")


def repeat_signatures(blocks: Blocks) -> None:
    """Repeats each block's signatures, which should count once."""
    for one in blocks:
        metadata = one.block.metadata.metadata
        signed = common_pb2.Metadata.FromString(metadata[common_pb2.SIGNATURES])
        signed.signatures.extend(list(signed.signatures) * 3)
        metadata[common_pb2.SIGNATURES] = signed.SerializeToString()


def is_raft(story: Consortium) -> bool:
    fabric = story.topology.fabric
    return fabric is not None and fabric.ordering is OrderingKind.RAFT
