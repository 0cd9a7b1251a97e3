"""One script on a new consortium: compares each step with the auditor, and writes a transcript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.harness import Consortium
from tests.simulation.auditor import Auditor, Rules, rules_of
from tests.simulation.hostile import Hostile
from tests.simulation.hostile_auditor import HostileAuditor
from tests.simulation.hostile_end import end_script
from tests.simulation.hostile_player import HostilePlayer
from tests.simulation.hostile_script import HostileScript
from tests.simulation.hostile_witness import bear_witness
from tests.simulation.player import Player
from tests.simulation.script import FOUNDERS, MEMBERS, Script
from tests.simulation.step import NOT_ENDORSED, Outcome, Step
from zunft.v1.charter_pb2 import EntryConditions, ExitConditions, Threshold, VotingRules

# A function that gets the number of each step that was done.
Report = Callable[[int], None]


@dataclass(frozen=True)
class Transcript:
    """The effects of a script as lines of text, which are the same on every ledger.

    `steps` have the outcome of each step, a refusal with its sentence; `events` are the channel's, in its order;
    `records` are all values of the end state, the public ones, then each member's private ones.
    """

    steps: tuple[str, ...]
    events: tuple[str, ...]
    records: tuple[str, ...]
    refused: int

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.steps, *self.events, *self.records)


@dataclass
class Run:
    """A script that is under way."""

    seed: int
    auditor: Auditor
    player: Player
    lines: list[str] = field(default_factory=list)
    refused: int = 0

    def do(self, step: Step) -> Outcome:
        expected, actual = self.auditor.apply(step), self.player.play(step)
        where = f"seed {self.seed}, step {len(self.lines) + 1}: {step}"
        assert expected.covers(actual), f"{where}: expected {expected}, got {actual} {actual.said}"
        self.auditor.learn(step, actual, self.player.known)
        assert self.player.differences(self.auditor) == [], where
        words = expected.refusal if expected.refusal == NOT_ENDORSED else self.player.describe(step, actual)
        self.lines.append(f"{len(self.lines) + 1:05d} {step} -> {words}")
        self.refused += bool(actual.refusal)
        return actual


def simulate(
    consortium: Consortium,
    seed: int,
    steps: int,
    report: Report = lambda _step: None,
    hostile: Hostile | None = None,
) -> Transcript:
    """Founds the consortium and plays `steps` steps. Raises AssertionError at the first that differs from the model.

    Where a member is hostile, its partners then close their accounts without it.
    """
    if hostile:
        consortium.clock.now_us = hostile.begin_us
    rules, founders = rules_of(seed), MEMBERS if hostile else FOUNDERS
    consortium.found(founders, **charter_of(rules))
    kind = HostileAuditor if hostile else Auditor
    auditor = kind(MEMBERS, founders, rules, consortium.clock.now_s)
    player = HostilePlayer(consortium) if hostile else Player(consortium)
    script = HostileScript(seed, auditor, hostile) if isinstance(auditor, HostileAuditor) else Script(seed, auditor)
    run = Run(seed, auditor, player)
    for number in range(1, steps + 1):
        run.do(script.next())
        report(number)
    if hostile and isinstance(auditor, HostileAuditor):
        end_script(run.do, auditor, hostile)
    transcript = Transcript(tuple(run.lines), tuple(player.events()), tuple(player.records()), run.refused)
    if hostile and isinstance(player, HostilePlayer):
        bear_witness(player, hostile)
    return transcript


def charter_of(rules: Rules) -> dict[str, Any]:
    """The charter's fields with these rules."""
    shares = {"exclusion": rules.exclusion, "suspension": rules.suspension}
    thresholds = {name: Threshold(numerator=one[0], denominator=one[1]) for name, one in shares.items() if one}
    return {
        "entry": EntryConditions(deposit_micro=rules.deposit),
        "exit": ExitConditions(notice_period_s=rules.notice_s),
        "voting": VotingRules(ballot_period_s=rules.ballot_s, **thresholds),
    }
