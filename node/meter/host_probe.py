"""Measures the computer as a machine: a process's use of it, as readings of a meter.

Two probes, because a meter counts one quantity: core-seconds, and bytes. Quantities are differences of rounded totals,
so that rounding never adds up. The times of readings never go back, even when the computer's clock is set.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from node.meter.reading import Reading


class Clock:
    """Microseconds since 1970 UTC: the wall clock at the start, then advanced by the monotonic clock."""

    def __init__(self, *, not_before_us: int = 0) -> None:
        self._offset_us = max(time.time_ns() // 1000, not_before_us) - time.monotonic_ns() // 1000

    def now_us(self) -> int:
        return self._offset_us + time.monotonic_ns() // 1000


class CoreProbe:
    """Core-seconds that a process and its finished children use; utilisation is the share of `cores`, speed in GHz."""

    def __init__(self, process: psutil.Process, clock: Clock, *, cores: int = 1) -> None:
        """A probe of the process; `cores` is the machine's number of cores, so 1000 per mille means all of them."""
        self._process = process
        self._clock = clock
        self._cores = cores
        self._last_us = clock.now_us()
        self._last_micro = _core_micro(process)

    def sample(self) -> Reading:
        """The usage since the sample before. Raises psutil.NoSuchProcess once the process is gone."""
        now_us, now_micro = self._clock.now_us(), _core_micro(self._process)
        used_micro, elapsed_us = now_micro - self._last_micro, now_us - self._last_us
        self._last_us, self._last_micro = now_us, now_micro
        return Reading(
            time_us=now_us,
            quantity_micro=used_micro,
            utilisation_milli=1000 * used_micro // max(elapsed_us * self._cores, 1),
            speed_milli=_clock_rate_mhz(),
        )


class ByteProbe:
    """Bytes that a process reads and writes; where the system does not count these, the network's bytes."""

    def __init__(self, process: psutil.Process, clock: Clock) -> None:
        self._count = _byte_counter(process)
        self._clock = clock
        self._last_bytes = self._count()

    def sample(self) -> Reading:
        """The bytes since the sample before, one unit each. Raises psutil.NoSuchProcess once the process is gone."""
        now_bytes = self._count()
        moved_bytes, self._last_bytes = now_bytes - self._last_bytes, now_bytes
        return Reading(time_us=self._clock.now_us(), quantity_micro=moved_bytes * 1_000_000)


def _core_micro(process: psutil.Process) -> int:
    times = process.cpu_times()
    used_s = times.user + times.system + times.children_user + times.children_system
    return round(used_s * 1_000_000)


def _clock_rate_mhz() -> int | None:
    """The clock rate in 10^-3 GHz; None where the computer does not report it, as in most virtual machines."""
    rate = psutil.cpu_freq()
    return round(rate.current) if rate else None


def _byte_counter(process: psutil.Process) -> Callable[[], int]:
    if hasattr(process, "io_counters"):
        return lambda: _process_bytes(process)
    return _network_bytes


def _process_bytes(process: psutil.Process) -> int:
    counters = process.io_counters()
    return int(counters.read_chars + counters.write_chars)


def _network_bytes() -> int:
    counters = psutil.net_io_counters()
    return int(counters.bytes_sent + counters.bytes_recv)
