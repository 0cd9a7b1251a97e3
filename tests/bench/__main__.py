"""`make bench`: prints the figures, and writes them to build/bench.json.

python -m tests.bench                     everything, about a minute
python -m tests.bench --quick audit       a fifth of the work, only rows that begin with "audit"
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.rows import ACCOUNTS, BATCHES, WIDE, Bench
from tests.bench.small import IN_FLIGHT
from tests.bench.wide import READINGS

RESULT = Path("build/bench.json")
WIDTH_UNWATCHED = 120
CORES, LARGEST = os.cpu_count(), max(BATCHES)
NOTE = f"""\
Embedded ledger of four members, durable, clients and ledger on {CORES} cores. Every signature is
checked; endorsements that this very process has just made are recognised by their bytes.
readings_per_s  confidential batches, signed by their meters before the clock runs; {ACCOUNTS} accounts at once; both
                parties endorse; monthly tiers, peak hours and high load. Baseline: one reading per transaction.
wide_readings_per_s  {WIDE.meters:,} meters of one confidential agreement, {READINGS} readings each, in one transaction,
                one transaction after the other. Baseline: one batch per transaction on the same ledger.
small_tx_per_s  meter.locate, three of four members endorse, {IN_FLIGHT} in flight. Baseline: one in flight.
transfers_per_s token.transfer in two pairs of members; more at once would conflict in the balances.
audit           offline from an archive, on one core, {LARGEST:,} readings per batch. Baseline: one reading per batch.
demo.rss_mb     peak of the demo's process. Baseline: the program itself."""


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 even where a target is missed: a figure is no test."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="How fast Zunft is on this machine.")
    parser.add_argument("rows", nargs="*", help="only rows whose names begin like this")
    parser.add_argument("--quick", action="store_true", help="a fifth of the work")
    parser.add_argument("--list", action="store_true", help="only the names of the rows")
    options = parser.parse_args(arguments)
    bench, console = Bench(quick=options.quick), Console(width=None if sys.stdout.isatty() else WIDTH_UNWATCHED)
    if options.list:
        console.print("\n".join(bench.rows()))
        return 0
    figures = []
    for figure in bench.figures(options.rows):
        figures.append(figure)
        outcome = figure.remark or f"{_number(figure.value)} {figure.unit}"
        console.print(f"{figure.name}: {outcome}", highlight=False)
    _write(figures)
    console.print(_table(figures))
    console.print(NOTE, highlight=False)
    return 0


def _write(figures: Sequence[Figure]) -> None:
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([figure.to_dict() for figure in figures], indent=2) + "\n")


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(title=f"Bench, also in {RESULT}", title_justify="left")
    table.add_column("figure", no_wrap=True)
    for name in ("value", "unit", "baseline", "ratio", "target"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    for figure in figures:
        table.add_row(*_cells(figure))
    return table


def _cells(figure: Figure) -> tuple[str, ...]:
    verdicts = {None: "", True: "[green]", False: "[red]"}
    target = f"{verdicts[figure.meets_target]}{_number(figure.target)}" if figure.target else ""
    baseline, ratio = _number(figure.baseline), _number(figure.ratio)
    return figure.name, _number(figure.value), figure.unit, baseline, ratio, target


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
