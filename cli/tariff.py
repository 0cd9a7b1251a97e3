"""`zunft tariff`: checks, explains, simulates and draws tariff files. It needs no consortium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from chaincode.errors import ContractError
from chaincode.rating import Cumulative
from cli.bill import show_bill
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.options import Json
from cli.shared.output import console, print_json, say, show_rows
from consortium.exact import scaled
from consortium.yaml_tree import WrongFile
from node.meter.csv_readings import read_csv, read_mapping
from node.tariff.bill import make_bill
from node.tariff.chart import draw_chart
from node.tariff.explain import explain
from node.tariff.file import read_tariff
from node.tariff.simulate import simulate
from node.tariff.text import decimal
from node.tariff.work_item_cost import cost_by_work_item

app = new_group("tariff")

TariffFile = Annotated[Path, typer.Argument(metavar="TARIFF", help="Tariff file (YAML), see examples/tariffs.")]
CsvFile = Annotated[Path, typer.Argument(metavar="CSV", help="Readings, one per row.")]
MappingFile = Annotated[
    Path, typer.Option("--mapping", help="The meaning of the columns (YAML), see examples/mappings.")
]


class WrongInput(BadArgument):
    """A tariff, mapping or CSV file cannot be used."""


@app.command()
def check(tariff_file: TariffFile) -> None:
    """Check that a tariff file can be used."""
    with _wrong_input():
        tariff = read_tariff(tariff_file)
    parts = f"{len(tariff.components)} components, {len(tariff.adjustments)} adjustments"
    say(f"{tariff_file} is sound: {tariff.name!r}, {parts}, in {tariff.currency} per {tariff.unit}.")


@app.command("explain")
def explain_(tariff_file: TariffFile, as_json: Json = False) -> None:
    """Explain a tariff's prices in words."""
    with _wrong_input():
        sentences = explain(read_tariff(tariff_file))
    if as_json:
        print_json(sentences)
        return
    console.print(sentences[0], highlight=False, markup=False)
    for sentence in sentences[1:]:
        console.print(f"- {sentence}", highlight=False, markup=False)


@app.command("simulate")
def simulate_(
    tariff_file: TariffFile,
    csv_file: CsvFile,
    mapping_file: MappingFile,
    by_work_item: Annotated[
        bool, typer.Option("--work-items", help="Show the cost of each work item instead of the bill.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the bill for the readings in a CSV file."""
    with _wrong_input():
        tariff = read_tariff(tariff_file)
        columns = read_csv(csv_file, read_mapping(mapping_file)).columns
        if by_work_item:
            amounts = cost_by_work_item(tariff, csv_file.stem, Cumulative(), columns).amounts_micro
            rows = [{"work_item": item, "amount": decimal(amount, 6)} for item, amount in amounts.items()]
            show_rows(rows, as_json=as_json, title=f"{tariff.name}: {tariff.currency} by work item")
            return
        lines = simulate(tariff, columns, csv_file.stem)
    bill = make_bill([tariff], lines)
    if as_json:
        print_json({"tariff": tariff.name, "readings": len(columns), **bill.to_dict()})
        return
    show_bill(bill, f"{tariff.name}: {len(columns):,} readings", empty=f"{len(columns):,} readings cost nothing.")


@app.command()
def chart(
    tariff_file: TariffFile,
    out: Annotated[
        Path, typer.Option("--out", help="The picture's file; its suffix, .png or .svg, chooses the format.")
    ],
    up_to: Annotated[str, typer.Option("--up-to", help="Draw up to this many units.", show_default="fitting")] = "",
) -> None:
    """Draw a tariff's prices over the quantity."""
    with _wrong_input():
        draw_chart(read_tariff(tariff_file), out, _units_micro(up_to) if up_to else None)
    say(f"Drawn to {out}.")


def _units_micro(text: str) -> int:
    try:
        units_micro = scaled(text, 6)
    except ValueError as error:
        raise WrongInput(f"--up-to {text!r} is no number of units: write it like 5000") from error
    if not 0 < units_micro < 2**63:
        raise WrongInput(f"--up-to {text} must be above 0, and less than 9,223,372,036,854: write another number")
    return units_micro


@contextmanager
def _wrong_input() -> Iterator[None]:
    """A context that turns errors of files, and of rating their readings, into WrongInput."""
    try:
        yield
    except (WrongFile, ContractError) as error:
        raise WrongInput(str(error)) from error
