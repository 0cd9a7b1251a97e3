"""Which files a meter has signed: an import that was interrupted continues, a file is never charged twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from node.errors import MeterFolderDamaged
from node.files import write_atomically

_NOTE = "imports.json"


def signed_readings(folder: Path, file: Path, next_sequence: int) -> int:
    """How many of the file's readings the meter in `folder` has signed; notes the import if it is new.

    `next_sequence` is the meter's. The note says with which sequence the file begins, so it is written once, before
    anything is signed. Raises MeterFolderDamaged.
    """
    notes = _read(folder / _NOTE)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest not in notes:
        write_atomically(folder / _NOTE, json.dumps(notes | {digest: next_sequence}).encode())
    return next_sequence - notes.get(digest, next_sequence)


def _read(path: Path) -> dict[str, int]:
    try:
        return {str(digest): int(sequence) for digest, sequence in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise MeterFolderDamaged(f"{path} cannot be read: restore it, or files could be charged twice") from error
