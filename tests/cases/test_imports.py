"""Imports: a reading is charged once, in whatever file it comes, and every signed batch can be delivered."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaincode.readings.batch import decode_batch
from chaincode.readings.columns import Columns
from consortium.exit_codes import ExitCode
from node.errors import BatchTooLarge
from node.meter.csv_readings import CsvReadings
from node.meter.importing import new_readings
from node.meter.meter import BATCH_BYTES_MAX, NODE_BYTES_MAX, SigningMeter
from node.meter.reading import Reading
from node.meter.signed_readings import SignedReadings
from tests.cases.files import BERLIN, rows
from tests.cli.program import Outcome, Zunft, finish


def charge(zunft: Zunft, text: str | bytes, meter: str = "m1", more: str = "") -> Outcome:
    """Imports a file with this text, always under the same name."""
    file, mapping = zunft.home.parent / "readings.csv", zunft.home.parent / "mapping.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return zunft(f"usage import {meter} {file} --mapping {mapping} --as maker {more}")


def used(zunft: Zunft) -> str:
    outcome = zunft.must("node balance power-1 --as factory --json").json
    return str(outcome["accrued_micro"] // 10**6)


def csv_of(*pairs: tuple[str, int]) -> str:
    return "when,kwh\n" + "".join(f"{time},{kwh}\n" for time, kwh in pairs)


# --- the same readings in other files ---------------------------------------------------------------------------------


def test_a_file_that_was_saved_again_is_not_charged_again(zunft: Zunft) -> None:
    text = csv_of(("2026-03-02 00:15", 24))
    assert charge(zunft, text).exit_code == 0
    for again in (text.replace("\n", "\r\n"), "\ufeff" + text, text.replace("24", "24.000"), text.replace(" ", "T")):
        assert "0 readings of m1 are charged (1 were charged before)" in charge(zunft, again).stdout
    assert used(zunft) == "24"


def test_a_file_may_begin_with_readings_that_are_charged(zunft: Zunft) -> None:
    first, second, third, fourth = (
        ("2026-03-01 00:15", 5),
        ("2026-03-01 00:30", 7),
        ("2026-03-01 00:45", 9),
        ("2026-03-02 00:15", 4),
    )
    assert charge(zunft, csv_of(first, second)).exit_code == 0
    assert "1 readings of m1 are charged (1 were charged before)" in charge(zunft, csv_of(second, third)).stdout
    assert (
        "1 readings of m1 are charged (3 were charged before)"
        in charge(zunft, csv_of(first, second, third, fourth)).stdout
    )
    assert used(zunft) == "25"


def test_a_reading_that_is_neither_new_nor_charged_is_refused_with_its_row(zunft: Zunft) -> None:
    assert charge(zunft, csv_of(("2026-03-01 00:15", 5), ("2026-03-01 00:30", 7))).exit_code == 0
    changed = charge(zunft, csv_of(("2026-03-01 00:15", 6), ("2026-03-01 00:30", 7), ("2026-03-01 00:45", 9)))
    assert changed.exit_code == ExitCode.REFUSED
    assert (
        "readings.csv, row 2: the reading of 2026-02-28 23:15:00 UTC is older than the last one that" in changed.stderr
    )
    assert "zunft usage correct" in changed.stderr
    corrected = csv_of(("2026-03-01 00:15", 5), ("2026-03-01 00:30", 8))
    assert "row 3" in charge(zunft, corrected).stderr
    assert used(zunft) == "12"
    assert "1 readings of m1 are charged (1 were charged before)" in charge(zunft, corrected, more="--same-time").stdout
    assert used(zunft) == "20"


def test_the_same_rows_of_the_next_shift_are_other_readings(zunft: Zunft) -> None:
    shift = "part,ok\n1,yes\n2,yes\n3,yes\n"
    for day in (2, 3):
        time = f"time: {{begin: 2026-03-0{day} 06:00, every_s: 600, time_zone: Europe/Berlin}}"
        (zunft.home.parent / "mapping.yaml").write_text(f"{time}\nquantity: {{constant: 1}}\n")
        assert "3 readings of m1 are charged; " in charge(zunft, shift).stdout
        assert "No reading of the file is new" in charge(zunft, shift).stdout
    assert used(zunft) == "6"


def test_readings_from_a_pipe_are_all_charged(zunft: Zunft) -> None:
    pipe = zunft.home.parent / "pipe"
    os.mkfifo(pipe)
    for kwh in ((1, 2), (10, 20, 40)):
        text = csv_of(*((f"2026-03-0{len(kwh)} 00:{quarter:02d}", one) for quarter, one in enumerate(kwh)))
        writer = threading.Thread(target=pipe.write_text, args=[text])
        writer.start()
        zunft.must(f"usage import m1 {pipe} --mapping {zunft.home.parent}/mapping.yaml --as maker")
        writer.join()
    assert used(zunft) == "73"


def test_a_folder_of_an_earlier_version_charges_nothing_twice(zunft: Zunft) -> None:
    """Its readings were imported by a version that noted files and not readings."""
    assert charge(zunft, csv_of(("2026-03-01 00:15", 5))).exit_code == 0
    for file in (zunft.home / "members/maker/meters/m1").glob("readings.db*"):
        file.unlink()
    again = charge(zunft, csv_of(("2026-03-01 00:15", 5), ("2026-03-01 00:30", 7)))
    assert again.exit_code == ExitCode.REFUSED
    assert "row 2" in again.stderr
    assert "remove the rows that are charged already" in again.stderr
    assert "1 readings of m1 are charged; " in charge(zunft, csv_of(("2026-03-01 00:30", 7))).stdout
    assert used(zunft) == "12"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 2)), min_size=1, max_size=12), st.data())
def test_every_reading_is_signed_once_whatever_the_files(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Exports grow or begin later, and imports are killed after a note or after a batch."""
    readings = sorted(taken, key=lambda one: one[0])
    folder = tmp_path_factory.mktemp("meter")
    SigningMeter.create(folder, meter_id="m", agreement_id="a")
    signed: list[tuple[int, int]] = []
    for end in [*sorted(data.draw(st.lists(st.integers(1, len(readings)), max_size=4))), len(readings)]:
        # A later export begins at a moment, not between two equal ones.
        begin = data.draw(st.sampled_from([0, *(i for i in range(1, end) if readings[i - 1][0] < readings[i][0])]))
        begin = min(begin, len(signed))
        while begin and readings[begin - 1][0] == readings[begin][0]:
            begin -= 1
        part = np.array(readings[begin:end], np.int64)
        file = CsvReadings(folder, Columns(part[:, 0].copy(), part[:, 1].copy()), np.arange(len(part)))
        meter = SigningMeter.open(folder)
        with SignedReadings(folder, meter) as notes:
            new = new_readings(file, meter, notes)
            for piece in meter.pieces(new, data.draw(st.integers(1, 5))) if new else ():
                notes.note(piece)
                if data.draw(st.sampled_from([True, True, False])):
                    _, columns = decode_batch(meter.seal(piece).batch)
                    signed += zip(columns.time_us.tolist(), columns.quantity_micro.tolist(), strict=True)
                else:
                    break
    meter = SigningMeter.open(folder)
    with SignedReadings(folder, meter) as notes:
        everything = np.array(readings, np.int64)
        columns = Columns(everything[:, 0].copy(), everything[:, 1].copy())
        rest = new_readings(CsvReadings(folder, columns, np.arange(len(readings))), meter, notes)
    left = [] if rest is None else list(zip(rest.time_us.tolist(), rest.quantity_micro.tolist(), strict=True))
    assert sorted(signed + left) == sorted(readings)


# --- one owner --------------------------------------------------------------------------------------------------------


def test_a_meters_folder_has_one_owner_at_a_time(zunft: Zunft) -> None:
    files = zunft.home.parent
    for name, day in (("c", 12), ("d", 13)):
        times = (f"2026-03-{day} {minute // 60:02d}:{minute % 60:02d}" for minute in range(120))
        (files / f"{name}.csv").write_text(rows(*times))
    words = "usage import m2 {}.csv --batch 2 --mapping mapping.yaml --as maker"
    started = [
        zunft.start(words.format(files / name).replace("mapping.yaml", f"{files}/mapping.yaml")) for name in "cd"
    ]
    first, second = sorted((finish(process) for process in started), key=lambda outcome: outcome.exit_code)
    assert first.exit_code == 0
    assert second.exit_code in (0, ExitCode.MACHINE, ExitCode.REFUSED), second.stderr
    assert used(zunft) in ("120", "240")
    again = [charge(zunft, (files / f"{name}.csv").read_text(), "m2") for name in "cd"]
    # Where the later day was first, the earlier one is refused with its row, and nothing is noted for it.
    assert [outcome.exit_code for outcome in again] in ([0, 0], [ExitCode.REFUSED, 0])
    assert used(zunft) == str(120 * sum(outcome.exit_code == 0 for outcome in again))


def test_the_refusal_of_another_process_names_the_meter_s_owner(zunft: Zunft) -> None:
    meter = SigningMeter.open(zunft.home / "members/maker/meters/m2")
    file = zunft.home.parent / "readings.csv"
    file.write_text(rows("2026-03-02 08:00"))
    outcome = zunft.run(f"usage import m2 {file} --mapping {file.parent}/mapping.yaml --as maker")
    assert outcome.exit_code == ExitCode.MACHINE
    assert f"process {os.getpid()} has the meter" in outcome.stderr
    assert not (zunft.home / "members/maker/meters/m2/readings.db").exists()
    assert meter.next_sequence == 1
    del meter
    assert zunft.run(f"usage import m2 {file} --mapping {file.parent}/mapping.yaml --as maker").exit_code == 0


# --- batches that can be delivered ------------------------------------------------------------------------------------


def test_readings_that_make_a_large_batch_are_cut_before_they_are_signed(zunft: Zunft) -> None:
    (zunft.home.parent / "mapping.yaml").write_text(BERLIN + "work_item: {column: item}\n")
    lines = (f"2026-03-01 {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d},0.01,{s:0200d}\n" for s in range(6_000))
    text = "when,kwh,item\n" + "".join(lines)
    assert "6,000 readings of m1 are charged; " in charge(zunft, text, more="--batch 100000").stdout
    assert "0 readings of m1 are charged (6,000 were charged before)" in charge(zunft, text).stdout
    assert charge(zunft, "when,kwh,item\n2026-03-02 00:15,1,x\n").exit_code == 0
    assert used(zunft) == "61"


def test_a_name_that_no_batch_can_hold_is_refused_with_its_row(zunft: Zunft) -> None:
    (zunft.home.parent / "mapping.yaml").write_text(BERLIN + "work_item: {column: item}\n")
    outcome = charge(zunft, f"when,kwh,item\n2026-03-02 00:15,1,{'ü' * 129}\n")
    assert outcome.exit_code == ExitCode.USAGE
    assert "row 2, column item" in outcome.stderr
    assert charge(zunft, f"when,kwh,item\n2026-03-02 00:15,1,{'ü' * 128}\n").exit_code == 0


def test_a_meter_never_signs_a_batch_that_cannot_be_delivered(tmp_path: Path) -> None:
    meter = SigningMeter.create(tmp_path, meter_id="m", agreement_id="a")
    for index in range(6_000):
        meter.record(Reading(index, 1, work_item=f"{index:0250d}"))
    whole = [signed for signed in iter(meter.flush, None) if signed]
    assert max(len(signed.batch) for signed in whole) <= BATCH_BYTES_MAX
    assert sum(decode_batch(signed.batch)[0].reading_count for signed in whole) == 6_000
    names = tuple(f"{index:0250d}" for index in range(6_000))
    numbers = np.arange(6_000, dtype=np.int64)
    with pytest.raises(BatchTooLarge, match=r"about 3,?[0-9]{3} at a time"):
        meter.seal(Columns(numbers + 6_000, numbers, work_item=numbers + 1, work_items=names))
    assert meter.next_sequence == 6_001


def test_a_meter_that_was_stuck_with_a_large_batch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version without a limit has signed the large batch."""
    meter = SigningMeter.create(tmp_path, meter_id="m", agreement_id="a")
    meter.record(Reading(1, 1))
    kept = meter.flush()
    names = tuple(f"{index:0250d}" for index in range(70_000))
    numbers = np.arange(70_000, dtype=np.int64)
    with monkeypatch.context() as before:
        before.setattr("node.meter.meter.BATCH_BYTES_MAX", 10**9)
        assert (
            len(meter.seal(Columns(numbers + 2, numbers, work_item=numbers + 1, work_items=names)).batch)
            > NODE_BYTES_MAX
        )
        meter.seal(Columns(numbers[:1] + 90_000, numbers[:1]))
    del meter

    batches = [(signed, *decode_batch(signed.batch)) for signed in SigningMeter.open(tmp_path).unacknowledged()]
    assert batches[0][0] == kept
    assert max(len(signed.batch) for signed, _, _ in batches) <= BATCH_BYTES_MAX
    assert sum(batch.reading_count for _, batch, _ in batches) == 70_002
    assert SigningMeter.open(tmp_path).next_sequence == 70_003
