"""Text files are UTF-8 in every locale of the shell, and a consortium can be founded in folders of any kind."""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ROOT, Zunft

PLAN = """\
consortium: Fälle
currency: EUR
issuer: bank
charter: charter.txt
members:
  - {name: maker, msp_id: MakerMSP, legal_name: Müller Maschinen GmbH}
  - {name: bank, msp_id: BankMSP, legal_name: Case Bank}
"""
CHARTER = "Maschinen für alle.\n"
# A shell whose locale knows ASCII only.
ASCII_SHELL = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "charter.txt").write_bytes(CHARTER.encode())
    (tmp_path / "plan.yaml").write_bytes(PLAN.encode())
    return tmp_path / "plan.yaml"


def test_a_consortium_founded_in_another_locale_has_the_files_texts(plan: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    founded = Zunft(home, ASCII_SHELL).run(f"consortium found {plan}")
    assert founded.exit_code == 0, founded.stderr
    zunft = Zunft(home)
    assert zunft.must("consortium members --json").json[1]["name"] == "Müller Maschinen GmbH"
    assert "Maschinen für alle." in zunft.must("charter show").stdout
    assert (home / "charter.md").read_bytes() == CHARTER.encode()
    shown = Zunft(home, ASCII_SHELL).run("charter show --json")
    assert (shown.exit_code, shown.json["text"]) == (0, CHARTER)


def test_every_text_file_that_is_read_or_written_names_its_encoding() -> None:
    packages = ("audit", "chaincode", "cli", "consortium", "fabric", "ledger", "network", "node")
    unnamed = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and not call.args
        if call.func.attr in ("read_text", "write_text") and not any(one.arg == "encoding" for one in call.keywords)
    ]
    assert not unnamed


# --- folders ----------------------------------------------------------------------------------------------------------


def found_in(folder: str, plan: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zunft")
    words = shlex.split(f"consortium found {plan} --home {folder}")
    return subprocess.run([program, *words], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", [".", "link", "../here", "nowhere/deep"])
def test_a_consortium_is_founded_in_a_folder_of_any_kind(plan: Path, tmp_path: Path, folder: str) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "target").mkdir()
    (here / "link").symlink_to(tmp_path / "target")
    if folder in (".", "../here"):
        (here / "link").unlink()
    founded = found_in(folder, plan, here)
    assert founded.returncode == 0, founded.stderr
    assert (here / folder / "consortium.yaml").exists()
    assert not list((here / folder).glob(".zunft-draft.*"))
    assert not (here / "link").exists() or (here / "link").is_symlink()


def test_a_consortium_is_founded_on_an_empty_disk(plan: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", volume], capture_output=True, check=False).returncode:
        pytest.skip("mounting needs rights that this test has not")
    try:
        founded = found_in("volume", plan, tmp_path)
        assert founded.returncode == 0, founded.stderr
        assert [path.name for path in sorted(volume.iterdir())][:3] == ["charter.md", "charter.yaml", "consortium.yaml"]
    finally:
        subprocess.run(["umount", volume], check=True)


def test_a_founding_that_fails_leaves_the_folder_empty(plan: Path, tmp_path: Path) -> None:
    """A founding that was killed leaves it usable, too."""
    here = tmp_path / "here"
    (here / ".zunft-draft.killed").mkdir(parents=True)
    plan.write_bytes(PLAN.replace("MakerMSP", "BankMSP").encode())
    assert found_in(".", plan, here).returncode == 2
    assert [path.name for path in here.iterdir()] == [".zunft-draft.killed"]
    plan.write_bytes(PLAN.encode())
    assert found_in(".", plan, here).returncode == 0
