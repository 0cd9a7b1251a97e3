"""Reads the notes of a version that identified a file by its bytes, with the readings signed from it."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

from node.errors import MeterFolderDamaged

_NOTE = "imports.json"


def sequences_of(folder: Path, file: Path, next_sequence: int) -> list[int]:
    """The sequences of the file's first readings that the meter in `folder` has signed, as that version noted them.

    Its notes are pairs of a file's SHA-256 and the first sequence signed from it; a pair holds up to the next one's.
    Raises MeterFolderDamaged.
    """
    note = folder / _NOTE
    if not note.exists() or not file.is_file():
        return []
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    starts = [(name, start) for name, start in _read(note) if start < next_sequence]
    runs = (range(start, end) for (name, start), (_, end) in pairwise([*starts, ("", next_sequence)]) if name == digest)
    return [sequence for run in runs for sequence in run]


def _read(note: Path) -> list[tuple[str, int]]:
    try:
        return [(str(digest), int(start)) for digest, start in json.loads(note.read_bytes())]
    except (ValueError, TypeError) as error:
        raise MeterFolderDamaged(
            f"{note} cannot be read: restore it, because files could be charged twice without it"
        ) from error
