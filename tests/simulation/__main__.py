"""`python -m tests.simulation --seed 7 --steps 500`: one random script on a fresh ledger, against the auditor.

In one script of five a member is hostile. Where the ledger is not the embedded one, its end state is then compared with
that of the same script on the embedded ledger.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path

import structlog

from tests.harness import (
    LEDGER_KINDS,
    start_consortium,
)
from tests.simulation.hostile import EVERYWHERE, ON_FABRIC, Hostile, hostile_of
from tests.simulation.run import Transcript, simulate

REPORT_EVERY = 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--scripts", type=int, default=1, help="so many, with one seed after the other")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--ledger", choices=sorted(LEDGER_KINDS), default="embedded")
    parser.add_argument("--transcript", type=Path, help="file for a line per step, event and record of the end state")
    options = parser.parse_args()
    if lack := LEDGER_KINDS[options.ledger].missing():
        sys.exit(f"{options.ledger} {lack}")
    # Every alarm is a line of the log.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.ERROR)
    for seed in range(options.seed, options.seed + options.scripts):
        run(seed, options)


def run(seed: int, options: argparse.Namespace) -> None:
    """Plays one script, and once more on an embedded ledger if it was on another kind."""
    tempers = ON_FABRIC if LEDGER_KINDS[options.ledger].fabric else EVERYWHERE
    hostile = hostile_of(seed, options.steps, tempers)
    transcript = play(options.ledger, seed, options.steps, hostile)
    if options.transcript:
        options.transcript.write_text("\n".join((*transcript.lines, "")))
    if options.ledger != "embedded":
        compare(transcript, play("embedded", seed, options.steps, hostile))
        print_line("both ledgers did and left the same")


def play(ledger: str, seed: int, steps: int, hostile: Hostile | None) -> Transcript:
    def report(step: int) -> None:
        if step % REPORT_EVERY == 0 and step < steps:
            print_line(f"{step} steps")

    print_line(f"seed {seed}: {steps} steps on the {ledger} ledger")
    if hostile:
        print_line(f"{hostile.member} is hostile from step {hostile.from_step} on, {hostile.accomplice} its accomplice")
    with tempfile.TemporaryDirectory() as folder, start_consortium(Path(folder) / "home", ledger) as consortium:
        transcript = simulate(consortium, seed, steps, report, hostile)
    print_line(f"{len(transcript.events)} transactions, {transcript.refused} refusals, all as the auditor said")
    return transcript


def compare(one: Transcript, other: Transcript) -> None:
    for line, counterpart in zip_longest(one.lines, other.lines, fillvalue="(nothing)"):
        if line != counterpart:
            sys.exit(f"the ledgers differ:\n{line}\n{counterpart}")


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
