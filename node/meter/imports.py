"""Which files a meter has signed: an import that was interrupted continues, a file is never charged twice."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

from node.errors import MeterFolderDamaged
from node.files import write_atomically

_NOTE = "imports.json"

# The digest of a file, and the sequence from which on the meter signed its readings, up to the next entry's.
_Notes = list[tuple[str, int]]


def signed_readings(folder: Path, file: Path, next_sequence: int) -> int:
    """How many of the file's readings the meter in `folder` has signed; notes that it goes on with this file.

    `next_sequence` is the meter's; where it went back, because batches were refused, the notes follow. The note is
    written before anything is signed. Raises MeterFolderDamaged.
    """
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    noted = _read(folder / _NOTE)
    notes = [(name, start) for name, start in noted if start < next_sequence]
    signed = sum(end - start for (name, start), (_, end) in pairwise([*notes, ("", next_sequence)]) if name == digest)
    if not notes or notes[-1][0] != digest:
        notes.append((digest, next_sequence))
    if notes != noted:
        write_atomically(folder / _NOTE, json.dumps(notes).encode())
    return signed


def _read(path: Path) -> _Notes:
    try:
        return [(str(digest), int(start)) for digest, start in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise MeterFolderDamaged(f"{path} cannot be read: restore it, or files could be charged twice") from error
