"""Small transactions and confidential batches per second on the embedded ledger. Run: python -m tests.ledger.bench_embedded"""

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

from tests.ledger.consortium import ALPHA, BRAVO, Client, client, embedded


async def rate(name: str, count: int, one: Callable[[int], Awaitable[int]]) -> None:
    slots, times = asyncio.Semaphore(32), list[float]()

    async def run(index: int) -> None:
        async with slots:
            began = time.perf_counter()
            code = await one(index)
            if code:
                raise SystemExit(f"{name}: validation code {code}")
            times.append(time.perf_counter() - began)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[run(index) for index in range(count)])
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    times.sort()
    p50, p95 = times[count // 2] * 1000, times[count * 95 // 100] * 1000
    print(f"{name:24} {count / took:8.0f} tx/s  p50 {p50:.1f} ms  p95 {p95:.1f} ms  cpu {cpu / took:.2f}")  # noqa: T201


async def main(count: int, folder: Path) -> None:
    async with embedded(folder) as ledger:
        alpha: Client = client(ledger)
        for account in range(100):
            await alpha.run("guard_new", f"account{account}", ALPHA, BRAVO) if False else None
        await rate("put, majority of four", count, lambda i: alpha.run("put", f"key{i}", "x" * 100))
        await rate(
            "increment, two parties",
            count,
            lambda i: alpha.run("increment", f"own{i}", by=(ALPHA, BRAVO, "CharlieMSP")),
        )
        height = ledger.height
        value = os.urandom(90_000)
        batches = count // 8
        both = (ALPHA, BRAVO)
        await rate(
            "90 kB, two collections", batches, lambda i: alpha.run("share", f"b{i}", *both, by=both, value=value)
        )
        print(f"blocks {ledger.height}, transactions per block {2 * count / height:.1f}")  # noqa: T201
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")  # noqa: T201


if __name__ == "__main__":
    transactions = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        profile = cProfile.Profile()
        if "profile" in sys.argv:
            profile.enable()
        asyncio.run(main(transactions, Path(scratch)))
        if "profile" in sys.argv:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
