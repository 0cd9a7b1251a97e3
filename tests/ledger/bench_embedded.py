"""Measures transactions per second on the embedded ledger: client and ledger in one process, 32 in flight.

python -m tests.ledger.bench_embedded [COUNT] [profile]
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.ledger.consortium import ALPHA, BRAVO, client, embedded

IN_FLIGHT = 32
BOTH = (ALPHA, BRAVO)


async def rate(name: str, count: int, one: Callable[[int], Awaitable[int]]) -> None:
    """Runs `one` so many times, and prints its rate and its times. Every transaction must be VALID."""
    slots, times_ms = asyncio.Semaphore(IN_FLIGHT), list[float]()

    async def run(index: int) -> None:
        async with slots:
            began = time.perf_counter()
            code = await one(index)
            times_ms.append((time.perf_counter() - began) * 1000)
        if code:
            raise SystemExit(f"{name}: validation code {code}")

    began = time.perf_counter()
    await asyncio.gather(*[run(index) for index in range(count)])
    took_s = time.perf_counter() - began
    times_ms.sort()
    middle, late = times_ms[count // 2], times_ms[count * 95 // 100]
    print(f"{name:32}{count / took_s:8.0f} tx/s   p50 {middle:5.1f} ms   p95 {late:5.1f} ms")  # noqa: T201


async def main(count: int, folder: Path) -> None:
    async with embedded(folder) as ledger:
        alpha = client(ledger)
        value = os.urandom(90_000)
        await rate("put, three of four endorse", count, lambda i: alpha.run("put", f"key{i}", "1"))
        await rate("guard, three of four endorse", count, lambda i: alpha.run("guard", f"key{i}", *BOTH))
        await rate("increment, two parties endorse", count, lambda i: alpha.run("increment", f"key{i}"))
        await rate(
            "90 kB into two collections", count // 5, lambda i: alpha.run("share", f"b{i}", *BOTH, by=BOTH, value=value)
        )
        print(f"{4 * count // ledger.height} transactions per block")  # noqa: T201
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")  # noqa: T201


if __name__ == "__main__":
    transactions = int(sys.argv[1]) if sys.argv[1:] else 3000
    profile = cProfile.Profile() if "profile" in sys.argv else None
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        if profile:
            profile.enable()
        asyncio.run(main(transactions, Path(scratch)))
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
