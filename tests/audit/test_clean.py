"""All verdicts hold on an honest ledger, for every member as far as it can see. A cut archive is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2
from rich.console import Console

from audit import (
    Archive,
    ArchiveDamaged,
    NoSuchMember,
    NotAGenesisBlock,
    Status,
    audit,
    export,
)
from cli import audit as cli_audit
from cli import bill as cli_bill
from ledger.belief import PARTIES_KEYS
from ledger.block_reader import read_block
from node.read_model.read_model import ReadModel
from tests.audit.forger import Forger
from tests.audit.run import delivered, genesis
from tests.harness import (
    TOKEN,
    Consortium,
)

VERDICTS = ["chain", "identities", "endorsement", "meters", "rating", "prepaid", "tokens", "reserve", "invoices"]


@pytest.mark.parametrize("name", ["maker", "factory", "bank", "forge"])
def test_an_honest_run_holds(story: Consortium, name: str) -> None:
    report = audit(delivered(story, name), genesis(story), story.member(name).msp_id)
    assert [verdict.name for verdict in report.verdicts] == VERDICTS
    assert [verdict for verdict in report.verdicts if verdict.status is not Status.HOLDS] == []
    assert all(verdict.checked for verdict in report.verdicts)
    assert [verdict for verdict in report.verdicts if verdict.alarms] == []


@pytest.mark.parametrize("name", ["maker", "factory", "bank", "forge"])
def test_a_node_believes_all_that_the_contract_did(story: Consortium, tmp_path: Path, name: str) -> None:
    model = ReadModel.open(tmp_path / "model.db", story.member(name).msp_id)
    for block in map(read_block, delivered(story, name)):
        model.apply(block)
    assert model.newest_alarms(10) == (0, [])
    notices = [(notice.tx_id, notice.name) for notice in model.notices(after=None, agreement_id="", limit=10_000)]
    assert notices == [(one.tx_id, one.name) for one in story.transactions if one.is_valid]
    model.close()


def test_only_the_parties_own_keys_have_a_policy_of_their_own(story: Consortium) -> None:
    """A node relies on that when it concludes from a valid transaction which members have endorsed it."""
    guarded = {key for one in story.transactions for key in one.key_policies}
    assert guarded
    assert {key for key in guarded if not key.startswith(PARTIES_KEYS)} == set()


def test_nonsense_that_was_ordered_and_marked_spoils_nothing(story: Consortium) -> None:
    """Every client that may write to the channel can have an orderer order nonsense."""
    forger = Forger(story, delivered(story, "maker"))
    block = forger.blocks[forger.find("usage.submit")[0]].block
    block.data.data.append(b"nonsense")
    block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] += bytes([transaction_pb2.BAD_PAYLOAD])
    forger.relink()
    honest, spoiled = (
        audit(blocks, genesis(story), "MakerMSP") for blocks in (delivered(story, "maker"), forger.blocks)
    )
    assert spoiled.verdicts == honest.verdicts
    assert spoiled.transaction_count == honest.transaction_count + 1


def test_bills_are_explained_line_by_line(story: Consortium) -> None:
    report = audit(delivered(story, "factory"), genesis(story), "FactoryMSP")
    confidential, public = report.bills
    assert confidential.agreement_id == "A1"
    # 8 hours at 2, tiers 5 at 1 and 3 at 0.50, one look at 1; a correction of one hour takes back 2 and 0.50.
    # The amendment left the components as they were, so the tiers go on: the last hour is number 8 - 1 = 7.
    assert confidential.correction_micro == -2 * TOKEN - TOKEN // 2
    assert sum(line.amount_micro for line in confidential.lines) == confidential.usage_micro
    assert confidential.readings == 6
    assert (public.agreement_id, public.usage_micro, public.readings) == ("A2", 3 * TOKEN, 1)


def test_bills_of_others_confidential_agreements_are_not_visible(story: Consortium) -> None:
    report = audit(delivered(story, "bank"), genesis(story), "BankMSP")
    assert [bill.agreement_id for bill in report.bills] == ["A2"]
    for name in ("meters", "rating", "prepaid", "invoices"):
        assert any("not visible to this member" in reason for reason in report.verdict(name).not_visible)


def test_a_report_is_a_table_and_json(story: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    report = audit(delivered(story, "maker"), genesis(story), "MakerMSP")
    printed = io.StringIO()
    for shown in (cli_audit, cli_bill):
        monkeypatch.setattr(shown, "console", Console(file=printed, width=200))
    cli_audit.show_report(report, with_lines=True)
    text = printed.getvalue()
    assert all(name in text for name in VERDICTS)
    assert "Bill of agreement A1" in text
    plain = json.loads(json.dumps(report.to_dict()))
    assert [verdict["status"] for verdict in plain["verdicts"]] == ["holds"] * len(VERDICTS)
    assert plain["bills"][1]["lines"][0]["amount_micro"] == str(3 * TOKEN)


def test_an_archive_is_audited_without_the_network(story: Consortium, tmp_path: Path) -> None:
    gateway = story.gateway("MakerMSP", "auditor")
    path = tmp_path / "maker.zunft"
    story.run(export(path, "MakerMSP", genesis(story), gateway.present_blocks()))
    archive = Archive(path)
    assert archive.genesis == genesis(story)
    assert audit(archive.blocks(), genesis(story), archive.member).failed == ()
    assert list(archive.blocks()) == delivered(story, "maker")


@pytest.mark.parametrize("kept", [0, 10, 30, 2000, -1])
def test_a_cut_archive_is_refused(story: Consortium, tmp_path: Path, kept: int) -> None:
    gateway = story.gateway("MakerMSP", "auditor")
    path = tmp_path / "maker.zunft"
    story.run(export(path, "MakerMSP", genesis(story), gateway.present_blocks()))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ArchiveDamaged):
        list(Archive(path).blocks())


def test_the_root_of_trust_must_be_a_genesis_block_that_knows_the_member(story: Consortium) -> None:
    blocks = delivered(story, "maker")
    with pytest.raises(NotAGenesisBlock):
        audit(blocks, blocks[1].block, "MakerMSP")
    with pytest.raises(NoSuchMember):
        audit(blocks, genesis(story), "NobodyMSP")
