"""Reads a process's log."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from network.errors import NoLog

POLL_S = 0.2

# The codes that colour text on a terminal. Source: ECMA-48, "SELECT GRAPHIC RENDITION".
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def read_log(path: Path, last: int, *, follow: bool) -> Iterator[str]:
    """The newest `last` lines of a log; with `follow` also all lines to come, without end. Raises NoLog."""
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise NoLog(f"there is no log {path} yet: zunft network up") from error
    with file:
        yield from deque(file, maxlen=last)
        while follow:
            written = file.readline()
            if written:
                yield written
            else:
                time.sleep(POLL_S)


def without_colours(text: str) -> str:
    """The text without codes for colours, for a file or a pipe."""
    return _COLOUR.sub("", text)
