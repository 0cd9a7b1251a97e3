"""`make bench`: prints the figures, and writes them to build/bench.json.

python -m tests.bench                         measures on the embedded ledger, about a minute
python -m tests.bench --quick audit           does a fifth of the work, for rows that begin with "audit"
python -m tests.bench --ledger fabric         measures on real networks of three to eight members, some minutes
python -m tests.bench --against COMMIT        measures this tree and another commit alternately, by CPU time
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.against import ROWS, measure_against
from tests.bench.fabric.charging import ACCOUNTS as FABRIC_ACCOUNTS
from tests.bench.fabric.charging import TOGETHER
from tests.bench.fabric.growth import LARGEST as GROWN
from tests.bench.fabric.members import READINGS as BLOCK_READINGS
from tests.bench.fabric.rows import FabricBench
from tests.bench.fabric.wide import AGREEMENTS, METERS, ROUNDS_TOGETHER
from tests.bench.figure import Figure, Measure
from tests.bench.rows import ACCOUNTS, BATCHES, WIDE, EmbeddedBench
from tests.bench.small import IN_FLIGHT
from tests.bench.wide import READINGS

RESULT = Path("build/bench.json")
WIDTH_UNWATCHED = 120
CORES, LARGEST, MANY = os.cpu_count(), max(BATCHES), METERS // AGREEMENTS * ROUNDS_TOGETHER
EMBEDDED_NOTE = f"""\
Embedded ledger of four members, durable, clients and ledger on {CORES} cores. Every signature is
checked. The ledger recognises endorsements of its own process by their bytes.
readings_per_s  confidential batches, signed by their meters before the clock runs; {ACCOUNTS} accounts at once; both
                parties endorse; monthly tiers, peak hours and high load. Baseline: one reading per transaction.
wide_readings_per_s  {WIDE.meters:,} meters of one confidential agreement, {READINGS} readings each in a transaction,
                one transaction after the other. Baseline: one batch per transaction on the same ledger.
small_tx_per_s  meter.locate, three of four members endorse, {IN_FLIGHT} in flight. Baseline: one in flight.
transfers_per_s token.transfer in two pairs of members. More at the same time would conflict in the balances.
audit           offline from an archive, on one core, {LARGEST:,} readings per batch. Baseline: one reading per batch.
demo.rss_mb     peak memory of the demo's process. Baseline: `zunft --help`."""
FABRIC_NOTE = f"""\
Fabric: peers, raft orderers and chaincodes of three members, one process each, and the client, all on {CORES} cores,
of which a peer or an orderer may use those of one member (GOMAXPROCS).
one_per_tx      {FABRIC_ACCOUNTS} accounts at once, a reading in each transaction; both parties endorse.
readings_per_s  the same accounts on the same network, 1,000 to 50,000 readings in each batch, {TOGETHER} batches in a
                transaction, as they wait while the one before is under way. "alone": one batch in each.
wide_readings_per_s  {METERS:,} meters of {AGREEMENTS} agreements, {READINGS} readings in a batch, {MANY} batches in a
                transaction, a transaction of each agreement at once. Baseline: one batch per transaction.
latency         time from a reading to its committed debit, on the same network. Readings come one by one and at
                random, half as many per second as one_per_tx.
rss_mb          memory of the largest process of its kind after readings_per_s. The client has signed all batches.
endorsers       members that endorse usage.submit in a network of 3, 5, 8. Baseline: endorsers of account.fund.
ledger_bytes_per_tx  size of usage.submit in the block, {BLOCK_READINGS:,} readings each.
bft_failover_s  longest time without a commit when the leader of four orderers is killed. Baseline: raft, with three.
join_s, leave_s three founders (BFT: four, the least) grow to {GROWN} members and shrink back, without telephone
                calls. join_s is the n-th member's time from `zunft join request` until it is active, and leave_s the
                time from `zunft leave start` until the leaver's processes have ended, with n members before. The 4th,
                6th and 8th member run an orderer. Baseline of BFT: raft.
*_pause_s       longest time without a commit of a founder's machine, which is charged meanwhile, ten readings a
                second. Baseline: the same before the first member joins.
stream_failures the machine's transactions that failed meanwhile."""

NOTES = {EmbeddedBench: EMBEDDED_NOTE, FabricBench: FABRIC_NOTE}
LEDGERS = ("embedded", "fabric")


def main(arguments: Sequence[str]) -> int:
    """Measures and prints. Returns exit code 0 even if a target is missed, since a figure is no test."""
    options = _parse(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_UNWATCHED, highlight=False)
    benches = _benches(options, console)
    if options.list:
        console.print("\n".join(name for bench in benches for name in bench.rows()))
        return 0
    if options.against:
        return _compare(options, console)
    figures = []
    for name, measure in _selected(benches, options.rows, console):
        figures.append(figure := measure())
        console.print(f"{name}: {figure.remark or f'{_number(figure.value)} {figure.unit}'}")
    _write(figures)
    console.print(_table(figures))
    for bench in benches:
        console.print(NOTES[type(bench)])
    return 0


def _compare(options: argparse.Namespace, console: Console) -> int:
    names = options.rows or ROWS
    console.print(f"{', '.join(names)}: this tree by {options.against}")
    figures = measure_against(options.against, names, console.print)
    _write(figures)
    console.print(_table(figures))
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measures Zunft's speed on this machine."
    )
    parser.add_argument("rows", nargs="*", help="measure only rows whose names begin like this")
    parser.add_argument("--ledger", choices=(*LEDGERS, "all"), default=LEDGERS[0], help="embedded if not given")
    parser.add_argument("--quick", action="store_true", help="do a part of the work")
    parser.add_argument("--profile", action="store_true", help="report the CPU time of a transaction on Fabric")
    parser.add_argument("--against", metavar="COMMIT", help="compare with another commit, on the embedded ledger")
    parser.add_argument("--list", action="store_true", help="print only the names of the rows")
    return parser.parse_args(arguments)


def _benches(options: argparse.Namespace, console: Console) -> list[EmbeddedBench | FabricBench]:
    benches: dict[str, EmbeddedBench | FabricBench] = {
        "embedded": EmbeddedBench(quick=options.quick),
        "fabric": FabricBench(options.quick, options.profile, lambda step: console.print(f"  {step}", style="dim")),
    }
    return list(benches.values()) if options.ledger == "all" else [benches[options.ledger]]


def _selected(
    benches: Sequence[EmbeddedBench | FabricBench], wanted: Sequence[str], console: Console
) -> Iterator[tuple[str, Measure]]:
    """The rows whose names begin with one of the wanted ones, or all rows if none are wanted."""
    for bench in benches:
        if bench.missing:
            console.print(f"Left out on Fabric: {bench.missing}.")
            continue
        for name, measure in bench.rows().items():
            if not wanted or name.startswith(tuple(wanted)):
                yield name, measure


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
    target = f"{verdicts[figure.meets_target]}{_number(figure.target)}" if figure.target is not None else ""
    baseline, ratio = _number(figure.baseline), _number(figure.ratio)
    return figure.name, _number(figure.value), figure.unit, baseline, ratio, target


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    # A SIGTERM ends the bench like Ctrl-C, so that it stops the networks that it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
