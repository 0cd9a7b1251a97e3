"""Files that appear whole or not at all; private ones can be read by their owner only, and replace no other.

What is private is so whatever the umask, which can take rights away, also the owner's, but gives none.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PRIVATE_FILE_MODE = 0o600
PUBLIC_FILE_MODE = 0o644
PRIVATE_FOLDER_MODE = 0o700


def write_private(path: Path, data: bytes) -> None:
    """Creates `path`, readable by its owner only. Raises FileExistsError."""
    _write_new(path, data, PRIVATE_FILE_MODE)


def write_public(path: Path, data: bytes) -> None:
    """Creates `path`. Raises FileExistsError."""
    _write_new(path, data, PUBLIC_FILE_MODE)


def replace_public(path: Path, data: bytes) -> None:
    """Creates `path`, or puts it in the place of the one there is."""
    temporary = _temporary(path)
    try:
        _write_synced(temporary, data, PUBLIC_FILE_MODE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def make_private_folder(path: Path) -> None:
    """Creates `path` for its owner only, and the folders above that are missing, unless it is there."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER_MODE)
            folder.chmod(PRIVATE_FOLDER_MODE)


def make_private(path: Path) -> None:
    """A file that a library writes in place, as SQLite does: creates it, or takes others' rights on it away.

    One that is there is not opened: a process that closes a database's file loses its locks on it (POSIX).
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE_MODE))
    path.chmod(PRIVATE_FILE_MODE)


def open_private(path: Path) -> BinaryIO:
    """To be written from its beginning."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE_MODE)
    os.fchmod(descriptor, PRIVATE_FILE_MODE)
    return os.fdopen(descriptor, "wb")


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Other processes that ask the same for this folder wait as long as this lasts."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def others_may_read(path: Path) -> bool:
    """Whether group or others have any right on the file."""
    return bool(path.stat().st_mode & 0o077)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    temporary = _temporary(path)
    try:
        _write_synced(temporary, data, mode)
        # A link, unlike a rename, fails where there is a file already.
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.fchmod(descriptor, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
