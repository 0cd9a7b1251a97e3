"""A program for a test to kill: commits transactions, several at once, and prints each acknowledged key.

python -m tests.ledger.writer FOLDER
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from tests.ledger.consortium import ALPHA, BRAVO, MAJORITY, client, embedded


async def write(folder: Path) -> None:
    numbers = count()
    async with embedded(folder) as ledger:
        alpha = client(ledger)

        async def work() -> None:
            while True:
                key = f"{os.getpid()}-{next(numbers)}"
                await alpha.run("guarded_share", key, ALPHA, BRAVO, by=MAJORITY, value=b"private")
                print(key, flush=True)  # noqa: T201

        await asyncio.gather(*[work() for _ in range(8)])


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
