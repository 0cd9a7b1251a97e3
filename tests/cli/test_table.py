"""Tables on terminals of any width: no line is too long, and no number is broken or cut."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.shared import output
from cli.shared.table import (
    Row,
    table,
)

NUMBER = re.compile(r"(?<![\w.…-])-?\d+\.\d{2,6}(?![\w.…-])")

AMOUNTS = st.integers(-(10**18), 10**18).map(lambda micro: f"{micro / 10**6:.6f}")
IDS = st.text("abcdefghij-0123456789", min_size=1, max_size=64).map(lambda text: f"x{text}")
WORDS = st.lists(st.text("abcdefghij", min_size=1, max_size=30), max_size=20).map(" ".join)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"agreement": IDS, "provider": IDS, "status": st.sampled_from(["open", "closed"]), "funded": AMOUNTS}
        | {"used": AMOUNTS, "what_was_claimed": AMOUNTS, "why": WORDS, "tier": st.integers(1, 9)}
    ),
    min_size=1,
    max_size=4,
)


def drawn(rows: list[Row], width: int, **options: object) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(table(rows, width, **options))  # type: ignore[arg-type]
    return [line.rstrip() for line in out.getvalue().splitlines()]


@given(ROWS, st.integers(44, 200), st.permutations(["provider", "why", "tier", "funded"]))
def test_every_line_fits_and_every_number_is_whole(rows: list[Row], width: int, minor: list[str]) -> None:
    lines = drawn(rows, width, minor=minor)
    assert max(map(len, lines)) <= width
    shown = {number for line in lines for number in NUMBER.findall(line)}
    assert shown <= {row[name] for row in rows for name in ("funded", "used", "what_was_claimed")}
    # Only the columns in `minor` may be left out, so these two always stay.
    assert {row[name] for row in rows for name in ("used", "what_was_claimed")} <= shown


@given(ROWS)
def test_in_a_pipe_each_row_is_one_line_with_all_that_it_has(rows: list[Row]) -> None:
    _, _, *lines = drawn(rows, output.WIDTH_UNWATCHED, minor=["why"])
    for row, line in zip(rows, lines, strict=True):
        assert all(str(value) in line for value in row.values())


ACCOUNTS: list[Row] = [
    {"agreement": agreement, "provider": "maker", "status": "open", "escrow": escrow, "paid": "334.0668"}
    for agreement, escrow in (("steel-energy", "109665.9332"), ("steel-energy-hall-4-2027", "12345344.056656"))
]


AT_60 = """
agreement        provider  status           escrow      paid
────────────────────────────────────────────────────────────
steel-energy     maker     open        109665.9332  334.0668
steel-energy-h…  maker     open    12345344.056656  334.0668
"""
AT_50 = """
agreement        provider  status           escrow
──────────────────────────────────────────────────
steel-energy     maker     open        109665.9332
steel-energy-h…  maker     open    12345344.056656
too narrow for: paid
"""
AT_30 = """
 agreement  steel-energy
 provider   maker
 status     open
 escrow     109665.9332
 paid       334.0668

 agreement  steel-energy-hall
            -4-2027
 provider   maker
 status     open
 escrow     12345344.056656
 paid       334.0668
"""


@pytest.mark.parametrize(("width", "page"), [(60, AT_60), (50, AT_50), (30, AT_30)])
def test_narrow_tables_shorten_ids_then_leave_out_columns_then_stack_fields(width: int, page: str) -> None:
    assert drawn(ACCOUNTS, width, minor=["paid"]) == page.strip("\n").splitlines()
