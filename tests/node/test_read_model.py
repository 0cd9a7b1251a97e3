"""The read model: it is the same whichever way it was built, and holds only records that the member may know."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_protos.peer import events_pb2

from chaincode import keys
from chaincode.readings.batch import batch_digest
from ledger.block_reader import (
    Block,
    read_block,
)
from ledger.database import DatabaseDamaged
from node.errors import LedgerMismatch
from node.read_model.read_model import ReadModel
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    Member,
    per_unit,
    start_consortium,
)
from zunft.v1.usage_pb2 import CorrectionReading


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """A consortium with a confidential and an open agreement, each with usage, a correction and a claim."""
    with start_consortium(tmp_path_factory.mktemp("read-model"), names=("maker", "factory", "bank")) as started:
        started.found()
        maker, factory, bank = (started.member(name) for name in ("maker", "factory", "bank"))
        bank.mint(factory, 1000 * TOKEN)
        for open_book in (False, True):
            run_deal(started.agree(maker, factory, per_unit("hours", 2 * TOKEN), funds=50 * TOKEN, open_book=open_book))
        yield started


def run_deal(deal: Deal) -> None:
    deal.use(UNIT, 2 * UNIT)
    deal.use(3 * UNIT)
    reading = CorrectionReading(time_us=deal.consortium.clock.now_us, quantity_micro=-UNIT)
    deal.provider.correct(deal, "C1", reading)
    deal.customer.agree(deal, "C1")
    deal.provider.claim(deal)
    deal.provider.settle(deal)


def blocks(member: Member) -> list[Block]:
    delivered = member.consortium.followers[member.msp_id].delivered
    return [read_block(events_pb2.BlockAndPrivateData.FromString(data)) for data in delivered]


def build(path: Path, member: Member) -> ReadModel:
    model = ReadModel.open(path, member.msp_id)
    for block in blocks(member):
        model.apply(block)
    return model


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())


def test_incremental_and_rebuilt_are_the_same(consortium: Consortium, tmp_path: Path) -> None:
    member = consortium.member("maker")
    for block in blocks(member):
        model = ReadModel.open(tmp_path / "incremental.db", member.msp_id)
        model.apply(block)
        assert model.apply(block) == frozenset()
        model.close()
    build(tmp_path / "rebuilt.db", member).close()

    assert dump(tmp_path / "incremental.db") == dump(tmp_path / "rebuilt.db")


@pytest.mark.parametrize("name", ["maker", "factory"])
@pytest.mark.parametrize("agreement_id", ["A1", "A2"], ids=["confidential", "open"])
def test_a_party_sees_the_accounts_amounts(
    consortium: Consortium, tmp_path: Path, name: str, agreement_id: str
) -> None:
    model = build(tmp_path / "model.db", consortium.member(name))

    account = model.account(agreement_id)
    assert account is not None
    assert (account.head.usage_micro, account.head.correction_micro) == (12 * TOKEN, -2 * TOKEN)
    entries = model.statement(agreement_id, after_sequence=0, limit=10)
    assert [(entry.transaction, entry.amount_micro, entry.accrued_micro, entry.reading_count) for entry in entries] == [
        ("usage.submit", 6 * TOKEN, 6 * TOKEN, 2),
        ("usage.submit", 6 * TOKEN, 12 * TOKEN, 1),
        ("usage.correct", 0, 12 * TOKEN, 0),
        ("usage.agree", -2 * TOKEN, 10 * TOKEN, 0),
        ("usage.claim", 0, 10 * TOKEN, 0),
    ]
    assert entries[3].correction.reason == "recounted"
    assert entries[4].claim.number == 1
    assert [entry.sequence for entry in model.statement(agreement_id, after_sequence=3, limit=1)] == [4]
    assert model.find_batch(account.head.streams[0].last_batch_digest) is not None
    assert model.find_batch(batch_digest(b"")) is None
    assert len(model.own_invoices(after=keys.invoice("", 0), agreement_id=agreement_id, limit=10)) == 2


def test_a_member_that_is_no_party_has_no_account(consortium: Consortium, tmp_path: Path) -> None:
    model = build(tmp_path / "model.db", consortium.member("bank"))

    assert model.account("A1") is None
    assert model.own_accounts(after="", limit=10) == []
    assert model.statement("A1", after_sequence=0, limit=10) == []
    assert model.own_invoices(after=keys.invoice("", 0), agreement_id="", limit=10) == []
    assert model.find(keys.agreement("A1")) is not None


def test_blocks_of_another_ledger_are_not_taken(consortium: Consortium, tmp_path: Path) -> None:
    member = consortium.member("maker")
    first, second, third, *_ = blocks(member)
    model = ReadModel.open(tmp_path / "model.db", member.msp_id)
    with pytest.raises(LedgerMismatch, match="remove the file"):
        model.apply(second)
    model.apply(first)
    with pytest.raises(LedgerMismatch):
        model.apply(Block(1, third.hash, third.previous_hash, third.data_hash, ()))
    assert model.height == 1


def test_a_damaged_file_says_that_it_can_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "model.db"
    path.write_bytes(b"not a database, but as long as one" * 100)
    with pytest.raises(DatabaseDamaged, match="remove it"):
        ReadModel.open(path, "MakerMSP")


def test_a_file_of_another_layout_is_built_anew(consortium: Consortium, tmp_path: Path) -> None:
    path, member = tmp_path / "model.db", consortium.member("maker")
    build(path, member).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    assert ReadModel.open(path, member.msp_id).height == 0
