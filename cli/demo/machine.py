"""The demo's machine: a process of its own that works at a given load.

As a program it reads one word a line from standard input: light, medium, heavy or stop.
"""

from __future__ import annotations

import hashlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import psutil

# The share of one core that each load uses.
SHARES: Mapping[str, float] = {"stop": 0.0, "light": 0.15, "medium": 0.48, "heavy": 0.97}
WINDOW_S = 0.05
BYTES_PER_WINDOW = 500


class Machine:
    """The machine's process, which it starts, sets to a load, and ends."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "cli.demo.machine"]
        self._process = subprocess.Popen(  # noqa: S603  # this very program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # The bytes that it reads in order to start are not the customer's usage.
        assert self._process.stdout is not None  # noqa: S101  # it was opened with a pipe
        self._process.stdout.readline()
        self.process = psutil.Process(self._process.pid)

    def set_load(self, word: str) -> None:
        """Makes the machine work at this load, one of SHARES."""
        assert self._process.stdin is not None  # noqa: S101  # it was opened with a pipe
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def work() -> None:
    """Works at the loads that it reads, until standard input ends."""
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    share = 0.0
    with open(os.devnull, "wb", buffering=0) as sink:  # noqa: PTH123  # a device, not a file of ours
        while True:
            ready, _, _ = select.select([sys.stdin], [], [], 0)
            if ready:
                word = sys.stdin.readline().strip()
                if not word:
                    return
                share = SHARES[word]
            _work_for(share * WINDOW_S)
            if share:
                sink.write(bytes(BYTES_PER_WINDOW))
            time.sleep((1 - share) * WINDOW_S)


def _work_for(seconds: float) -> None:
    """Keeps one core busy for `seconds`."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        hashlib.sha256(bytes(4096)).digest()


if __name__ == "__main__":
    work()
