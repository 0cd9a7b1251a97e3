"""A bill as a table, and its totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.tariff.text import decimal, line_period
from zunft.v1.tariff_pb2 import Line, Tariff


def bill_rows(tariff: Tariff, lines: Iterable[Line]) -> list[dict[str, str]]:
    """A row per line, in the order of time, all values exact decimals."""
    rows = [(line_period(tariff, line.component, line.period_index), line) for line in lines]
    return [_row(period, line) for period, line in sorted(rows, key=lambda row: row[0])]


def totals(tariff: Tariff, lines: Sequence[Line]) -> dict[str, int]:
    """Micro-tokens by component and adjustment, in the tariff's order, and their sum as `total`."""
    names = [*(item.name for item in tariff.components), *(item.name for item in tariff.adjustments)]
    sums = {name: sum(line.amount_micro for line in lines if line.component == name) for name in names}
    return {name: amount for name, amount in sums.items() if amount} | {
        "total": sum(line.amount_micro for line in lines)
    }


def _row(period: str, line: Line) -> dict[str, str]:
    priced = bool(line.quantity_micro or line.unit_price_micro)
    return {
        "period": period,
        "meter": line.meter_id,
        "component": line.component,
        "tier": str(line.tier + 1),
        "quantity": decimal(line.quantity_micro) if priced else "",
        "unit_price": decimal(line.unit_price_micro, 2) if priced else "",
        "amount": decimal(line.amount_micro, 6),
    }
