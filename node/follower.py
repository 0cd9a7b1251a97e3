"""Keeps the read model up with the ledger's blocks, across every interruption."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing

import structlog

from node.errors import NodeError
from node.ledger.block_reader import MalformedBlock, read_block
from node.ledger.gateway import Gateway
from node.read_model.read_model import ReadModel

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0

log = structlog.get_logger()


class Follower:
    """Runs from `start` until `stop`, or until the ledger is found not to be the one the read model was built from."""

    def __init__(
        self,
        gateway: Gateway,
        read_model: ReadModel,
        *,
        account_changed: Callable[[str], None],
        reachable: Callable[[bool], None],
    ) -> None:
        """`account_changed` is told each agreement that a block concerns, `reachable` whether blocks can be read."""
        self._gateway = gateway
        self._read_model = read_model
        self._account_changed = account_changed
        self._reachable = reachable
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        """The task that follows. It ends with LedgerMismatch, MalformedBlock, DiskFull or DatabaseDamaged only."""
        self._task = asyncio.create_task(self._run())
        return self._task

    async def stop(self) -> None:
        """Between two blocks."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (MalformedBlock, NodeError) as error:
                self._reachable(False)
                log.critical("the node stops following the ledger", error=str(error))
                raise
            except Exception as error:  # the ledger's end of the stream may break in any way
                await self._pause(error)

    async def _follow(self) -> None:
        async with aclosing(self._gateway.blocks(self._read_model.height, private_data=True)) as blocks:
            async for block in blocks:
                for agreement_id in sorted(self._read_model.apply(read_block(block))):
                    self._account_changed(agreement_id)
                self._reachable(True)
                self._failures = 0

    async def _pause(self, error: Exception) -> None:
        self._reachable(False)
        log.warning("no blocks from the ledger", error=repr(error), height=self._read_model.height)
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures)
        self._failures += 1
        # Nothing secret depends on it.
        await asyncio.sleep(longest_s * random.uniform(0.5, 1))  # noqa: S311
