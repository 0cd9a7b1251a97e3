"""Seeded random scripts against the auditor; the same script leaves the same on every ledger.

A failure names seed and step: `make simulate SEED=…` plays it again, `STEPS=` more of it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.consortium import LEDGER_KINDS, start_consortium
from tests.simulation.player import Transcript, simulate

SEEDS = (20260302, 4711)


def play(folder: Path, kind: str, seed: int, steps: int) -> Transcript:
    with start_consortium(folder, kind) as consortium:
        return simulate(consortium, seed, steps)


@pytest.mark.parametrize("kind", sorted(LEDGER_KINDS))
@pytest.mark.parametrize("seed", SEEDS)
def test_the_ledger_does_what_the_auditor_says(tmp_path: Path, kind: str, seed: int) -> None:
    transcript = play(tmp_path, kind, seed, steps=400)

    outcomes = Counter(line.split(" -> ")[1].split()[0] for line in transcript.lines)
    assert transcript.refused > 100, "the script tries too little that is forbidden"
    assert outcomes["usage.submit"] > 30, "the script charges too little"
    assert sum(name[0].isupper() for name in outcomes) > 10, "too few kinds of refusals"


def test_the_same_script_leaves_the_same_on_every_ledger(tmp_path: Path) -> None:
    kinds = [*sorted(LEDGER_KINDS), "embedded"]
    transcripts = [play(tmp_path / str(number), kind, seed=99, steps=120) for number, kind in enumerate(kinds)]
    assert transcripts[1:] == transcripts[:1] * (len(kinds) - 1)


def test_another_seed_is_another_script(tmp_path: Path) -> None:
    one, other = (play(tmp_path / str(seed), "embedded", seed, steps=20) for seed in (1, 2))
    assert one.digest != other.digest
