"""Checks of signatures on a thread beside the event loop.

Verification releases the interpreter's lock, so a second core can do it. Jobs are taken in groups: under load one
wake-up of the loop answers many of them.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple

from node.ledger.embedded.identity import Identity

GROUP = 16


class Claim(NamedTuple):
    """That `identity` signed `message`."""

    identity: Identity
    message: bytes
    signature: bytes

    def holds(self) -> bool:
        return self.identity.signed(self.message, self.signature)


class Job(NamedTuple):
    claims: Sequence[Claim]
    answer: asyncio.Future[list[bool]]


class Signatures:
    """One checking thread, started with the first check and ended by `close`. Belongs to one event loop."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def check(self, identity: Identity, message: bytes, signature: bytes) -> bool:
        return (await self.check_all([Claim(identity, message, signature)]))[0]

    async def check_all(self, claims: Sequence[Claim]) -> list[bool]:
        """Which of the claims hold, in their order."""
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(loop,), name="signatures", daemon=True)
            self._thread.start()
        job = Job(claims, loop.create_future())
        self._jobs.put(job)
        return await job.answer

    def close(self) -> None:
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        running = True
        while running:
            group = self._next_group()
            jobs = [job for job in group if job is not None]
            checked = [(job.answer, [claim.holds() for claim in job.claims]) for job in jobs]
            loop.call_soon_threadsafe(answer_all, checked)
            running = len(jobs) == len(group)

    def _next_group(self) -> list[Job | None]:
        """Waits for a job and takes what else is there; a None at its end means that the thread shall end."""
        group = [self._jobs.get()]
        while group[-1] is not None and len(group) < GROUP and not self._jobs.empty():
            group.append(self._jobs.get())
        return group


def answer_all(checked: Sequence[tuple[asyncio.Future[list[bool]], list[bool]]]) -> None:
    for answer, result in checked:
        if not answer.done():
            answer.set_result(result)
