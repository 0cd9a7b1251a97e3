"""Standard output and standard error of commands: no letter and no full disk makes a command fail after its commit.

A letter that an encoding lacks is replaced. A command checks before it begins that its output can be written. If that
fails only afterwards, standard error says so, and a command with a commit is still a success.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class OutputLost(OSError):
    """The output of a command cannot be written."""


class Report:
    """A text stream that keeps the first error of writing in `lost`; it raises only BrokenPipeError."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost: OSError | None = None
        # Whether the command has a commit on the ledger.
        self.committed = False

    def write(self, text: str) -> int:
        if self.lost is None:
            try:
                self.stream.write(text)
            except BrokenPipeError:
                raise
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        if self.lost is None:
            try:
                self.stream.flush()
            except BrokenPipeError:
                raise
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = error
        # Writing the rest of the buffer would fail again when the program ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def reporting() -> Iterator[None]:
    """Makes standard output a Report within. Raises OutputLost if nothing can be written to it."""
    report = Report(_open())
    sys.stdout = report
    try:
        yield
        _finish(report)
    except SystemExit as end:
        if not end.code:
            _finish(report)
        raise
    finally:
        sys.stdout = report.stream


def _open() -> TextIO:
    nowhere = open(os.devnull, "w", encoding="utf-8") if None in (sys.stdout, sys.stderr) else None  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = nowhere
    if sys.stdout is None:
        sys.stdout = nowhere
        raise OutputLost("standard output is closed, nothing was done: send it to a file, a pipe or /dev/null")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    _check(sys.stdout)
    return sys.stdout


def note_commit() -> None:
    """Notes that the command has a commit on the ledger, and so is a success whatever becomes of its output."""
    if isinstance(sys.stdout, Report):
        sys.stdout.committed = True


def _finish(report: Report) -> None:
    """Flushes the output. Raises OutputLost if it is lost and the command has no commit."""
    with suppress(BrokenPipeError):
        report.flush()
    if report.lost is None:
        return
    if not report.committed:
        raise OutputLost(
            f"the output could not be written ({report.lost.strerror}): make room, then type the command again"
        )
    sys.stderr.write(
        f"zunft: the report could not be written ({report.lost.strerror}), but the command was carried out\n"
    )


def _check(stream: TextIO) -> None:
    try:
        descriptor = stream.fileno()
        status = os.fstat(descriptor)
    except (OSError, ValueError):
        return
    if _is_full(descriptor, status):
        raise OutputLost("standard output cannot be written (no space left), nothing was done: make room first")


def _is_full(descriptor: int, status: os.stat_result) -> bool:
    if stat.S_ISREG(status.st_mode):
        return not os.fstatvfs(descriptor).f_bavail
    full = "/dev/full"
    return stat.S_ISCHR(status.st_mode) and os.path.exists(full) and status.st_rdev == os.stat(full).st_rdev  # noqa: PTH110, PTH116
