"""The time that a client writes into its messages."""

from __future__ import annotations

import time
from collections.abc import Callable

# Microseconds since 1970 UTC.
ClockUs = Callable[[], int]


def system_clock_us() -> int:
    """The time by the machine's clock."""
    return time.time_ns() // 1_000
