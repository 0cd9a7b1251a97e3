"""Files that appear whole or not at all, and never replace another; private ones can be read by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PRIVATE_FILE_MODE = 0o600
PUBLIC_FILE_MODE = 0o644
PRIVATE_FOLDER_MODE = 0o700


def write_private(path: Path, data: bytes) -> None:
    """Creates `path`, readable by its owner only. Raises FileExistsError."""
    _write_new(path, data, PRIVATE_FILE_MODE)


def write_public(path: Path, data: bytes) -> None:
    """Creates `path`. Raises FileExistsError."""
    _write_new(path, data, PUBLIC_FILE_MODE)


def make_private_folder(path: Path) -> None:
    """Creates `path` for its owner only, unless it is there."""
    path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)


def others_may_read(path: Path) -> bool:
    """Whether group or others have any right on the file."""
    return bool(path.stat().st_mode & 0o077)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_synced(temporary, data, mode)
        # A link, unlike a rename, fails where there is a file already.
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
