"""Contracts' refusals name acts instead of transactions, in common units, and the CLI adds the command to type."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaincode.checks import format_duration, format_quantity
from chaincode.contract import TRANSACTIONS
from cli.shared.remedies import COMMANDS
from tests.cli.program import EXAMPLES, ROOT, Zunft
from tests.cli.test_listings import commands

# Peers and operators read the messages of the protocol and of its process.
OTHERS = {"shim", "service"}
# Names of transactions, millionths, and bare seconds.
JARGON = re.compile("|".join([*map(re.escape, TRANSACTIONS), r"micro-", r"_micro\b", r"\{[^{}]*_s\} s\b"]))


def contracts() -> list[Path]:
    return [path for path in sorted((ROOT / "chaincode").rglob("*.py")) if not OTHERS & set(path.parts)]


def sentences() -> Iterator[tuple[str, str]]:
    """Every text that is raised, with its place in the source."""
    for path in contracts():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                yield f"{path.name}:{node.lineno}", " ".join(map(ast.unparse, node.exc.args))


def test_refusals_name_acts_and_units() -> None:
    found = dict(sentences())
    assert len(found) > 100
    # A name in braces belongs to the code, and not to the text that people read.
    texts = {place: re.sub(r"\{(?![^{}]*_s\} s\b)[^{}]*\}", "…", text) for place, text in found.items()}
    assert {place: text for place, text in texts.items() if JARGON.search(text)} == {}


def test_each_remedy_stands_in_a_refusal_and_its_command_exists() -> None:
    sources = "".join(path.read_text() for path in contracts())
    assert [text for text in COMMANDS if text not in sources] == []
    assert set(COMMANDS.values()) <= {words for words, _ in commands()}


def test_a_refusal_ends_with_the_command_to_type(zunft: Zunft) -> None:
    refusal = zunft("account withdraw steel-energy --as factory").stderr
    assert refusal.endswith("give notice of the withdrawal first (zunft account notice)\n")
    zunft.must("account notice steel-energy 5 --as factory")
    assert "the notice runs for another 14 days" in zunft("account withdraw steel-energy --as factory").stderr
    shown = zunft.must("node balance steel-energy --as factory").stdout
    assert re.search(r"under notice +5\.00 from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown), shown


def test_terms_are_shown_with_every_limit_in_words(zunft: Zunft) -> None:
    shown = " ".join(zunft.must("agreement show steel-energy --as factory").stdout.split())
    assert "late cut off none correction window 400 days withdrawal notice 14 days" in shown
    drafted = " ".join(zunft.must(f"agreement draft {agreement_file(zunft.home)}").stdout.split())
    assert "late cut off 7 days correction window none withdrawal notice the charter's" in drafted
    limits = zunft.must("agreement show steel-energy --as factory --json").json
    assert [limits[f"{name}_s"] for name in ("late_cut_off", "correction_window", "withdrawal_notice")] == [
        0,
        400 * 86_400,
        14 * 86_400,
    ]


def agreement_file(folder: Path) -> Path:
    file, tariff = folder / "agreement.yaml", EXAMPLES / "tariffs" / "steel-plant.yaml"
    file.write_text(
        f"agreement: a\nprovider: maker\ncustomer: factory\nmeters: [m]\nlate_cut_off: 7 days\ntariff: {tariff}\n"
    )
    return file


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59, "59 s"), (3_661, "1 h 2 min"), (7_500, "2 h 5 min"), (86_399, "1 day"), (1_209_301, "14 days")],
)
def test_a_duration_is_rounded_up_to_its_two_largest_units(seconds: int, words: str) -> None:
    assert format_duration(seconds) == words


@pytest.mark.parametrize(("micro", "units"), [(0, "0"), (1, "0.000001"), (-1_500_000, "-1.5"), (10**7, "10")])
def test_a_quantity_is_exact_and_has_no_needless_zeros(micro: int, units: str) -> None:
    assert format_quantity(micro) == units
