"""Times in tariffs: a text is a date or a moment by its form, and time bands hold when clocks change."""

from __future__ import annotations

from pathlib import Path

import pytest

from consortium.yaml_tree import WrongFile
from tests.cases.files import BERLIN, amount_micro, readings, rows
from tests.harness.tariffs import parse_tariff

FEE = """\
name: In time
currency: EUR
unit: hole
time_zone: Europe/Berlin
components:
  - {{name: fee, measure: quantity, success_fee: {{target: "1", deadline: {}, fee: "10"}}}}
"""
BAND = """\
name: Bands
currency: EUR
unit: kWh
time_zone: {}
components:
  - {{name: band, when: {{time_bands: ["{}"]}}, measure: quantity, unit_price: "1"}}
"""


@pytest.mark.parametrize(
    "deadline", ["20260630", "2026-06-30", "2026-06-30 08:00", "20260630T0800", "2026-06-30 24:00"]
)
def test_a_deadline_is_the_written_date_or_moment(tmp_path: Path, deadline: str) -> None:
    columns = readings(tmp_path, rows("2026-06-30 08:00"))
    assert amount_micro(columns, FEE.format(deadline)) == 10_000_000


@pytest.mark.parametrize("deadline", ["2026-06-30 07:59", "2026-06-29", "20260629", "2026-06-29 24:00"])
def test_a_deadline_that_has_passed_has_passed(tmp_path: Path, deadline: str) -> None:
    assert amount_micro(readings(tmp_path, rows("2026-06-30 08:00")), FEE.format(deadline)) == 0


@pytest.mark.parametrize(
    "deadline",
    [
        "2026-06",
        "2026-W27-2",
        "30.06.2026",
        "2026-6-30",
        "2026-06-30x08:00",
        "2026-03-29 02:30",
        "2026-10-25 02:30",
        "2026-02-30",
    ],
)
def test_every_other_spelling_is_refused_with_the_line(deadline: str) -> None:
    with pytest.raises(WrongFile, match=r"tariff, line 6, .*deadline: "):
        parse_tariff(FEE.format(f"'{deadline}'"))


@pytest.mark.parametrize(
    ("zone", "band", "times", "expected"),
    [
        (
            "Australia/Sydney",
            "18:00-20:00",
            ["04-05 06:59", "04-05 07:00", "04-05 07:59", "04-05 08:00", "04-05 09:59", "04-05 10:00"],
            2,
        ),
        (
            "Europe/Berlin",
            "sat 22:00-06:00",
            ["10-24 19:59", "10-24 20:00", "10-25 00:30", "10-25 01:30", "10-25 04:59", "10-25 05:00"],
            4,
        ),
    ],
)
def test_bands_on_the_day_after_and_over_the_night_of_a_change(
    tmp_path: Path, zone: str, band: str, times: list[str], expected: int
) -> None:
    columns = readings(tmp_path, rows(*(f"2026-{time}Z" for time in times)), BERLIN)
    assert amount_micro(columns, BAND.format(zone, band)) == expected * 1_000_000
