"""Tables that fit the terminal: a narrow one shortens ids and folds words, but breaks no number.

A table that is still too wide loses its least important columns. If that is not enough, it becomes a list of each row's
fields.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from ledger.printable import printable

Row = Mapping[str, Any]

GAP = 2
# The least widths of a column of folded words and of one of ids: before a column is left out, and after all are.
_FLOORS = ((40, 40), (24, 12), (16, 10))
_LAST_FLOORS = (12, 8)
_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+")


def harmless(text: str) -> str:
    """The text with every character that could be a command to a terminal written out; its lines stay lines."""
    return "\n".join(line if line.isprintable() else printable(line, 10 * len(line)) for line in text.split("\n"))


def table(
    rows: Sequence[Row], width: int, *, title: str = "", minor: Sequence[str] = (), bold: Collection[int] = ()
) -> RenderableType:
    """A table with the keys as columns. `minor` are columns that may go, in this order; `bold` are indices of rows."""
    columns = [_column(name, tuple(_text(row[name]) for row in rows)) for name in rows[0]]
    for left, floors in _attempts(columns, minor):
        widths = _fit(left, floors, width)
        if widths is not None:
            return _drawn(columns, dict(zip([one.name for one in left], widths, strict=True)), title, bold)
    return _listed(columns, title)


def fields(record: Row, title: str = "") -> Table:
    """One record, a line for each field. Values are folded and never cut: users compare digests to the last digit."""
    shown = Table(title=Text(title) if title else None, title_justify="left", show_header=False, box=None)
    shown.add_column()
    shown.add_column(overflow="fold")
    for name, value in record.items():
        shown.add_row(Text(_words(name), style="dim"), _text(value))
    return shown


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's cells and widths."""

    name: str
    cells: tuple[Text, ...]
    natural: int
    # The width of its longest number, or of the longest word in its heading.
    unbroken: int
    is_number: bool
    # Whether its cells have words to fold; otherwise they are ids, which are shortened.
    is_folded: bool
    # Whether its cells are numbers, perhaps with a unit.
    is_measured: bool

    @property
    def is_empty(self) -> bool:
        return not any(self.cells)

    def least(self, folded: int, shortened: int) -> int:
        """The column's least width, if columns of words and of ids may be as narrow as this."""
        floor = 0 if self.is_number else folded if self.is_folded else shortened
        return max(min(self.natural, floor), self.unbroken)

    def shown(self, index: int, width: int) -> Text:
        cell = self.cells[index].copy()
        if not self.is_folded:
            cell.truncate(width, overflow="ellipsis")
        return cell


def _column(name: str, cells: tuple[Text, ...]) -> _Column:
    plain = [cell.plain for cell in cells if cell]
    numbers = {word for cell in plain for word in cell.split() if _NUMBER.fullmatch(word)}
    return _Column(
        name,
        cells,
        natural=max(map(cell_len, [_words(name), *(line for cell in plain for line in cell.split("\n"))])),
        unbroken=max(map(cell_len, [*_words(name).split(), *numbers]), default=0),
        is_number=all(cell in numbers for cell in plain),
        is_folded=any(" " in cell for cell in plain),
        is_measured=all(len(cell.split()) <= 2 and cell.split()[0] in numbers for cell in plain if cell.strip()),
    )


def _attempts(columns: Sequence[_Column], minor: Sequence[str]) -> Iterator[tuple[list[_Column], tuple[int, int]]]:
    """Columns and floors to try: all columns, then without the empty ones, then without more and more minor ones."""
    filled = [one for one in columns if not one.is_empty]
    fewer = [[one for one in filled if one.name not in minor[:gone]] for gone in range(len(minor) + 1)]
    for left in (list(columns), *fewer):
        yield from ((left, floors) for floors in _FLOORS)
    yield fewer[-1], _LAST_FLOORS


def _fit(columns: Sequence[_Column], floors: tuple[int, int], width: int) -> list[int] | None:
    """The columns' widths; None if even the least ones are too wide. The narrowest columns get the rest of `width`."""
    widths = [one.least(*floors) for one in columns]
    spare = width - GAP * (len(columns) - 1) - sum(widths)
    if spare < 0:
        return None
    for _ in range(min(spare, sum(one.natural for one in columns) - sum(widths))):
        needy = [index for index, one in enumerate(columns) if widths[index] < one.natural]
        widths[min(needy, key=widths.__getitem__)] += 1
    return widths


def _drawn(columns: Sequence[_Column], widths: Mapping[str, int], title: str, bold: Collection[int]) -> Table:
    shown = Table(
        title=Text(title) if title else None,
        title_justify="left",
        caption=_left_out(columns, widths),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
    )
    kept = [one for one in columns if one.name in widths]
    for one in kept:
        justify: JustifyMethod = "right" if one.is_measured else "left"
        shown.add_column(Text(_words(one.name)), width=widths[one.name], justify=justify, overflow="fold")
    for index in range(len(columns[0].cells)):
        cells = [one.shown(index, widths[one.name]) for one in kept]
        shown.add_row(*cells, style="bold" if index in bold else None)
    return shown


def _left_out(columns: Sequence[_Column], widths: Mapping[str, int]) -> Text | None:
    names = [_words(one.name) for one in columns if one.name not in widths and not one.is_empty]
    return Text(f"too narrow for: {', '.join(names)}") if names else None


def _listed(columns: Sequence[_Column], title: str) -> Group:
    """A list of each row's fields, with a blank line between the rows."""
    records = [{one.name: one.cells[index] for one in columns} for index in range(len(columns[0].cells))]
    shown: list[RenderableType] = [Text(title, style="table.title")] if title else []
    for record in records:
        shown += [Text(), fields(record)] if shown else [fields(record)]
    return Group(*shown)


def _text(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text(harmless(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))


def _words(name: str) -> str:
    return name.replace("_", " ")
