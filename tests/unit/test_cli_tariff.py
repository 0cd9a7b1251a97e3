"""`zunft tariff`, as a user types it: its output and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main

ROOT = Path(__file__).parents[2]
TARIFF = ROOT / "examples" / "tariffs" / "cnc-parts.yaml"
MAPPING = ROOT / "examples" / "mappings" / "cnc-parts.yaml"
CSV = "No,machining_finalized,passed_visual_inspection\n1,yes,yes\n2,no,\n3,yes,no\n"


# Runs a command of these words.
Zunft = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """A command's exit code and output."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def zunft(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Zunft:
    """A function that runs `zunft tariff` with the given words."""

    def run(*words: str | Path) -> Outcome:
        monkeypatch.setattr("sys.argv", ["zunft", "tariff", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return Outcome(int(exit_.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    (tmp_path / "parts.csv").write_text(CSV)
    return tmp_path / "parts.csv"


def test_a_sound_tariff_is_accepted_and_explained(zunft: Zunft) -> None:
    assert "is sound" in zunft("check", TARIFF).stdout
    sentences = json.loads(zunft("explain", TARIFF, "--json").stdout)
    assert sentences[1] == "finished part: the number of readings (of the step finished): 14.90 EUR each."


def test_simulate_prints_the_bill_and_the_cost_of_each_part(zunft: Zunft, readings: Path) -> None:
    bill = json.loads(zunft("simulate", TARIFF, readings, "--mapping", MAPPING, "--json").stdout)
    assert bill["total"] == "20.658333"
    assert bill["lines"][0]["meter"] == "parts"
    items = json.loads(zunft("simulate", TARIFF, readings, "--mapping", MAPPING, "--work-items", "--json").stdout)
    assert items == [
        {"work_item": "1", "amount": "16.083333"},
        {"work_item": "2", "amount": "0.000000"},
        {"work_item": "3", "amount": "4.575000"},
    ]
    assert "20.658333" in zunft("simulate", TARIFF, readings, "--mapping", MAPPING).stdout


def test_chart_writes_a_picture(zunft: Zunft, tmp_path: Path) -> None:
    assert zunft("chart", TARIFF, "--out", tmp_path / "curve.svg", "--up-to", "100").exit_code == 0
    assert (tmp_path / "curve.svg").exists()


def test_wrong_files_are_one_sentence_and_exit_code_2(zunft: Zunft, tmp_path: Path, readings: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\nprice: 1\n")
    banded = ROOT / "examples" / "tariffs" / "steel-plant.yaml"
    attempts = [
        zunft("check", wrong),
        zunft("check", tmp_path / "missing.yaml"),
        zunft("simulate", TARIFF, wrong, "--mapping", MAPPING),
        zunft("simulate", TARIFF, readings, "--mapping", wrong),
        # Only the rating finds that the readings have no utilisation.
        zunft("simulate", banded, readings, "--mapping", MAPPING),
        zunft("chart", TARIFF, "--out", tmp_path / "curve.bmp"),
        zunft("chart", TARIFF, "--out", tmp_path / "curve.svg", "--up-to", "many"),
    ]
    for attempt in attempts:
        assert attempt.exit_code == 2
        assert "Traceback" not in attempt.stderr
        assert attempt.stderr.startswith("zunft: ")
        assert attempt.stdout == ""
