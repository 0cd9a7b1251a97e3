"""Every listing, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli.shared import output
from cli.shared.groups import (
    HELP_BY_NAME,
    load,
)
from consortium.exit_codes import ExitCode
from tests.cli.program import EXAMPLES, Zunft
from tests.cli.readme import steel_csv

TARIFF = EXAMPLES / "tariffs" / "steel-plant.yaml"

# The arguments of each command that has the option --json.
WORDS = {
    "access list": "steel-energy --as maker",
    "account list": "",
    "agreement draft": f"{EXAMPLES}/agreements/steel-plant.yaml",
    "agreement list": "",
    "agreement show": "steel-energy --as factory",
    "audit": "--as maker",
    "ballot list": "",
    "charter show": "",
    "consortium members": "",
    "consortium show": "",
    "invoice list": "",
    "invoice show": "maker 1 --as factory",
    "ledger blocks": "",
    "ledger show": "3",
    "leave status": "--as factory",
    "member list": "",
    "member show": "factory",
    "meter list": "",
    "node accounts": "--as factory",
    "node balance": "steel-energy --as factory",
    "node events": "--as factory",
    "node may-start": "steel-energy main-supply --as maker",
    "node statement": "steel-energy --as factory",
    "node status": "--as factory",
    "roles": "",
    "tariff explain": str(TARIFF),
    "tariff simulate": f"{TARIFF} {{csv}} --mapping {EXAMPLES}/mappings/steel-plant.yaml",
    "token balances": "",
    "token redemptions": "",
    "user list": "--as factory",
    "usage pending": "steel-energy --as factory",
}


# Listings that are empty in this consortium. Other tests show them.
ELSEWHERE = {"ballot show", "join status", "network status", "node alarms", "node batches"}


# Commands that print no table but text, which the terminal folds.
SENTENCES = {"agreement draft", "agreement show", "node events", "tariff explain"}
NUMBER = re.compile(r"(?<![^\s])-?[\d.,]+(?![^\s])")


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by the words that call it."""
    for name in HELP_BY_NAME:
        command = load(name)
        yield from ((f"{name} {one}", found) for one, found in getattr(command, "commands", {}).items())
        if not hasattr(command, "commands"):
            yield name, command


def test_every_listing_is_listed_here() -> None:
    known_json = {words for words, one in commands() if "as_json" in [option.name for option in one.params]}
    assert known_json == set(WORDS) | ELSEWHERE


@pytest.mark.parametrize("command", WORDS)
def test_every_listing_is_printed_as_json_and_as_a_table(zunft: Zunft, command: str) -> None:
    words = WORDS[command].format(csv=steel_csv(zunft.home.parent / "plant.csv"))
    printed = zunft.must(f"{command} {words} --json").stdout
    documents = list(_documents(printed))
    assert documents if command == "node events" else len(documents) == 1
    assert zunft.must(f"{command} {words}").stdout


def test_every_listing_of_the_ledger_asks_as_the_member_that_is_named(zunft: Zunft) -> None:
    takes_as = {words for words, one in commands() if "acting" in [option.name for option in one.params]}
    for command in sorted(takes_as & set(WORDS)):
        outcome = zunft(f"{command} {WORDS[command]} --as stranger")
        assert (outcome.exit_code, outcome.stdout) == (ExitCode.USAGE, ""), (command, outcome)
        assert "the members are maker, factory, bank" in outcome.stderr


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("command", sorted(set(WORDS) - SENTENCES))
def test_on_a_narrow_terminal_no_number_is_broken(
    zunft: Zunft, command: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"{command} {WORDS[command].format(csv=steel_csv(zunft.home.parent / 'plant.csv'))}"
    whole = NUMBER.findall(zunft.must(words).stdout)
    monkeypatch.setattr(output.console, "width", width)
    lines = [line.rstrip() for line in zunft.must(words).stdout.splitlines()]
    assert max(map(len, lines)) <= width
    assert {number for line in lines for number in NUMBER.findall(line)} <= set(whole)


def test_the_text_of_others_is_shown_whole_and_unchanged(zunft: Zunft) -> None:
    label = "[/red] Presse Nr. 7 " + "x" * 150
    zunft.must(f"meter register press --agreement steel-energy --label '{label}' --location '[bold]' --as maker")
    assert {one["label"] for one in zunft.must("meter list --json").json} >= {label}
    [row] = [line for line in zunft.must("meter list").stdout.splitlines() if "press " in line]
    assert label in row
    assert "[bold]" in row


def _documents(text: str) -> Iterator[Any]:
    """The JSON documents in the text, in their order."""
    while text := text.strip():
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:]
