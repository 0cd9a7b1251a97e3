"""A member's node that kills itself (-9) right after a step of a transaction, before it sees the step's answer.

python -m tests.faults.dying_node HOME MEMBER STEP CALLS    (STEP: endorse, submit, commit_status; at its CALLS-th call)
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from consortium.folder.topology import Topology
from ledger.connect import connect
from ledger.transport import LedgerTransport
from node.local import node_of


class Dying:
    """A transport that kills its process at the `calls`-th answer to `step`."""

    def __init__(self, transport: LedgerTransport, step: str, calls: int) -> None:
        self._transport = transport
        self._step = step
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._last if name == self._step else getattr(self._transport, name)

    async def _last(self, request: Any) -> Any:
        answer = await getattr(self._transport, self._step)(request)
        self._calls -= 1
        if not self._calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


async def work(home: Path, name: str, step: str, calls: int) -> None:
    topology = Topology.load(home)
    member = topology.member(name)
    async with node_of(topology, member, Dying(connect(topology, member), step, calls)) as node:  # type: ignore[arg-type]
        await node.run()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
