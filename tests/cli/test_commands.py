"""Every transaction has a command, docs/cli.md lists all commands, and they import only the modules that they need."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from chaincode.contract import TRANSACTIONS
from consortium.exit_codes import ExitCode
from tests.cli.page import PAGE, page
from tests.cli.program import ROOT, Zunft
from tests.cli.test_listings import commands

# Transactions that a command causes without naming them: its node makes them, or a file of node/ that it calls.
INDIRECT = {
    "ballot.execute": "ballot approve",
    "ballot.sign": "ballot approve",
    "usage.announce": "node run",
    "usage.read_record": "node statement",
    "usage.submit": "usage import",
}

# Commands that no member acts in: they work on files, or on all processes of this machine.
ACTING_FOR_NOBODY = {"agreement draft", "consortium found", "demo", "join request", "ledger serve", "roles"}
OF_NOBODY = {"network", "tariff"}


def test_every_transaction_can_be_caused_by_a_command() -> None:
    source = "".join(path.read_text() for path in (ROOT / "cli").rglob("*.py"))
    assert {name for name in TRANSACTIONS if f'"{name}"' not in source} <= set(INDIRECT)


def test_every_command_that_opens_the_ledger_asks_as_whom() -> None:
    without = {words for words, one in commands() if "--as" not in {name for each in one.params for name in each.opts}}
    assert {words for words in without if words.split()[0] not in OF_NOBODY} == ACTING_FOR_NOBODY


def test_the_page_has_the_commands_own_words() -> None:
    assert PAGE.read_text() == page(), "docs/cli.md is stale: .venv/bin/python -m tests.cli.page"


def test_exit_codes_are_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text(), re.MULTILINE)}
    assert documented == {0, *ExitCode} - {ExitCode.INTERNAL}


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        ("--help", ["numpy", "grpc", "cryptography", "google.protobuf", "structlog"]),
        ("--version", ["numpy", "grpc", "cryptography", "google.protobuf", "structlog", "rich"]),
        ("token --help", ["matplotlib", "structlog", "node.api", "audit"]),
        ("node --help", ["matplotlib", "audit"]),
    ],
)
def test_commands_import_only_the_modules_that_they_need(words: str, unneeded: list[str]) -> None:
    program = f"""
import sys
from cli.main import main
sys.argv = {["zunft", *words.split()]}
try:
    main()
except SystemExit:
    print("\\nimported:", *(name for name in {unneeded} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "imported:"


def test_the_version_is_printed_without_a_consortium(tmp_path: Path) -> None:
    outcome = Zunft(tmp_path)("--version")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, f"zunft {version('zunft')}\n", "")


def test_the_changelog_begins_with_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = re.findall(r"^## \[([0-9.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == project["version"]


def test_completion_knows_the_commands(tmp_path: Path) -> None:
    words = {"_ZUNFT_COMPLETE": "complete_bash", "COMP_WORDS": "zunft token re", "COMP_CWORD": "2"}
    printed = Zunft(tmp_path, words).run("").stdout
    assert set(printed.split()) == {"redeem", "redemptions", "reject", "reserve"}
