"""Files on disk that are always whole, the old version or the new one; they are on the disk when a call returns.

Private files and folders get their rights whatever the umask is: it can take rights away, even the owner's.
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


def replace_private(path: Path, data: bytes, *, mode: int = PRIVATE_FILE_MODE) -> None:
    """Creates or replaces `path`, readable by its owner only; the old file stays if that fails. Raises OSError."""
    _replace(path, data, mode)


def replace_public(path: Path, data: bytes) -> None:
    """Creates or replaces `path`, readable by everybody; the old file stays if that fails. Raises OSError."""
    _replace(path, data, PUBLIC_FILE_MODE)


def make_private_folder(path: Path) -> None:
    """Creates `path` and the missing folders above it, all for their owner only; nothing where `path` is there."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER_MODE)
            folder.chmod(PRIVATE_FOLDER_MODE)


def make_private(path: Path) -> None:
    """Creates a file, or takes others' rights on it away; for files that a library writes in place, as SQLite does.

    A file that is there is not opened: a process that closes a database's file loses its locks on it (POSIX).
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE_MODE))
    path.chmod(PRIVATE_FILE_MODE)


def open_private(path: Path) -> BinaryIO:
    """A new or emptied file for its owner only, open for writing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE_MODE)
    os.fchmod(descriptor, PRIVATE_FILE_MODE)
    return os.fdopen(descriptor, "wb")


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Locks the folder: other processes that lock it, too, wait until this ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def others_may_read(path: Path) -> bool:
    """Whether the group or others have any right on the file."""
    return bool(path.stat().st_mode & 0o077)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    with _temporary(path, data, mode) as temporary:
        # Unlike a rename, a link fails if the file is there already.
        os.link(temporary, path)


def _replace(path: Path, data: bytes, mode: int) -> None:
    with _temporary(path, data, mode) as temporary:
        temporary.replace(path)


@contextmanager
def _temporary(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A file beside `path` with the data, for the caller to link or rename; it is removed at the end."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_synced(temporary, data, mode)
        yield temporary
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    os.fchmod(descriptor, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes new names in the folder durable (POSIX leaves that to the folder's fsync)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
