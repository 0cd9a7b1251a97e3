"""A command asks before it shows data to others or does a step that cannot be undone. Without a yes it does nothing."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consortium.exit_codes import ExitCode
from tests.cli.program import EXAMPLES, ROOT, STARTED, Zunft, finish
from tests.cli.readme import steel_csv
from tests.cli.terminal import Terminal, shell

DISCLOSED = "The endorsers see that steel-energy has come to"


@pytest.fixture
def used(zunft: Zunft, tmp_path: Path) -> Zunft:
    """The consortium with usage that is charged and not claimed yet."""
    csv = steel_csv(tmp_path / "plant.csv", rows=120)
    zunft.must(f"usage import main-supply {csv} --mapping {EXAMPLES}/mappings/steel-plant.yaml --as maker")
    return zunft


def height(zunft: Zunft) -> object:
    return zunft.must("ledger blocks --last 1 --json").json


def test_amounts_are_shown_to_the_majority_only_after_a_yes(used: Zunft) -> None:
    claim, before = "account claim steel-energy --alone --as maker", height(used)
    for answer, code in (("n\n", ExitCode.DECLINED), ("", ExitCode.USAGE)):
        asked = used(claim, answer=answer)
        assert (asked.exit_code, DISCLOSED in asked.stdout, "nothing was" in asked.stderr) == (code, True, True), asked
    assert height(used) == before
    assert "are claimed in all" in used.must(claim, answer="y\n").stdout


# The words with which each irreversible command says what it ends.
FOR_GOOD = {
    "account close steel-energy --as maker": "nothing can be charged there any more",
    "agreement terminate steel-energy --as factory": "ends for good, in 5 min: usage up to then is still",
    "agreement terminate steel-energy --as maker": "steel-energy ends for good, at once",
    "invoice credit 1 2.5 --as maker": "maker pays 2.50 tokens to factory at once, as goodwill on invoice 1",
    "leave start --as factory": "A notice cannot be taken back",
    "member exclude factory --reason x --as maker": "it can come back only under another MSP id",
    "meter revoke main-supply --as maker": "not even one that it has signed already",
    "user revoke erp --as factory": "everybody refuses the signatures of erp",
}


@pytest.mark.parametrize("words", FOR_GOOD)
def test_a_step_for_good_is_done_only_after_a_yes(used: Zunft, words: str) -> None:
    if words.startswith("account close"):
        for first in ("account claim steel-energy", "account settle steel-energy", "agreement terminate steel-energy"):
            used.must(f"{first}{' --yes' if 'terminate' in first else ''} --as maker")
    before = height(used)
    for answer, code in (("n\n", ExitCode.DECLINED), ("", ExitCode.USAGE)):
        asked = used(words, answer=answer)
        said = " ".join(asked.stdout.split())
        assert (asked.exit_code, FOR_GOOD[words] in said) == (code, True), asked
        assert ("--yes" in asked.stderr) == (code == ExitCode.USAGE)
        assert height(used) == before
    done = used.must(f"{words} --yes")
    assert "Nothing takes this back" not in done.stdout
    assert height(used) != before


REFUSED = {
    "agreement terminate steel-energy --as bank": "Forbidden",
    "invoice credit 1 -2 --as maker": "AmountOutOfRange",
    "leave start --as bank": "amend the charter",
    "member exclude bank --reason x --as maker": "issuer of the token",
    "meter revoke main-supply --as factory": "Forbidden",
    "account close steel-energy --as maker": "WrongStatus",
    "account close steel-energy --yes --as factory": "WrongStatus",
    "account claim steel-energy --alone --as maker/auditor": "Forbidden",
    "account withdraw steel-energy --as factory": "NoticePeriod",
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_step_that_is_refused_anyway_is_neither_announced_nor_asked(used: Zunft, words: str) -> None:
    outcome = used(words)
    assert (outcome.exit_code, outcome.stdout, REFUSED[words] in outcome.stderr) == (ExitCode.REFUSED, "", True), (
        outcome
    )


def test_there_is_one_way_to_ask() -> None:
    ways = r"confirm\(|prompt\(|\binput\(|y/N"
    asking = {path.name for path in (ROOT / "cli").rglob("*.py") if re.search(ways, path.read_text())}
    assert asking - {"token.py"} == {"asking.py"}, "token.py has a command of that name"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_a_question_stops_the_command_at_once(zunft: Zunft, number: signal.Signals) -> None:
    keyboard, typed = pty.openpty()
    process = subprocess.Popen(
        ["env", "--default-signal=INT", Path(sys.executable).with_name("zunft"), "leave", "start", "--as", "factory"],
        env={**os.environ, "ZUNFT_HOME": str(zunft.home)},
        stdin=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    STARTED.append(process)
    assert process.stdout
    printed = ""
    while "Give notice" not in printed:
        piece = os.read(process.stdout.fileno(), 4096).decode()
        assert piece, printed
        printed += piece
    os.killpg(process.pid, number)
    assert finish(process).exit_code == ExitCode.INTERRUPTED
    os.close(keyboard)
    os.close(typed)


ASKS = "zunft leave start --as factory"
QUESTION = "Give notice in the name of factory? [y/N]: "


@pytest.fixture
def terminal(zunft: Zunft, tmp_path: Path) -> Iterator[Terminal]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with shell(tmp_path, {"ZUNFT_HOME": str(zunft.home), "PATH": path}) as opened:
        yield opened


def test_a_line_that_was_pasted_ahead_of_a_question_is_not_its_answer(zunft: Zunft, terminal: Terminal) -> None:
    before = height(zunft)
    terminal.paste(f"{ASKS}\ny\n")
    assert "typed or pasted ahead" in terminal.wait_for(QUESTION)
    asked = len(terminal.screen)
    terminal.paste("what?\n")
    terminal.wait_for(QUESTION, after=asked)
    terminal.paste("n\n")
    terminal.wait_for("no notice was given")
    terminal.wait_for(f"[{ExitCode.DECLINED}]> ")
    assert height(zunft) == before


def test_a_question_does_not_read_the_script_on_standard_input(
    zunft: Zunft, terminal: Terminal, tmp_path: Path
) -> None:
    before = height(zunft)
    (tmp_path / "script").write_text(f"{ASKS}\necho 'the script'' goes on'\n")
    terminal.paste("bash < script > printed\n")
    terminal.wait_for(QUESTION)
    terminal.paste("n\n")
    terminal.wait_for("[0]> ", after=len(terminal.screen))
    assert (tmp_path / "printed").read_text().endswith("the script goes on\n")
    assert height(zunft) == before
