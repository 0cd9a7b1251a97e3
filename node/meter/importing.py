"""Finds the readings of a file that the meter signs; an error names the first reading that is not decidable."""

from __future__ import annotations

from datetime import UTC, datetime

from chaincode.readings.columns import Columns
from node.errors import ReadingBackDated
from node.meter.csv_readings import CsvReadings
from node.meter.meter import SigningMeter
from node.meter.selection import chosen
from node.meter.signed_readings import SignedReadings


def new_readings(
    file: CsvReadings, meter: SigningMeter, notes: SignedReadings, *, same_time: bool = False
) -> Columns | None:
    """The readings of a file that the meter has not signed; None if it has signed all of them.

    With `same_time`, readings at the time of the newest signed one are further readings, even if the file lacks the
    signed ones. Raises ReadingBackDated with the row of a reading that can be neither new nor signed.
    """
    sifted = notes.sift(file.columns)
    newest = f"the last one that {meter.meter_id} has signed, of {_show(meter.last_time_us)}"
    if sifted.unnoted is not None:
        _refuse(
            file,
            sifted.unnoted,
            f"is not later than {newest}, and the meter's folder does not say whether it is charged: remove the "
            "rows that are charged already",
        )
    if sifted.late is not None:
        _refuse(
            file,
            sifted.late,
            f"is older than {newest}, and it is not charged: remove the row to import the rest, and propose a "
            "correction (zunft usage correct) for a reading that is late or replaces another one",
        )
    if sifted.doubtful is not None and not same_time:
        _refuse(
            file,
            sifted.doubtful,
            f"has the same time as {newest}, which is not in the file: add --same-time if both count; if it replaces "
            "the other one, propose a correction (zunft usage correct)",
        )
    return chosen(file.columns, sifted.new) if len(sifted.new) else None


def _refuse(file: CsvReadings, place: int, problem: str) -> None:
    time = _show(int(file.columns.time_us[place]))
    raise ReadingBackDated(f"{file.file}, row {file.lines[place]}: the reading of {time} {problem}")


def _show(time_us: int) -> str:
    """The time in UTC, to the microsecond where it is not a whole second."""
    moment = datetime.fromtimestamp(time_us // 10**6, UTC).replace(microsecond=time_us % 10**6)
    return moment.replace(tzinfo=None).isoformat(" ") + " UTC"
