"""How commands show a bill: a table with the sum of each period and the total."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from rich import box
from rich.markup import escape
from rich.table import Table

from chaincode.errors import NotFound
from cli.output import console, harmless, say
from cli.session import Session
from node.tariff.bill import Bill, BillLine, bill_under
from node.tariff.text import decimal
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line

_NUMBERS = ("tier", "quantity", "unit price", "amount")
_COLUMNS = ("period", "meter", "component", *_NUMBERS)
_SUBTOTAL, _TOTAL = "subtotal", "total"
# Of a name that is folded.
_LEAST_NAME = 9


def show_bill(bill: Bill, title: str, empty: str = "nothing yet") -> None:
    """The lines, or `empty` where there are none."""
    if bill.lines:
        table = bill_table(bill, f"{title}, in {bill.currency}")
        # What a terminal is too narrow for runs over its edge; a number is never cut off.
        width = max(console.width, console.measure(table).minimum)
        console.print(table, width=width, crop=False, overflow="ignore")
    else:
        say(f"[dim]{escape(empty)}[/dim]", markup=True)


def bill_table(bill: Bill, title: str) -> Table:
    """Numbers are never folded; on a narrow terminal the names of meters, components and units are."""
    rows = [*_rows(bill)]
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, cells in zip(_COLUMNS, zip(*rows, strict=True), strict=True):
        least = max(_unbroken(name, cell) for cell in (name, *cells))
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold", min_width=least)
    for row in rows:
        is_sum = row[2] in (_SUBTOTAL, _TOTAL) and not row[3]
        table.add_row(*(escape(cell) for cell in row), style="bold" if is_sum else None)
    return table


async def read_bill(
    session: Session, agreement_id: str, version: int, lines: Iterable[Line], correction_lines: Iterable[Line]
) -> Bill:
    """An agreement's lines, as the acting party reads them under its terms up to `version`."""
    return bill_under(await read_terms(session, agreement_id, version), lines, correction_lines)


async def read_terms(session: Session, agreement_id: str, version: int) -> list[Terms]:
    """All versions of the terms, from this one back to the first: a line may stem from any of them."""
    account = await session.account("agreement.read_terms", agreement_id)
    found = []
    for number in range(version, 0, -1):
        # Lines of terms that are no longer there are shown as far as they can be read.
        with suppress(NotFound):
            found.append(Terms.FromString(await account.read_terms(number)))
    return found


def _rows(bill: Bill) -> Iterator[tuple[str, ...]]:
    closing, subtotals = bill.closing, bill.subtotals
    for index, line in enumerate(bill.lines):
        yield tuple(map(harmless, _cells(line)))
        if period := closing.get(index):
            yield period, "", _SUBTOTAL, "", "", "", decimal(subtotals[period], 2)
    yield "", "", _TOTAL, "", "", "", decimal(bill.total_micro, 2)


def _unbroken(column: str, cell: str) -> int:
    """So wide the column is at least: a quantity's unit may stand below it, and names may be folded."""
    if column in ("meter", "component"):
        return min(len(cell), _LEAST_NAME)
    return len(cell.partition(" ")[0]) if column == "quantity" else len(cell)


def _cells(line: BillLine) -> tuple[str, ...]:
    component = f"{line.component} (correction)" if line.is_correction else line.component
    quantity = "" if line.quantity_micro is None else f"{decimal(line.quantity_micro)} {line.unit}".rstrip()
    price = "" if line.unit_price_micro is None else decimal(line.unit_price_micro, 2)
    return line.period, line.meter, component, str(line.tier or ""), quantity, price, decimal(line.amount_micro, 2)
