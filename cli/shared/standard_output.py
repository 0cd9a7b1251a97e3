"""Standard output and standard error, as commands write to them: no letter and no full disk is taken for a failure.

What an encoding lacks is shown by a substitute. What cannot be written is asked before anything is done; where it fails
only afterwards, that is said on standard error, and what was committed stays a success.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class OutputLost(OSError):
    """What a command says cannot be written."""


class Report:
    """A text stream that remembers what kept it from being written; only that nobody reads it any more is raised."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost: OSError | None = None
        # Whether the ledger has what this command was for.
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
        # What is left in the buffer would fail again when the program ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def reporting() -> Iterator[None]:
    """Standard output is a Report within. Raises OutputLost where nothing can be written to it."""
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
    """The ledger has it: whatever becomes of the report, the command did what it was for."""
    if isinstance(sys.stdout, Report):
        sys.stdout.committed = True


def _finish(report: Report) -> None:
    """Raises OutputLost where the report was all that was wanted."""
    with suppress(BrokenPipeError):
        report.flush()
    if report.lost is None:
        return
    if not report.committed:
        raise OutputLost(f"what was asked for could not be written ({report.lost.strerror}): make room, then ask again")
    sys.stderr.write(f"zunft: the report could not be written ({report.lost.strerror}), but what it tells is done\n")


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
