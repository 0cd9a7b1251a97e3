"""The readings that a meter has signed, so that none is charged twice, even from several files.

A reading is identified by its time and content, and by its place among equal ones: the third of three equal readings is
not the second. An import notes each reading in the folder's `readings.db` before the meter signs it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from chaincode.readings.columns import (
    Columns,
    Int64Column,
)
from node.database import REMEDIES, Durability, open_database, transaction
from node.meter.meter import SigningMeter

_FILE = "readings.db"
_SCHEMA = """
CREATE TABLE reading (sequence INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, content BLOB NOT NULL);
CREATE INDEX reading_by_time ON reading (time_us);
-- The number of signed readings that no import has noted, and the latest time that they can have.
CREATE TABLE unnoted (readings INTEGER NOT NULL, until_us INTEGER NOT NULL);
INSERT INTO unnoted VALUES (0, -1)
"""
_SCHEMA_VERSION = 1
_REMEDIES = replace(REMEDIES, damaged="restore the meter's folder")
_CONTENT_BYTES = 16
_ABSENT = -(2**63)

# The time of a reading, and the hash of its content.
_Key = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Sifted:
    """The new readings of a file, and the first of each kind that cannot be taken, by their places in the file."""

    new: Int64Column
    # New, but older than the newest signed one.
    late: int | None
    # New, at the same time as the newest signed one, in a file that lacks readings signed for that time.
    doubtful: int | None
    # New, but not later than signed readings that are not noted.
    unnoted: int | None


class SignedReadings:
    """The notes in a meter's folder, on which this process has the lock."""

    def __init__(self, folder: Path, meter: SigningMeter) -> None:
        """Opens the notes and matches them with the meter's state. Raises DatabaseDamaged, DiskFull."""
        self._path, self._meter = folder / _FILE, meter
        self._connection = open_database(
            self._path,
            _SCHEMA,
            version=_SCHEMA_VERSION,
            durability=Durability.FULL,
            remedies=_REMEDIES,
        )
        self._match_meter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def sift(self, columns: Columns) -> Sifted:
        """Sifts a file's readings, which are in the order of time, for those that the meter has not signed."""
        keys = list(_keys(columns))
        signed = self._signed(set(keys), int(columns.time_us[0]), int(columns.time_us[-1]))
        missing, new = signed.copy(), []
        for index, key in enumerate(keys):
            if missing[key] > 0:
                missing[key] -= 1
            else:
                new.append(index)
        times_us, last_us = columns.time_us[new], self._meter.last_time_us
        return Sifted(
            new=np.array(new, np.int64),
            late=_first(new, times_us < last_us),
            doubtful=_first(new, times_us == last_us) if self._lacks_newest(missing) else None,
            unnoted=_first(new, times_us <= self._unnoted_until_us()),
        )

    def note(self, columns: Columns) -> None:
        """Notes the readings that the meter signs next; call it before. Raises DatabaseDamaged, DiskFull."""
        first = self._meter.next_sequence
        rows = [(first + place, time_us, content) for place, (time_us, content) in enumerate(_keys(columns))]
        with transaction(self._connection, self._path, _REMEDIES):
            self._connection.execute("DELETE FROM reading WHERE sequence >= ?", (first,))
            self._connection.executemany("INSERT INTO reading VALUES (?, ?, ?)", rows)

    def adopt(self, columns: Columns, sequences: Sequence[int]) -> None:
        """Notes a file's first readings as signed with these sequences; an earlier version did not note them here."""
        rows = [(sequence, *key) for sequence, key in zip(sequences, _keys(columns), strict=False)]
        with transaction(self._connection, self._path, _REMEDIES):
            self._connection.executemany("INSERT OR IGNORE INTO reading VALUES (?, ?, ?)", rows)
        self._match_meter()

    def _match_meter(self) -> None:
        """Corrects the notes by the meter, which may have left noted readings unsigned, gone back, or signed others."""
        next_sequence = self._meter.next_sequence
        with transaction(self._connection, self._path, _REMEDIES):
            self._connection.execute("DELETE FROM reading WHERE sequence >= ?", (next_sequence,))
            [noted] = self._connection.execute("SELECT count(*) FROM reading").fetchone()
            self._connection.execute(
                "UPDATE unnoted SET readings = ?1, until_us = ?2 WHERE readings <> ?1",
                (next_sequence - 1 - noted, self._meter.last_time_us if next_sequence - 1 > noted else -1),
            )

    def _signed(self, wanted: set[_Key], first_us: int, last_us: int) -> Counter[_Key]:
        """The number of signed readings by key: of the wanted keys, and of all keys at the newest signed time."""
        newest_us = self._meter.last_time_us
        rows = self._connection.execute(
            "SELECT time_us, content FROM reading WHERE time_us BETWEEN ? AND ?", (first_us, last_us)
        )
        keys = ((int(time_us), bytes(content)) for time_us, content in rows)
        return Counter(key for key in keys if key in wanted or key[0] == newest_us)

    def _lacks_newest(self, missing: Counter[_Key]) -> bool:
        """Whether the file lacks a reading that the meter has signed for its newest time."""
        newest_us = self._meter.last_time_us
        return any(count > 0 and time_us == newest_us for (time_us, _), count in missing.items())

    def _unnoted_until_us(self) -> int:
        [until_us] = self._connection.execute("SELECT until_us FROM unnoted").fetchone()
        return int(until_us)


def _keys(columns: Columns) -> Iterator[_Key]:
    numbers = np.column_stack(
        [
            columns.time_us,
            columns.quantity_micro,
            *(_numbers(column, _ABSENT, len(columns)) for column in (columns.utilisation_milli, columns.speed_milli)),
            _numbers(columns.outcome, 0, len(columns)),
        ]
    )
    names = [
        (_numbers(column, 0, len(columns)), ("", *known))
        for column, known in (
            (columns.step, columns.steps),
            (columns.work_item, columns.work_items),
            (columns.location, columns.locations),
        )
    ]
    for index, time_us in enumerate(columns.time_us.tolist()):
        # A length before each name: no two readings have the same bytes.
        texts = [known[column[index]].encode() for column, known in names]
        data = numbers[index].tobytes() + b"".join(len(text).to_bytes(4, "little") + text for text in texts)
        yield time_us, hashlib.blake2b(data, digest_size=_CONTENT_BYTES).digest()


def _numbers(column: Int64Column | None, absent: int, length: int) -> Int64Column:
    return np.full(length, absent, np.int64) if column is None else column


def _first(places: list[int], those: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    """The place in the file of the first of `places` where `those` is true; None if there is none."""
    found = np.flatnonzero(those)
    return places[int(found[0])] if len(found) else None
