"""Output: no letter is an error, and a committed transaction is a success even if its report is lost."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consortium.exit_codes import ExitCode
from tests.cli.program import ROOT, Zunft

PLAN = """\
consortium: Gießerei 鋳造
currency: EUR
issuer: bank
members:
  - {name: maker, msp_id: MakerMSP, legal_name: Łódzkie Zakłady Müller}
  - {name: bank, msp_id: BankMSP, legal_name: 日本銀行}
"""


def run(zunft: Zunft, words: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs a command with the test's standard output."""
    program = [Path(sys.executable).with_name("zunft"), *shlex.split(words), "--home", zunft.home]
    return subprocess.run(program, cwd=ROOT, stderr=subprocess.PIPE, check=False, **streams)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_no_output_fails_because_of_a_letter(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    zunft = Zunft(tmp_path / "home", {"PYTHONIOENCODING": encoding})
    outcomes = [
        zunft.run(words, encoding=encoding)
        for words in (
            f"consortium found {tmp_path}/plan.yaml",
            "consortium members",
            "consortium show",
            "consortium members --json",
            "token balances --as 日本",
        )
    ]
    assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0, 0, ExitCode.USAGE]
    assert {one["name"] for one in outcomes[3].json} == {"Łódzkie Zakłady Müller", "日本銀行"}
    assert all("Traceback" not in outcome.stderr for outcome in outcomes)
    if encoding == "ascii":
        assert "?" in outcomes[1].stdout
        assert "\\u" in outcomes[3].stdout


@pytest.mark.parametrize("words", ["token transfer bank 1 --as factory", "token balances --json"])
def test_output_that_cannot_be_written_is_reported_before_anything_is_done(zunft: Zunft, words: str) -> None:
    before = zunft.must("token balances --json").json
    with Path("/dev/full").open("wb") as full:
        outcome = run(zunft, words, stdout=full)
    assert outcome.returncode == ExitCode.MACHINE
    assert b"zunft: standard output cannot be written (no space left), nothing was done" in outcome.stderr
    closed = run(zunft, words, preexec_fn=lambda: os.close(1))
    assert closed.returncode == ExitCode.MACHINE
    assert b"zunft: standard output is closed, nothing was done" in closed.stderr
    assert zunft.must("token balances --json").json == before


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("token transfer bank 1 --as factory", 0, b"the report could not be written (No space left on device)"),
        ("token balances", ExitCode.MACHINE, b"the output could not be written"),
    ],
)
def test_a_report_that_is_lost_takes_nothing_back(zunft: Zunft, words: str, code: int, says: bytes) -> None:
    """The disk fills up before the report is written."""
    before = zunft.must("token balances --json").json
    patch = (
        "import os, sys, cli.shared.standard_output as output; output._is_full = lambda *_: False; "
        "from cli.main import main; main()"
    )
    with Path("/dev/full").open("wb") as full:
        outcome = subprocess.run(
            [sys.executable, "-c", patch, *shlex.split(words), "--home", zunft.home],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (outcome.returncode, says in outcome.stderr) == (code, True), outcome.stderr
    assert b"Traceback" not in outcome.stderr
    assert (zunft.must("token balances --json").json != before) == (not code)


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(zunft: Zunft) -> None:
    zunft.must("token balances")
    words = f"'{Path(sys.executable).with_name('zunft')}' ledger blocks --json --home '{zunft.home}' | head -c 1"
    shell = ["bash", "-o", "pipefail", "-c", words]
    outcome = subprocess.run(shell, capture_output=True, check=False)
    assert (outcome.returncode, outcome.stderr) == (0, b"")


def test_json_is_json_in_every_encoding(zunft: Zunft) -> None:
    for encoding in ("ascii", "utf-8"):
        environment = Zunft(zunft.home, {"PYTHONIOENCODING": encoding})
        assert json.loads(environment.run("consortium members --json", encoding=encoding).stdout)
