"""A command whose reader ends, or that is stopped by SIGTERM, ends quietly. Output fits its encoding.

Negative amounts and unknown options are refused with a sentence.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consortium.exit_codes import ExitCode
from tests.cli.program import Zunft, finish

READ_BY_NOBODY = [
    "node statement steel-energy --as factory",
    "node balance steel-energy --as factory --json",
    "node events --as factory",
    "node events --as factory --follow",
    "ledger blocks",
    "audit --as factory --bills",
    "token transfer maker 1 --as factory",
]


@pytest.mark.parametrize("words", READ_BY_NOBODY)
def test_a_command_ends_quietly_when_nobody_reads_its_output(zunft: Zunft, words: str) -> None:
    process = zunft.start(words)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    errors = process.stderr.read()
    assert (process.wait(120), errors) == (0, "")


def test_a_transaction_that_has_begun_is_done_even_if_nobody_reads_its_output(zunft: Zunft) -> None:
    before = balance_of(zunft, "maker")
    test_a_command_ends_quietly_when_nobody_reads_its_output(zunft, "token transfer maker 1 --as factory")
    assert balance_of(zunft, "maker") == before + 1


def balance_of(zunft: Zunft, member: str) -> float:
    rows = zunft.must("token balances --json").json
    return next((float(row["tokens"]) for row in rows if row["member"] == member), 0.0)


@pytest.mark.parametrize("words", ["node run --as maker", "ledger serve"])
def test_sigterm_stops_a_service_without_an_error(zunft: Zunft, words: str) -> None:
    process = zunft.start(words)
    assert process.stdout
    assert any("Ctrl-C ends it" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    assert finish(process).exit_code == 0


@pytest.mark.parametrize(("encoding", "is_ascii"), [("ascii", True), ("latin-1", True), ("utf-8", False)])
def test_json_is_ascii_unless_the_output_is_utf_8(zunft: Zunft, encoding: str, is_ascii: bool) -> None:
    zunft.must("meter register press --agreement steel-energy --label 'Größe Ω' --location Halle --as maker")
    printed = run_with_encoding(zunft, "meter list --json", encoding)
    assert printed.isascii() == is_ascii
    assert "Größe Ω" in [row["label"] for row in json.loads(printed.decode(encoding))]


def run_with_encoding(zunft: Zunft, words: str, encoding: str) -> bytes:
    program = [Path(sys.executable).with_name("zunft"), *words.split()]
    environment = {**os.environ, "ZUNFT_HOME": str(zunft.home), "PYTHONIOENCODING": encoding}
    return subprocess.run(program, env=environment, capture_output=True, check=True, timeout=120).stdout


NEGATIVE = [
    "account fund steel-energy -5 --as factory",
    "account fund steel-energy --as factory -0.5",
    "account fund --as factory -- steel-energy -5",
    "account notice steel-energy -1 --as factory",
    "token transfer maker -1 --as factory",
    "token redeem -0.000001 --as maker",
    "invoice credit 1 -2 --as maker",
    "token mint factory -5 --as bank --reference CREDIT-9",
]


@pytest.mark.parametrize("words", NEGATIVE)
def test_a_negative_amount_is_answered_by_the_contract(zunft: Zunft, words: str) -> None:
    outcome = zunft(words)
    assert outcome.exit_code == ExitCode.REFUSED, outcome
    assert "refused (AmountOutOfRange)" in outcome.stderr


def test_a_machine_cannot_ask_for_less_than_nothing(zunft: Zunft) -> None:
    answer = zunft.must("node may-start steel-energy main-supply --amount -3 --as maker --json").json
    assert answer["may_start"] == "no"
    assert "cannot be expected to cost -3.00" in answer["why_not"]


@pytest.mark.parametrize("words", ["token transfer maker 1 --ass factory", "token transfer maker -x --as factory"])
def test_an_unknown_option_is_still_named(zunft: Zunft, words: str) -> None:
    outcome = zunft(words)
    assert outcome.exit_code == ExitCode.USAGE, outcome
    assert "No such option" in outcome.stderr
