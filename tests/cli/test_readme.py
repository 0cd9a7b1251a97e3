"""The commands that README, the demo and the page for admins show work, word by word."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from audit import Status
from tests.cli.program import EXAMPLES, ROOT, Zunft
from tests.cli.readme import block_under, commands_of, commands_under, steel_csv
from tests.cli.terminal import shell


def test_first_steps_end_with_the_invoice_that_the_simulation_foretells(charged: Path, tmp_path: Path) -> None:
    zunft, csv = Zunft(charged), steel_csv(tmp_path / "plant.csv")
    tariff, mapping = EXAMPLES / "tariffs" / "steel-plant.yaml", EXAMPLES / "mappings" / "steel-plant.yaml"
    foretold = zunft.must(f"tariff simulate {tariff} {csv} --mapping {mapping} --json").json["total"]
    [invoice] = zunft.must("invoice list --json").json
    assert foretold == invoice["amount"]


def test_first_steps_run_by_paste_into_a_bare_shell(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(EXAMPLES)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    lines = block_under("First steps with your own consortium").strip().splitlines()
    with shell(tmp_path, {"COLUMNS": ""}) as terminal:
        assert terminal.exit_codes_of("\n".join(lines)) == [0] * len(lines), terminal.screen
    assert "672 readings of main-supply are charged" in terminal.screen


def test_readme_links_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = {f"docs/{page.relative_to(ROOT / 'docs')}" for page in (ROOT / "docs").rglob("*.md")}
    assert pages == set(re.findall(r"^- \[.+?\]\((docs/.+?\.md)\)", readme.split("## Read on")[1], re.MULTILINE))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Zunft, str]:
    """The demo's folder, and the text that it printed."""
    home = tmp_path_factory.mktemp("demo") / "zunft-demo"
    outcome = Zunft(home).run(f"demo --home {home}")
    assert outcome.exit_code == 0, outcome.stderr
    return Zunft(home), outcome.stdout


def commands_shown_at_the_end(story: str) -> list[str]:
    return re.findall(r"^  \S*zunft (.+)$", story.split("Now look around yourself:")[1], re.MULTILINE)


def test_the_commands_that_the_demo_shows_at_its_end_work(demo: tuple[Zunft, str]) -> None:
    zunft, story = demo
    commands = commands_shown_at_the_end(story)
    assert len(commands) >= 6
    for command in commands:
        assert zunft.must(command).stdout


def test_readmes_commands_after_the_demo_work(demo: tuple[Zunft, str]) -> None:
    zunft, _ = demo
    commands = commands_under("Try it", block=1)
    assert commands
    for command in commands:
        assert zunft.must(command).stdout


def test_the_demo_of_a_member_that_joins_and_leaves_works(tmp_path: Path) -> None:
    zunft = Zunft(tmp_path / "zunft-demo")
    outcome = zunft.run(f"demo --join --home {zunft.home}")
    assert outcome.exit_code == 0, outcome
    assert not {Status.FAILS, Status.UNCHECKED} & set(re.findall("|".join(Status), outcome.stdout))
    commands = commands_shown_at_the_end(outcome.stdout)
    assert len(commands) >= 4
    for command in commands:
        assert zunft.must(command).stdout
    statuses = {row["member"]: row["status"] for row in zunft.must("consortium members --json").json}
    assert statuses == {"maker": "active", "factory": "active", "bank": "active", "mill": "left"}


def test_the_commands_of_the_page_for_admins_work(tmp_path: Path) -> None:
    page, zunft, ballot = ROOT / "docs" / "membership-admin.md", Zunft(tmp_path / "my-guild"), ""
    [amendment] = re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "amendment.yaml").write_text(amendment)
    (tmp_path / "lathes.md").write_text("# Charter\n\nWe lend each other lathes, too.\n")
    for command in commands_of(page):
        words = command.replace("BALLOT", ballot).replace("examples/", f"{EXAMPLES}/")
        words = words.replace("my-guild", str(zunft.home)).replace("amendment.yaml", f"{tmp_path}/amendment.yaml")
        printed = zunft.must(words).stdout
        ballot = [ballot, *re.findall(r"Ballot ([0-9a-f]{16}) ", printed)][-1]
    found = {row["member"]: row["status"] for row in zunft.must("member list --json").json}
    assert found == {"maker": "active", "factory": "excluded", "bank": "active", "forge": "left"}
    charter = zunft.must("charter show --json").json
    assert (charter["charter_version"], charter["deposit"], charter["exclusion"]) == (2, "750.00", "2/3")
