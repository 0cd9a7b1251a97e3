"""What a meter has signed of which file, whatever came in between."""

from __future__ import annotations

from pathlib import Path

from node.meter.imports import signed_readings


def test_each_file_continues_where_it_stopped(tmp_path: Path) -> None:
    january, february = tmp_path / "january.csv", tmp_path / "february.csv"
    january.write_text("1")
    february.write_text("2")
    assert signed_readings(tmp_path, january, 1) == 0
    assert signed_readings(tmp_path, january, 41) == 40
    assert signed_readings(tmp_path, february, 41) == 0
    assert signed_readings(tmp_path, january, 141) == 40
    assert signed_readings(tmp_path, february, 151) == 100
    assert signed_readings(tmp_path, january, 151) == 50


def test_what_was_refused_was_not_signed(tmp_path: Path) -> None:
    january, february = tmp_path / "january.csv", tmp_path / "february.csv"
    january.write_text("1")
    february.write_text("2")
    signed_readings(tmp_path, january, 1)
    signed_readings(tmp_path, february, 101)
    # The ledger refused batches that the node had taken: the meter goes on at 31.
    assert signed_readings(tmp_path, january, 31) == 30
    assert signed_readings(tmp_path, january, 141) == 140
    assert signed_readings(tmp_path, february, 141) == 0
