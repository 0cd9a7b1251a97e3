"""`python -m tests.fuzz --transactions 1000000 --seed 7`: a node's follower and an audit read a million of nonsense."""

from __future__ import annotations

import argparse
import logging
import secrets
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog

from tests.fuzz.reading import rounds
from tests.fuzz.story import record_story


def main() -> None:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options = parser.parse_args()
    # Every alarm is a line of the log.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    begun, changed = time.monotonic(), Counter[str]()
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for one in rounds(record_story(Path(folder) / "consortium"), options.seed, options.transactions):
            changed += one
            passed_s = time.monotonic() - begun
            print(f"{changed.total():,} transactions read, {changed.total() / passed_s:,.0f} a second", flush=True)  # noqa: T201
    print(", ".join(f"{layer}: {count:,}" for layer, count in sorted(changed.items())))  # noqa: T201


if __name__ == "__main__":
    main()
