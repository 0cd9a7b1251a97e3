"""Seeded random scripts against the auditor; the same script has the same effects on every ledger.

A failure names seed and step: `make simulate SEED=…` plays the script again, with `STEPS=` more steps, with `LEDGER=`
on another ledger.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.harness import (
    on_ledgers,
    start_consortium,
)
from tests.simulation.hostile import ON_FABRIC, Hostile, hostile_of
from tests.simulation.hostile_auditor import ATTACKS
from tests.simulation.run import Transcript, simulate
from tests.simulation.step import NOT_ENDORSED

SEEDS = (20260302, 22)
COMINGS_AND_GOINGS = {"member.apply", "member.activate", "member.suspend", "member.leave", "member.exclude"}
# How much of the script each ledger plays; the embedded one plays it a second time.
STEPS = {"embedded": 100, "fabric": 1000, "fabric-bft": 100, "fabric-docker": 100}


HOSTILE_SEEDS = (5, 40)
HOSTILE_STEPS = {"fabric": 150}


def play(folder: Path, kind: str, seed: int, steps: int, hostile: Hostile | None = None) -> Transcript:
    with start_consortium(folder, kind) as consortium:
        return simulate(consortium, seed, steps, hostile=hostile)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ledger_does_as_the_auditor_predicts(tmp_path: Path, seed: int) -> None:
    transcript = play(tmp_path, "embedded", seed, steps=400)

    outcomes = Counter(step.split(" -> ")[1].split()[0].rstrip(":") for step in transcript.steps)
    assert transcript.refused > 100, "the script tries too little that is forbidden"
    assert outcomes["usage.submit"] > 30, "the script charges too little"
    assert sum(name[0].isupper() for name in outcomes) > 10, "too few kinds of refusals"
    assert outcomes["ballot.vote"] > 10, "the members vote too little"
    assert outcomes.keys() >= COMINGS_AND_GOINGS, COMINGS_AND_GOINGS - outcomes.keys()


@pytest.mark.parametrize("kind", on_ledgers(*STEPS))
def test_the_same_script_has_the_same_effects_on_every_ledger(tmp_path: Path, kind: str) -> None:
    """Equal are each step's outcome, a refusal's sentence, the events, the channel's state and each member's."""
    there = play(tmp_path / "there", kind, seed=99, steps=STEPS[kind])
    here = play(tmp_path / "here", "embedded", seed=99, steps=STEPS[kind])
    assert there.steps == here.steps
    assert there.events == here.events
    assert there.records == here.records


@pytest.mark.parametrize("seed", HOSTILE_SEEDS)
def test_a_hostile_member_hurts_nobody(tmp_path: Path, seed: int) -> None:
    """It hurts nobody with an accomplice either: the two can only spoil an account of their own."""
    transcript = play(tmp_path, "embedded", seed, 250, hostile_of(seed, 250))

    steps = [line.split(" -> ") for line in transcript.steps]
    assert sum(outcome == NOT_ENDORSED for _, outcome in steps) > 3, "it withholds too little"
    tried = {how for how in ATTACKS if any(f" attack how={how} " in step for step, _ in steps)}
    assert len(tried) > len(ATTACKS) // 2, "it tries too little"
    assert any(" spoil " in step for step, _ in steps)


@pytest.mark.parametrize("kind", on_ledgers(*HOSTILE_STEPS))
def test_a_hostile_member_s_script_has_the_same_effects_on_every_ledger(tmp_path: Path, kind: str) -> None:
    """It does so also where each member's peer has a chaincode of its own."""
    steps, hostile = HOSTILE_STEPS[kind], Hostile("forge", "maker", from_step=25, tempers=ON_FABRIC)
    there = play(tmp_path / "there", kind, 25, steps, hostile)
    here = play(tmp_path / "here", "embedded", 25, steps, hostile)
    assert there.steps == here.steps
    assert there.events == here.events
    assert there.records == here.records


def test_one_script_of_five_has_a_hostile_member() -> None:
    assert sum(hostile_of(seed, 100) is not None for seed in range(100)) == 20


def test_another_seed_is_another_script(tmp_path: Path) -> None:
    one, other = (play(tmp_path / str(seed), "embedded", seed, steps=20) for seed in (1, 2))
    assert one.steps != other.steps
    assert one.records != other.records
