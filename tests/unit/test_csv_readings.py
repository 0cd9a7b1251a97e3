"""Readings from CSV files are exact, follow the mapping, and have errors that name row and column."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from chaincode.readings.columns import Columns
from consortium.yaml_tree import WrongFile
from node.meter.csv_readings import read_csv, read_mapping

MAPPING = """\
delimiter: semicolon
decimal: comma
time: {column: when, format: "%d.%m.%Y %H:%M", time_zone: Europe/Berlin}
quantity: {column: m3}
utilisation: {column: load}
outcome: {column: ok, values: {"yes": passed, "no": failed, "": unspecified}}
work_item: {column: item}
"""
CSV = """\
when;m3;load;ok;item
02.03.2026 08:00;12,5;39,9;yes;A
02.03.2026 09:00;0,000001;100;no;A

02.03.2026 09:00;1,5E-3;0;;
"""


def read(tmp_path: Path, mapping: str = MAPPING, text: str = CSV) -> Columns:
    (tmp_path / "m.yaml").write_text(mapping)
    (tmp_path / "r.csv").write_text(text, encoding="utf-8-sig")
    return read_csv(tmp_path / "r.csv", read_mapping(tmp_path / "m.yaml")).columns


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 10**6


def test_a_file_becomes_columns(tmp_path: Path) -> None:
    columns = read(tmp_path)
    assert columns.time_us.tolist() == [us(2026, 3, 2, 7), us(2026, 3, 2, 8), us(2026, 3, 2, 8)]
    assert columns.quantity_micro.tolist() == [12_500_000, 1, 1_500]
    assert columns.utilisation_milli is not None
    assert columns.utilisation_milli.tolist() == [399, 1000, 0]
    assert columns.outcome is not None
    assert columns.outcome.tolist() == [1, 2, 0]
    assert columns.work_items == ("A",)
    assert columns.speed_milli is None


def test_the_hour_that_exists_twice_goes_on(tmp_path: Path) -> None:
    times = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    text = "when;m3;load;ok;item\n" + "".join(f"25.10.2026 {time};1;0;;\n" for time in times)
    first = us(2026, 10, 24, 23, 30)
    assert read(tmp_path, text=text).time_us.tolist() == [first + half * 1_800_000_000 for half in range(6)]


@pytest.mark.parametrize(
    ("time", "text", "expected"),
    [
        ("{column: t}", "2026-03-02T08:00:00.000001+01:00", us(2026, 3, 2, 7) + 1),
        ("{column: t}", "2026-03-02 08:00", us(2026, 3, 2, 8)),
        ("{column: t, format: unix_s}", "1.5", 1_500_000),
        ("{column: t, format: unix_ms}", "1500", 1_500_000),
        ("{column: t, format: unix_us}", "15", 15),
        ("{column: t, midnight_ends_the_day: true}", "2026-03-02 00:00", us(2026, 3, 3)),
        ("{begin: 2026-03-02 08:00, every_s: 0.1, time_zone: Europe/Berlin}", "", us(2026, 3, 2, 7)),
    ],
)
def test_every_format_of_a_time_is_read(tmp_path: Path, time: str, text: str, expected: int) -> None:
    columns = read(tmp_path, f"time: {time}\nquantity: {{constant: 1}}\n", f"t,x\n{text},x\n")
    assert columns.time_us.tolist() == [expected]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("12,5", "12.5", "r.csv, row 2, column m3: '12.5' is no number"),
        ("12,5", "", "is no number"),
        ("12,5", "0,0000001", "finer than 6 digits"),
        ("12,5", "9999999999", "beyond"),
        ("39,9", "39,99", "finer than 1 digits"),
        (";yes;", ";maybe;", "column ok: 'maybe' is not among the mapping's values"),
        ("02.03.2026 08:00", "2026-03-02", "row 2, column when"),
        ("02.03.2026 08:00", "03.03.2026 08:00", "older than the row before"),
        ("02.03.2026 08:00", "29.03.2026 02:30", "does not exist in Europe/Berlin"),
        (";A\n", "\n", "it has 4 values, the heading has 5"),
        ("when;m3", "when;m2", "column 'm3' is not in the heading"),
        ("when;m3", "m3;m3", "column 'when' is not in the heading"),
        (CSV, "when;m3;load;ok;item\n", "no rows"),
        (CSV, "", "nothing"),
        ("12,5", '"12,5', "no CSV"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(WrongFile) as refusal:
        read(tmp_path, text=CSV.replace(old, new, 1))
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("time: {column: when", "time: {kolumn: when", "did you mean column?"),
        ("{column: m3}", "{column: m3, constant: 1}", "either"),
        ("Europe/Berlin", "CET+1", "no time zone"),
        ("delimiter: semicolon", "delimiter: ';'", "write one of comma, semicolon, tab"),
        (
            'outcome: {column: ok, values: {"yes": passed, "no": failed, "": unspecified}}',
            "outcome: {column: ok}",
            "words have no meaning",
        ),
        ("passed", "good", "write one of unspecified, passed, failed"),
        ("quantity: {column: m3}\n", "", "quantity is missing"),
    ],
)
def test_wrong_mappings_are_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(WrongFile) as refusal:
        read(tmp_path, mapping=MAPPING.replace(old, new, 1))
    assert sentence in str(refusal.value)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(MAPPING)
    mapping = read_mapping(tmp_path / "m.yaml")
    (tmp_path / "r.csv").write_bytes(b"when;m3;load;ok;item\n\xff\xfe;1;1;;\n")
    with pytest.raises(WrongFile, match="UTF-8"):
        read_csv(tmp_path / "r.csv", mapping)
    with pytest.raises(WrongFile, match="cannot be read"):
        read_csv(tmp_path / "missing.csv", mapping)
