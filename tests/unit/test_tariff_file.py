"""Tariff files: numbers are exact, a written file reads back the same, and errors name line, key and remedy."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from chaincode.rating import check_tariff
from consortium.yaml_tree import WrongFile
from node.tariff.chart import draw_chart
from node.tariff.explain import explain
from node.tariff.file import read_tariff
from tests.harness.tariff_writing import write_tariff
from tests.harness.tariffs import parse_tariff
from tests.property.test_rating import tariffs
from zunft.v1.tariff_pb2 import Tariff

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "tariffs").glob("*.yaml"))
SOUND = """\
name: Air
currency: EUR
unit: m3
time_zone: Europe/Berlin
components:
  - name: air
    measure: quantity
    period: month
    unit_price: 0.1
"""


@settings(deadline=None, max_examples=100)
@given(tariffs())
def test_a_written_tariff_reads_back_the_same(tariff: Tariff) -> None:
    assert parse_tariff(write_tariff(tariff)) == tariff


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_sound_and_can_be_explained(path: Path) -> None:
    tariff = read_tariff(path)
    check_tariff(tariff)
    words = "\n".join(explain(tariff))
    assert all(item.name in words for item in (*tariff.components, *tariff.adjustments))
    assert parse_tariff(write_tariff(tariff)) == tariff


def test_numbers_are_exact_with_and_without_quotes() -> None:
    for written in ("0.1", "'0.1'", '"0.10"', "+0.100000"):
        assert parse_tariff(SOUND.replace("0.1", written)).components[0].per_unit.unit_price_micro == 100_000


def test_a_date_is_the_end_of_its_day_by_the_tariffs_clock() -> None:
    fee = "success_fee: {target: 1, deadline: 2026-03-29, fee: 1}"
    deadline_us = parse_tariff(SOUND.replace("unit_price: 0.1", fee)).components[0].success_fee.deadline_us
    assert deadline_us + 1 == int(datetime(2026, 3, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 10**6


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "unit_price: 0.1",
            "unit_prize: 0.1",
            "line 9, components[1].unit_prize: the key 'unit_prize' is unknown (did you mean unit_price?)",
        ),
        ("unit_price: 0.1", "unit_price: 0,1", "line 9, components[1].unit_price: '0,1' is no number"),
        ("unit_price: 0.1", "unit_price: 0.1234567", "at most 6 digits"),
        ("unit_price: 0.1", "unit_price: .nan", "no number"),
        ("unit_price: 0.1", "unit_price: 1e5", "no number"),
        ("unit_price: 0.1", "unit_price: 99999999999999", "too large"),
        ("unit_price: 0.1", "unit_price: 1000000001", "within"),
        ("unit_price: 0.1", "unit_price:", "a single value"),
        ("unit_price: 0.1", "unit_price: 0.1\n    package: {size: 1, package_price: 1}", "has 2"),
        ("    unit_price: 0.1\n", "", "has 0"),
        ("unit_price: 0.1", "package: {size: 1}", "package_price is missing"),
        ("unit_price: 0.1", "graduated: 5", "write a list"),
        ("unit_price: 0.1", "graduated: [{up_to: 0, unit_price: 1}]", "above 0"),
        ("unit_price: 0.1", "success_fee: {target: 1, deadline: soon, fee: 1}", "'soon' is no time"),
        ("Europe/Berlin", "Berlin", "line 4, time_zone: 'Berlin' is no time zone"),
        ("EUR", "Euro", "ISO 4217"),
        ("quantity", "quantities", "did you mean quantity?"),
        ("month", "week", "write one of agreement, day, month, year"),
        ("unit: m3\n", "", "unit is missing"),
        ("unit: m3\n", "unit: m3\nunit: l\n", "stands here twice"),
        ("    measure", "    when: {time_bands: [mon-fri 6-22]}\n    measure", "no time band"),
        ("    measure", "    when: {time_bands: [mo 06:00-22:00]}\n    measure", "no weekdays"),
        ("    measure", "    when: {time_bands: [06:00-25:00]}\n    measure", "time band"),
        ("    measure", "    when: {months: [winter]}\n    measure", "'winter' are no months: write jan, feb"),
        ("    measure", "    when: {months: [1-3]}\n    measure", "no months"),
        ("    measure", "    when: {months: []}\n    measure", "the list is empty"),
        ("    measure", "    when: {bands: [high]}\n    measure", "not in the band_table"),
        ("    measure", "   measure", "no YAML"),
        (SOUND, "", "is empty"),
        (SOUND, "[" * 5000, "no YAML"),
        (SOUND, "\x00", "no YAML"),
        (SOUND, "- a\n", "write keys with values"),
        (SOUND, SOUND + "adjustments: [{name: d, period: month, discount: 5}]\n", "no percentage"),
        (SOUND, SOUND + "adjustments: [{name: d, period: month, discount: 101%}]\n", "at most 100 %"),
        (SOUND, SOUND + "adjustments: [{name: d, period: month}]\n", "exactly one"),
    ],
)
def test_a_wrong_entry_is_named_in_one_sentence(old: str, new: str, sentence: str) -> None:
    with pytest.raises(WrongFile) as refusal:
        parse_tariff(SOUND.replace(old, new, 1))
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_and_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match="cannot be read"):
        read_tariff(tmp_path / "missing.yaml")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"a" * 1_000_001)
    with pytest.raises(WrongFile, match="larger than"):
        read_tariff(large)


def test_the_suffix_chooses_the_pictures_format(tmp_path: Path) -> None:
    tariff = read_tariff(EXAMPLES[0])
    draw_chart(tariff, tmp_path / "curve.png")
    draw_chart(tariff, tmp_path / "curve.svg", up_to_micro=50_000_000)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "curve.svg").read_text()
    for wrong in (tmp_path / "curve.bmp", tmp_path / "missing" / "curve.png"):
        with pytest.raises(WrongFile):
            draw_chart(tariff, wrong)
