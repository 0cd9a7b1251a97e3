"""Exports of meters and spreadsheets are read rightly: counters, averages, groups of thousands, counts of days."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.yaml_tree import WrongFile
from node.meter.csv_quantity import Counter
from tests.cases.files import amount_micro, readings, us_of, utc_of

CLOCK = "time: {column: when, time_zone: Europe/Berlin}\n"
UNIT = 10**6


def quantities(folder: Path, quantity: str, *values: str, more: str = "") -> list[int]:
    """The quantities, in millionths, of rows that are a quarter of an hour apart."""
    rows = [f"2026-03-02 {8 + n // 4:02}:{15 * (n % 4):02};{value}\n" for n, value in enumerate(values)]
    mapping = f"delimiter: semicolon\n{more}{CLOCK}quantity: {quantity}\n"
    return [int(n) for n in readings(folder, "when;n\n" + "".join(rows), mapping).quantity_micro]


def test_a_counter_charges_the_differences_of_its_rows(tmp_path: Path) -> None:
    shown = {"08:00": "81234.5", "08:15": "81236", "08:30": "81236", "08:45": "81240.25"}
    text = "when,n\n" + "".join(f"2026-03-02 {time},{value}\n" for time, value in shown.items())
    used = readings(tmp_path, text, f"{CLOCK}quantity: {{column: n, counter: yes}}\n")
    assert utc_of(used) == ["02 07:15", "02 07:30", "02 07:45"]
    assert used.quantity_micro.tolist() == [1_500_000, 0, 4_250_000]
    assert amount_micro(used) == 5_750_000


@pytest.mark.parametrize(
    ("quantity", "values", "used"),
    [
        ("{column: n, counter: reset}", ["5", "7", "0.5", "2"], [2_000_000, 500_000, 1_500_000]),
        ("{column: n, counter: {rollover: 1000}}", ["998", "999.5", "1", "3"], [1_500_000, 1_500_000, 2_000_000]),
        ("{column: n, counter: yes, factor: 40}", ["10", "10.25"], [10_000_000]),
        ("{column: n, factor: 0.001}", ["1500", "1"], [1_500_000, 1_000]),
        ("{column: n, per: hour, over_s: 900}", ["10", "10.5"], [2_500_000, 2_625_000]),
        ("{column: n, per: hour, over_s: 600}", ["1", "2"], [166_667, 333_333]),
        ("{column: n, per: hour, over_s: 900, factor: 0.001}", ["10000"], [2_500_000]),
        ("{column: n, counter: yes, factor: 0.001}", ["900000000000", "900000001000"], [1_000_000]),
    ],
)
def test_numbers_become_quantities(tmp_path: Path, quantity: str, values: list[str], used: list[int]) -> None:
    assert quantities(tmp_path, quantity, *values) == used


@pytest.mark.parametrize(
    ("quantity", "values", "says"),
    [
        (
            "{column: n, counter: yes}",
            ["7", "5"],
            "row 3, column n: the counter falls from 7 to 5: correct the row. If it began",
        ),
        (
            "{column: n, counter: {rollover: 1000}}",
            ["500", "499"],
            "which is more than half of rollover 1000",
        ),
        ("{column: n, counter: {rollover: 1000}}", ["500", "1000"], "the counter shows 1000, but with rollover 1000"),
        ("{column: n, counter: {rollover: 0}}", ["1", "2"], "above 0"),
        ("{column: n, counter: yes}", ["7"], "has one row, and a counter needs two"),
        ("{column: n, counter: no}", ["7", "8"], "write one of yes, reset"),
        ("{column: n, counter: yes, per: hour, over_s: 900}", ["7", "8"], "a counter is no average"),
        ("{column: n, per: hour}", ["7"], "over_s"),
        ("{column: n, factor: 0}", ["7"], "above 0"),
        ("{column: n, factor: -1}", ["7"], "above 0"),
        ("{column: n, factor: 1e3}", ["7"], "is no number"),
        ("{column: n, factor: 1000000}", ["70000"], "beyond 1,000,000,000"),
        ("{constant: 1, factor: 2}", ["7"], "describe the numbers of a column"),
    ],
)
def test_values_that_are_no_counter_or_average_are_refused(
    tmp_path: Path, quantity: str, values: list[str], says: str
) -> None:
    with pytest.raises(WrongFile) as refusal:
        quantities(tmp_path, quantity, *values)
    assert says in str(refusal.value)


def test_rows_of_a_counter_that_are_not_in_order_are_named_as_such(tmp_path: Path) -> None:
    text = "when,n\n2026-03-02 08:15,2\n2026-03-02 08:00,1\n"
    with pytest.raises(WrongFile, match="sort the rows"):
        readings(tmp_path, text, f"{CLOCK}quantity: {{column: n, counter: yes}}\n")


@given(st.integers(1, 10**9), st.lists(st.integers(0, 10**8), min_size=1, max_size=30))
def test_a_counter_counts_everything_however_often_it_rolls_over(start: int, used: list[int]) -> None:
    rollover = 10**9
    counter = Counter(rollover_micro=rollover)
    shown = [start % rollover]
    for each in used:
        shown.append((shown[-1] + each) % rollover)
    assert [counter.used_micro(before, now) for before, now in pairwise(shown)] == used


@pytest.mark.parametrize(
    ("more", "text", "micro"),
    [
        ("decimal: comma\nthousands: point\n", "1.234.567,5", 1_234_567_500_000),
        ("decimal: comma\nthousands: point\n", "-1.234", -1_234_000_000),
        ("thousands: comma\n", "12,345.5", 12_345_500_000),
        ("decimal: comma\nthousands: space\n", "1 234\u00a0567\u202f890,25", 1_234_567_890_250_000 // 1),
        ("thousands: apostrophe\n", "1'234\u2019567", 1_234_567_000_000),
        ("thousands: comma\n", "1234.5", 1_234_500_000),
    ],
)
def test_thousands_may_stand_apart(tmp_path: Path, more: str, text: str, micro: int) -> None:
    assert quantities(tmp_path, "{column: n, factor: 0.1}", text, more=more) == [int(Fraction(micro, 10))]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("", "1,234"),
        ("", "1 234"),
        ("decimal: comma\n", "1.234"),
        ("thousands: comma\n", "1,23"),
        ("thousands: comma\n", "1,2345"),
        ("thousands: comma\n", "1234,567"),
        ("thousands: comma\n", ",123"),
        ("thousands: comma\n", "1,234,56"),
        ("thousands: comma\n", "1.234,567"),
        ("thousands: comma\ndecimal: comma\n", "1"),
        ("thousands: dot\n", "1"),
    ],
)
def test_groups_that_only_look_like_thousands_are_refused(tmp_path: Path, more: str, text: str) -> None:
    with pytest.raises(WrongFile):
        quantities(tmp_path, "{column: n}", text, more=more)


@pytest.mark.parametrize(
    ("time", "text", "iso"),
    [
        ("format: excel, time_zone: Europe/Berlin", "46083.3333333333", "2026-03-02 08:00"),
        ("format: excel, time_zone: Europe/Berlin", "46083,34375", "2026-03-02 08:15"),
        ("format: excel, time_zone: Europe/Berlin", "46204.0104166667", "2026-07-01 00:15"),
        ("format: excel_1904, time_zone: Europe/Berlin", "44621.3333333333", "2026-03-02 08:00"),
    ],
)
def test_a_spreadsheets_count_of_days_is_a_time_on_the_wall(tmp_path: Path, time: str, text: str, iso: str) -> None:
    written = us_of(tmp_path, "{column: t, time_zone: Europe/Berlin}", iso)
    assert us_of(tmp_path, f"{{column: t, {time}}}", text) == written


@pytest.mark.parametrize(
    ("time", "text", "says"),
    [
        ("{column: t}", "46083.3333333333", "looks like a spreadsheet's count of days: write format: excel"),
        ('{column: t, format: "%d.%m.%Y"}', "46083", "looks like a spreadsheet's count of days"),
        ("{column: t, format: excel}", "2026-03-02", "no count of days"),
        ("{column: t, format: excel}", "4.6E+04", "no count of days"),
        ("{columns: [t, n], format: excel}", "46083", "is one number"),
    ],
)
def test_a_count_of_days_is_named_where_it_is_not_expected(tmp_path: Path, time: str, text: str, says: str) -> None:
    with pytest.raises(WrongFile) as refusal:
        us_of(tmp_path, time, text)
    assert says in str(refusal.value)
