"""`python -m tests.simulation --seed 7 --steps 500`: one random script on a fresh ledger, against the auditor."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.consortium import LEDGER_KINDS, start_consortium
from tests.simulation.player import simulate


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--ledger", choices=sorted(LEDGER_KINDS), default="embedded")
    parser.add_argument("--transcript", type=Path, help="file for a line per step and the end state's digest")
    options = parser.parse_args()
    say(f"seed {options.seed}: {options.steps} steps on the {options.ledger} ledger")
    with tempfile.TemporaryDirectory() as folder, start_consortium(Path(folder) / "home", options.ledger) as consortium:
        transcript = simulate(consortium, options.seed, options.steps)
    if options.transcript:
        options.transcript.write_text("\n".join((*transcript.lines, f"state {transcript.state_digest}", "")))
    say(f"{transcript.committed} transactions, {transcript.refused} refusals, all as the auditor said")
    say(f"state {transcript.state_digest}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
