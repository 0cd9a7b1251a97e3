"""Times in CSV files: every part of a row's time is used, or the row is refused."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.yaml_tree import WrongFile
from tests.cases.files import BERLIN, amount_micro, readings, rows, us_of, utc_of

GERMAN = """\
delimiter: semicolon
decimal: comma
time: {{{}, format: "%d.%m.%Y %H:%M", time_zone: Europe/Berlin}}
quantity: {{column: Wert}}
"""
BANDS = """\
name: Day and night
currency: EUR
unit: kWh
time_zone: Europe/Berlin
components:
  - {name: day, when: {time_bands: ["06:00-22:00"]}, measure: quantity, unit_price: "0.30"}
  - {name: night, when: {time_bands: ["22:00-06:00"]}, measure: quantity, unit_price: "0.10"}
"""


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 10**6  # type: ignore[arg-type]


# --- the end of a day -------------------------------------------------------------------------------------------------


def test_the_end_of_a_day_is_the_begin_of_the_next(tmp_path: Path) -> None:
    profile = "Datum;Wert\n01.03.2026 23:45;1,5\n01.03.2026 24:00;2,5\n02.03.2026 00:15;1\n"
    columns = readings(tmp_path, profile, GERMAN.format("column: Datum"))
    assert utc_of(columns) == ["01 22:45", "01 23:00", "01 23:15"]
    assert amount_micro(columns) == 5_000_000


@pytest.mark.parametrize(("day", "utc"), [("2026-03-29", us(2026, 3, 29, 22)), ("2026-10-25", us(2026, 10, 25, 23))])
@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S"])
@pytest.mark.parametrize("also", ["", ", midnight_ends_the_day: true"])
def test_24_00_on_the_days_when_clocks_change(tmp_path: Path, day: str, utc: int, form: str, also: str) -> None:
    clock = f"{{column: t, format: '{form}', time_zone: Europe/Berlin{also}}}"
    assert us_of(tmp_path, clock, f"{day} 24:00:00") == utc


@pytest.mark.parametrize("text", ["2026-03-01 24:01", "2026-03-01 24:00:01", "2026-03-01 25:00", "2026-03-01 24"])
@pytest.mark.parametrize("form", ["", ", format: '%Y-%m-%d %H:%M'"])
def test_nothing_lies_beyond_the_end_of_a_day(tmp_path: Path, text: str, form: str) -> None:
    with pytest.raises(WrongFile, match=r"row 2, column t: "):
        us_of(tmp_path, f"{{column: t{form}}}", text)


# --- the parts of a time ----------------------------------------------------------------------------------------------


def test_date_and_time_stand_in_two_columns(tmp_path: Path) -> None:
    profile = "Datum;Zeit;Wert\n01.03.2026;23:45;1,5\n02.03.2026;00:00;2,5\n"
    columns = readings(tmp_path, profile, GERMAN.format("columns: [Datum, Zeit]"))
    assert utc_of(columns) == ["01 22:45", "01 23:00"]
    assert amount_micro(columns) == 4_000_000


def test_an_offset_in_its_own_column_settles_the_hour_that_exists_twice(tmp_path: Path) -> None:
    profile = "d,t,off,kwh\n2026-10-25,02:30,+02:00,1\n2026-10-25,02:10,+01:00,1\n"
    for form in ("", ", format: '%Y-%m-%d %H:%M %z'"):
        mapping = f"time: {{columns: [d, t, off]{form}, time_zone: Europe/Berlin}}\nquantity: {{column: kwh}}\n"
        assert utc_of(readings(tmp_path, profile, mapping)) == ["25 00:30", "25 01:10"]


def test_a_summer_time_flag_settles_the_hour_that_exists_twice(tmp_path: Path) -> None:
    flag = "summer_time: {column: s, values: {S: yes, W: no}}"
    mapping = f"time: {{columns: [d, t], time_zone: Europe/Berlin, {flag}}}\nquantity: {{column: kwh}}\n"
    profile = "d,t,s,kwh\n2026-10-25,01:30,S,1\n2026-10-25,02:10,W,1\n2026-10-25,02:30,W,1\n2026-10-25,03:00,W,1\n"
    assert utc_of(readings(tmp_path, profile, mapping)) == ["24 23:30", "25 01:10", "25 01:30", "25 02:00"]
    for wrong in ("2026-10-25,01:30,W,1", "2026-07-01,12:00,W,1", "2026-01-01,12:00,S,1", "2026-01-01,12:00,,1"):
        with pytest.raises(WrongFile, match=r"row 2, column d t s: "):
            readings(tmp_path, f"d,t,s,kwh\n{wrong}\n", mapping)


# --- the hour that exists twice ---------------------------------------------------------------------------------------


def test_the_second_hour_begins_where_the_times_step_back(tmp_path: Path) -> None:
    clock = ("01:58", "02:05", "02:05", "02:10", "02:40", "02:02", "02:30", "03:01")
    columns = readings(tmp_path, rows(*(f"2026-10-25 {time}" for time in clock)))
    assert utc_of(columns) == [
        "24 23:58",
        "25 00:05",
        "25 00:05",
        "25 00:10",
        "25 00:40",
        "25 01:02",
        "25 01:30",
        "25 02:01",
    ]
    assert amount_micro(columns) == 8_000_000
    # Where the file ends before the clock went back, nothing is an hour off.
    assert utc_of(readings(tmp_path, rows(*(f"2026-10-25 {time}" for time in clock[:5]))))[2:] == [
        "25 00:05",
        "25 00:10",
        "25 00:40",
    ]


@pytest.mark.parametrize(
    ("zone", "minutes", "clock"),
    [
        ("Europe/Berlin", 60, "25 01:00 02:00 02:00 03:00"),
        ("Europe/Berlin", 60, "25 01:30 02:30 02:30 03:30"),
        ("Europe/Berlin", 15, "25 01:50 02:05 02:20 02:35 02:50 02:05 02:20 02:35 02:50 03:05"),
        ("Europe/Berlin", 15, "25 01:45 02:00 02:15 02:30 02:45 02:00 02:15 02:30 02:45 03:00"),
        ("Australia/Lord_Howe", 15, "05 01:15 01:30 01:45 01:30 01:45 02:00"),
    ],
)
def test_every_reading_is_one_interval_after_the_one_before(
    tmp_path: Path, zone: str, minutes: int, clock: str
) -> None:
    day, *times = clock.split()
    month = "10" if zone == "Europe/Berlin" else "04"
    text = rows(*(f"2026-{month}-{day} {time}" for time in times))
    columns = readings(tmp_path, text, BERLIN.replace("Europe/Berlin", zone))
    first = columns.time_us.tolist()[0]
    assert columns.time_us.tolist() == [first + index * minutes * 60_000_000 for index in range(len(times))]
    assert amount_micro(columns) == len(times) * 1_000_000


def test_rows_that_step_back_elsewhere_are_not_sorted(tmp_path: Path) -> None:
    for times in (["03:10", "03:05"], ["02:10", "01:59"], ["02:40", "02:10", "02:05"], ["03:30", "02:30"]):
        with pytest.raises(WrongFile, match="older than the row before"):
            readings(tmp_path, rows(*(f"2026-10-25 {time}" for time in times)))


@settings(deadline=None)
@given(st.lists(st.integers(0, 179), min_size=2, max_size=30))
def test_local_times_are_read_as_their_original_moments(
    tmp_path_factory: pytest.TempPathFactory, minutes: list[int]
) -> None:
    """All rows of a night are at the right moment if one of them shows that the clock has stepped back."""
    begin = us(2026, 10, 25, 0) // 60_000_000
    moments = sorted({begin + minute for minute in minutes} | {begin + 59, begin + 60})
    wall = [datetime.fromtimestamp(one * 60, UTC).timestamp() + (7200 if one < begin + 60 else 3600) for one in moments]
    text = rows(*(datetime.fromtimestamp(one, UTC).strftime("%Y-%m-%d %H:%M") for one in wall))
    columns = readings(tmp_path_factory.mktemp("night"), text)
    assert columns.time_us.tolist() == [one * 60_000_000 for one in moments]


# --- texts that only look like a time ---------------------------------------------------------------------------------


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    "text",
    [
        "1.77250E+09",
        "1e999990",
        "1e2000000",
        "1e30",
        "1_772_500_000",
        "\u0661\u0667\u0667\u0662\u0665\u0660\u0660\u0660\u0660\u0660",
        "\uff11\uff17\uff17\uff12\uff15\uff10\uff10",
        "0x1",
        "nan",
        "inf",
        "",
        "9" * 100_000,
    ],
)
@pytest.mark.parametrize("unit", ["unix_s", "unix_ms", "unix_us"])
def test_a_unix_time_has_all_its_digits(tmp_path: Path, text: str, unit: str) -> None:
    mapping = f"time: {{column: t, format: {unit}}}\nquantity: {{column: kwh}}\n"
    with pytest.raises(WrongFile, match=r"readings.csv, row 3, column t: "):
        readings(tmp_path, f"t,kwh\n1,1\n{text},1\n", mapping)


def test_readings_on_which_a_spreadsheet_has_rounded_the_times_are_refused(tmp_path: Path) -> None:
    text = "t,kwh\n1.77250E+09,10\n1.77251E+09,20\n1.77251E+09,5\n"
    with pytest.raises(WrongFile, match=r"row 2, column t: .*write all its digits"):
        readings(tmp_path, text, "time: {column: t, format: unix_s}\nquantity: {column: kwh}\n")


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("%Y-%m-%d %H:%M %Z", "zone's name"),
        ("%Y-%m-%d %H:%M UTC", "would be ignored"),
        ("%Y-%m-%dT%H:%M:%SZ", "would be ignored"),
        ("%Y-%m-%d %H:%M MEZ", "would be ignored"),
        ("%Y-%m-%d %I:%M", "need each other"),
        ("%Y-%m-%d %H:%M %p", "need each other"),
        ("%Y-%m-%d %I:%M pm", "would be ignored"),
        ("%Y-%m-%d %H:%M %d", "has the day twice"),
        ("%d.%m.%Y %H:%M %B", "has the month twice"),
        ("%H:%M", "a day needs"),
        ("%m-%d %H:%M", "a day needs"),
        ("%Y-%m-%d %M", "not the hour"),
        ("%c", "not known here"),
        ("%Y-%m-%d %", "not known here"),
    ],
)
def test_a_format_that_would_throw_something_away_is_refused(tmp_path: Path, form: str, says: str) -> None:
    mapping = f"time: {{column: when, format: '{form}', time_zone: Europe/Berlin}}\nquantity: {{column: kwh}}\n"
    with pytest.raises(WrongFile, match=f"mapping.yaml, line 1, time.format: .*{says}"):
        readings(tmp_path, rows("2026-07-01 20:30 UTC"), mapping)


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-07-01T20:30:00Z", us(2026, 7, 1, 20, 30)),
        ("%Y-%m-%d %H:%M %z", "2026-07-01 20:30 Z", us(2026, 7, 1, 20, 30)),
        ("%d/%m/%y %I:%M %p", "01/07/26 12:30 a.m.", us(2026, 7, 1, 0, 30)),
        ("%d/%m/%y %I:%M %p", "01/07/26 12:30 PM", us(2026, 7, 1, 12, 30)),
        ("%a, %d %b %Y %H:%M:%S.%f", "Wed, 01 Jul 2026 20:30:00.5", us(2026, 7, 1, 20, 30) + 500_000),
        ("%A %d %B %Y, %H.%M Uhr", "wednesday 1 july 2026, 20.30 Uhr", us(2026, 7, 1, 20, 30)),
        ("%Y%m%d%H%M", "202607012030", us(2026, 7, 1, 20, 30)),
        ("%Y-%j", "2026-182", us(2026, 7, 1)),
        ("iso", "20260701T2030Z", us(2026, 7, 1, 20, 30)),
        ("iso", "2026-07-01 20:30:00,25 -0130", us(2026, 7, 1, 22) + 250_000),
    ],
)
def test_all_that_a_row_says_is_used(tmp_path: Path, form: str, text: str, expected: int) -> None:
    assert us_of(tmp_path, f"{{column: t, format: '{form}'}}", text) == expected


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%a %d.%m.%Y", "Mon 01.07.2026"),
        ("%Y%m%d%H%M", "20267012030"),
        ("%d.%m.%Y %H:%M", "\u0660\u0661.\u0660\u0667.\u0662\u0660\u0662\u0666 20:30"),
        ("%d/%m/%y %I:%M %p", "01/07/26 20:30 pm"),
        ("%Y-%j", "2026-366"),
        ("iso", "2026-07-01 20:30:00.1234567"),
        ("iso", "2026-07-01x20:30"),
        ("iso", "2026-W27-3"),
        ("iso", "2026-07-01 20:30 UTC"),
        ("iso", "2026-07-01 20:30 PM"),
        ("iso", "1969-12-31"),
        ("iso", "2200-01-02"),
        ("iso", "9999-12-31 24:00"),
    ],
)
def test_a_row_that_says_something_else_is_refused(tmp_path: Path, form: str, text: str) -> None:
    with pytest.raises(WrongFile, match=r"row 2, column t: "):
        us_of(tmp_path, f"{{column: t, format: '{form}'}}", text)


@pytest.fixture(params=["Europe/Berlin", "Asia/Tokyo", "UTC"])
def machine_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """This machine's own time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.usefixtures("machine_zone")
def test_readings_do_not_depend_on_this_machines_zone(tmp_path: Path) -> None:
    text = rows("2026-07-01 20:30", "2026-07-01 21:30").replace("\n", " \n")
    with pytest.raises(WrongFile, match="zone's name"):
        readings(tmp_path, text, BERLIN.replace("when,", 'when, format: "%Y-%m-%d %H:%M %Z",'))
    utc = BERLIN.replace("Europe/Berlin", "UTC").replace("when,", 'when, format: "%Y-%m-%d %H:%M UTC",')
    columns = readings(tmp_path, rows("2026-07-01 20:30 UTC", "2026-07-01 23:30 UTC"), utc)
    # 22:30 and 01:30 in Berlin: both by night.
    assert amount_micro(columns, BANDS) == 200_000
