"""Measures another commit and this tree alternately in one run, which shows the cost of a change.

The figures count CPU time, since on a shared machine elapsed time depends on its other users. Of several rounds each
side's best one counts, as only disturbance makes a round worse.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.figure import Figure

ROOT = Path(__file__).resolve().parents[2]
ROWS = ("embedded.readings_per_s.50000", "embedded.wide_readings_per_s", "embedded.readings_per_s.1")
ROUNDS = 5
TARGET = 0.95

# Runs in the other commit's tree as well, so it uses only names that both trees have.
# It does the whole work: in a fifth of it, single events make more difference than most changes.
_MEASURE = """
import json, sys, time
time.perf_counter = time.process_time
from tests.bench.rows import EmbeddedBench
rows = EmbeddedBench().rows()
print(json.dumps([rows[name]().value for name in sys.argv[1:]]))
"""


def measure_against(commit: str, names: Sequence[str], report: Callable[[str], None]) -> list[Figure]:
    """A figure per row of the embedded ledger: this tree's value, and the commit's as its baseline.

    Ends the program with a sentence if git does not know the commit.
    """
    with tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder:
        trees = [_unpack(commit, Path(folder)), ROOT]
        rounds = []
        for number in range(1, ROUNDS + 1):
            # The order changes, so that a machine that gets slower or faster affects both sides.
            order = trees if number % 2 else trees[::-1]
            values = {tree: _run(tree, names) for tree in order}
            rounds.append([values[tree] for tree in trees])
            report(f"round {number} of {ROUNDS}: {_ratios(*rounds[-1])}")
    others, owns = ([max(values) for values in zip(*side, strict=True)] for side in zip(*rounds, strict=True))
    return [
        Figure(f"cpu.{name}", own, "readings/s", other, TARGET * other)
        for name, other, own in zip(names, others, owns, strict=True)
    ]


def _ratios(other: Sequence[float], own: Sequence[float]) -> str:
    return ", ".join(f"{mine / theirs:.2f}" for theirs, mine in zip(other, own, strict=True))


def _unpack(commit: str, folder: Path) -> Path:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        sys.exit(f"git has no commit {commit!r}: name one of this repository's")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def _run(tree: Path, names: Sequence[str]) -> list[float]:
    # The tree's folders come before those that the environment has installed.
    path = os.pathsep.join([str(tree), str(tree / "proto" / "gen")])
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *names],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    values: list[float] = json.loads(done.stdout)
    return values
