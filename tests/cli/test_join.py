"""`zunft join` out of order, twice, and with a bundle that is meant for somebody else; on the embedded ledger."""

from __future__ import annotations

import shlex
from pathlib import Path

import yaml

from cli.exit_codes import ExitCode
from tests.cli.program import EXAMPLES, Outcome, Zunft

MILL = {"name": "mill", "msp_id": "MillMSP", "legal_name": "Mill & Sons", "first_port": 7900}


def applied(zunft: Zunft, folder: Path, sponsor: str = "maker") -> str:
    """The bundle's file, as a word on the command line."""
    file = folder / "mill.yaml"
    file.write_text(yaml.safe_dump(MILL))
    zunft.must(f"join request {file} --sponsor {sponsor} --yes")
    return shlex.quote(str(zunft.home / "mill.bundle"))


def assert_refused(outcome: Outcome, code: ExitCode, *pieces: str) -> None:
    """With one sentence."""
    assert outcome.exit_code == code, outcome
    assert outcome.stderr.count("\n") == 1, outcome
    assert all(piece in outcome.stderr for piece in pieces), outcome


def test_every_step_waits_for_the_one_before_and_can_be_repeated(zunft: Zunft, tmp_path: Path) -> None:
    bundle = applied(zunft, tmp_path)
    assert_refused(zunft("join approve MillMSP --yes --as factory"), ExitCode.REFUSED, "zunft join propose")
    for words in ("join complete --as mill", "join status mill"):
        assert_refused(zunft(words), ExitCode.REFUSED, "MillMSP", "zunft join")
    for _ in range(2):
        assert "1 of 2 members have approved" in zunft.must(f"join propose {bundle} --as maker").stdout
    assert_refused(zunft("join complete --as mill"), ExitCode.REFUSED, "zunft join status MillMSP")
    assert "Nothing was approved" in zunft.must("join approve MillMSP --as factory", answer="n\n").stdout
    for _ in range(2):
        assert "the channel knows it" in zunft.must("join approve MillMSP --yes --as factory").stdout
    for _ in range(2):
        assert "is an active member" in zunft.must("join complete --as mill").stdout
    assert "the channel knows it" in zunft.must(f"join propose {bundle} --as maker").stdout
    assert {row["done"] for row in zunft.must("join status mill --json").json} == {"yes"}


def test_a_bundle_for_somebody_else_is_not_put_in(zunft: Zunft, tmp_path: Path) -> None:
    bundle = applied(zunft, tmp_path)
    outcome = zunft(f"join propose {bundle} --as factory")
    assert_refused(outcome, ExitCode.USAGE, "asks MakerMSP to put this bundle in, not FactoryMSP")
    plan = yaml.safe_load((EXAMPLES / "consortium.yaml").read_text())
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump({**plan, "consortium": "Other Machines"}))
    other = Zunft(tmp_path / "other")
    other.must(f"consortium found {tmp_path / 'plan.yaml'}")
    outcome = other(f"join propose {bundle} --as maker")
    assert_refused(outcome, ExitCode.USAGE, "'Rhine Valley Machines'", "not to 'Other Machines'")
