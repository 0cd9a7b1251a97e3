"""Shows a bill as a table with the sum of each period and the total."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from rich.console import RenderableType
from rich.markup import escape

from chaincode.errors import NotFound
from cli.shared.output import console, say
from cli.shared.session import Session
from cli.shared.table import Row, table
from node.tariff.bill import Bill, BillLine, bill_under
from node.tariff.text import decimal
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line

_SUBTOTAL, _TOTAL = "subtotal", "total"
# The column that a narrow terminal leaves out first: the unit price shows the tier, too.
_MINOR = ("tier",)


def show_bill(bill: Bill, title: str, empty: str = "nothing yet") -> None:
    """Prints the bill's lines, or `empty` where there are none."""
    if bill.lines:
        console.print(bill_table(bill, f"{title}, in {bill.currency}"))
    else:
        say(f"[dim]{escape(empty)}[/dim]", markup=True)


def bill_table(bill: Bill, title: str) -> RenderableType:
    """The bill as a table with the sum of each period and the total."""
    rows = [*_rows(bill)]
    sums = [index for index, row in enumerate(rows) if row["component"] in (_SUBTOTAL, _TOTAL) and not row["tier"]]
    return table(rows, console.width, title=title, minor=_MINOR, bold=sums)


async def read_bill(
    session: Session, agreement_id: str, version: int, lines: Iterable[Line], correction_lines: Iterable[Line]
) -> Bill:
    """The bill of an agreement's lines under the terms, up to `version`, that the acting party has archived."""
    return bill_under(await read_terms(session, agreement_id, version), lines, correction_lines)


async def read_terms(session: Session, agreement_id: str, version: int) -> list[Terms]:
    """All versions of the terms from this one back to the first, since a line may come from any of them."""
    account = await session.account("agreement.read_terms", agreement_id)
    found = []
    for number in range(version, 0, -1):
        # Lines under terms that are no longer archived are shown as far as they can be explained.
        with suppress(NotFound):
            found.append(Terms.FromString(await account.read_terms(number)))
    return found


def _rows(bill: Bill) -> Iterator[Row]:
    closing, subtotals = bill.closing, bill.subtotals
    for index, line in enumerate(bill.lines):
        yield _row(line)
        if period := closing.get(index):
            yield _sum(_SUBTOTAL, subtotals[period], period)
    yield _sum(_TOTAL, bill.total_micro)


def _row(line: BillLine) -> Row:
    return {
        "period": line.period,
        "meter": line.meter,
        "component": f"{line.component} (correction)" if line.is_correction else line.component,
        "tier": line.tier or "",
        "quantity": "" if line.quantity_micro is None else f"{decimal(line.quantity_micro)} {line.unit}".rstrip(),
        "unit_price": "" if line.unit_price_micro is None else decimal(line.unit_price_micro, 2),
        "amount": decimal(line.amount_micro, 2),
    }


def _sum(name: str, amount_micro: int, period: str = "") -> Row:
    empty = dict.fromkeys(("meter", "component", "tier", "quantity", "unit_price"), "")
    return {"period": period, **empty, "component": name, "amount": decimal(amount_micro, 2)}
