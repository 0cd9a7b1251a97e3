"""Ctrl-C at any moment: the command ends with 130 and one sentence, and the next start goes on or begins again.

No reading is charged twice.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from consortium.exit_codes import ExitCode
from tests.cli.program import EXAMPLES, Outcome, Zunft, press_ctrl_c
from tests.cli.readme import steel_csv

WAIT_S = 60.0
POLL_S = 0.01


def test_an_interrupted_import_goes_on_and_charges_each_reading_once(
    zunft: Zunft, charged: Path, tmp_path: Path
) -> None:
    csv = _later_year(tmp_path)
    words = f"usage import main-supply {csv} --mapping {EXAMPLES}/mappings/steel-plant.yaml --as maker --batch 4"
    outbox = zunft.home / "members" / "maker" / "meters" / "main-supply" / "outbox"
    interruptions = 0
    for sealed in (1, 20, 60):
        process = zunft.start(words)
        first = _newest(outbox)
        _until(process, lambda: _newest(outbox) >= first + 4 * sealed)  # noqa: B023  # called before the next round
        interruptions += _interrupted(press_ctrl_c(process))
    assert interruptions
    assert " were charged before)" in zunft.must(words).stdout
    assert "0 readings of main-supply are charged (400 were charged before)" in zunft.must(words).stdout

    other = Zunft(tmp_path / "at-once")
    subprocess.run(["cp", "-r", charged, other.home], check=True)
    other.must(words)
    bills = [one.must("node balance steel-energy --as factory --json").json for one in (zunft, other)]
    assert bills[0]["since_last_claim"] == bills[1]["since_last_claim"]
    assert bills[0]["accrued_micro"] == bills[1]["accrued_micro"]
    assert zunft.must("audit --as factory").exit_code == 0


@pytest.mark.parametrize("words", [f"consortium found {EXAMPLES}/consortium.yaml", "demo"])
def test_an_interrupted_command_leaves_nothing_half_made(words: str, tmp_path: Path) -> None:
    home = tmp_path / "new" / "consortium"
    zunft = Zunft(home)
    for moment in (lambda: home.parent.exists(), lambda: any(home.parent.glob(".zunft-draft.*/members/factory"))):
        process = zunft.start(words)
        _until(process, moment)
        assert _interrupted(press_ctrl_c(process))
        assert list(home.parent.iterdir()) in ([], [home])
        subprocess.run(["rm", "-rf", home], check=True)
    zunft.must(f"consortium found {EXAMPLES}/consortium.yaml")


def test_an_interrupted_demo_begins_anew(tmp_path: Path) -> None:
    home = tmp_path / "zunft-demo"
    zunft = Zunft(home)
    process = zunft.start(f"demo --home {home}")
    _until(process, lambda: (home / "members" / "maker" / "meters" / "cores" / "state.json").exists())
    assert _interrupted(press_ctrl_c(process))
    # The half-made consortium can be looked at, and a second start replaces it.
    zunft.must("ledger blocks")
    process = zunft.start(f"demo --home {home}")
    assert process.stdout is not None
    assert any("can never mint twice" in line for line in process.stdout)
    assert _interrupted(press_ctrl_c(process))


@pytest.mark.parametrize("words", ["node run --as maker", "ledger serve"])
def test_an_interrupted_service_lets_the_next_command_in(zunft: Zunft, words: str) -> None:
    process = zunft.start(words)
    assert process.stdout is not None
    assert any("Ctrl-C ends it" in line for line in process.stdout)
    assert _interrupted(press_ctrl_c(process))
    zunft.must("token balances")


def _interrupted(outcome: Outcome) -> bool:
    """Whether the command was interrupted before it was done. Checks its exit code and its sentence if it was."""
    if outcome.exit_code == 0:
        return False
    assert outcome.exit_code == ExitCode.INTERRUPTED, outcome
    assert outcome.stderr.startswith("zunft: interrupted"), outcome
    assert outcome.stderr.count("\n") == 1, outcome
    return True


def _until(process: subprocess.Popen[str], arrived: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while process.poll() is None and not arrived():
        assert time.monotonic() < deadline_s
        time.sleep(POLL_S)


def _newest(outbox: Path) -> int:
    """The sequence of the next reading of the meter, which grows with every batch that it signs."""
    state = (outbox.parent / "state.json").read_text()
    return int(state.split('"next_sequence": ')[1].split(",")[0])


def _later_year(folder: Path) -> Path:
    """A file with 400 readings that are later than those of README's first steps."""
    csv = steel_csv(folder / "later.csv", rows=400)
    csv.write_text(csv.read_text().replace("-2018 ", "-2019 "))
    return csv
