"""Keeps the read model up with the ledger's blocks, across every interruption."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing

import structlog

from chaincode.stub import implicit_collection
from node.errors import NodeError
from node.ledger.block_reader import MalformedBlock, read_block, undelivered
from node.ledger.errors import LedgerError
from node.ledger.gateway import Gateway
from node.read_model.read_model import ReadModel

# How long a node that starts waits for the ledger's answer.
HEIGHT_TIMEOUT_S = 5.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0

log = structlog.get_logger()


class Follower:
    """Runs from its making until `stop`.

    `task` ends by itself only with LedgerMismatch, MalformedBlock, DiskFull or DatabaseDamaged.
    """

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
        self._stalled = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def catch_up(self) -> None:
        """Know what the ledger knows now; where it does not answer, or a block's private data are late, what is known
        must do.

        Raises what ends the task, and LedgerMismatch if the ledger has fewer blocks than the read model.
        """
        try:
            async with asyncio.timeout(HEIGHT_TIMEOUT_S):
                height = await self._gateway.height()
        except (LedgerError, TimeoutError) as error:
            log.warning("the ledger does not answer", error=repr(error), height=self._read_model.height)
            return
        self._read_model.check_height(height)
        ends = [asyncio.create_task(one) for one in (self._read_model.reached(height), self._stalled.wait())]
        await asyncio.wait([*ends, self.task], return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        if self.task.done():
            self.task.result()

    async def stop(self) -> None:
        """Between two blocks."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (MalformedBlock, NodeError) as error:
                self._reachable(False)
                log.critical("the node stops following the ledger", error=str(error))
                raise
            except Exception as error:  # the ledger's end of the stream may break in any way
                self._reachable(False)
                log.warning("no blocks from the ledger", error=repr(error), height=self._read_model.height)
            await self._pause()

    async def _follow(self) -> None:
        """Up to a block whose private data the peer does not have yet: without them the view would lack them for ever,
        so the block is asked for again."""
        own = implicit_collection(self._read_model.msp_id)
        async with aclosing(self._gateway.blocks(self._read_model.height, private_data=True)) as blocks:
            async for delivered in blocks:
                block = read_block(delivered)
                self._reachable(True)
                if late := undelivered(block, own):
                    log.warning("waiting for the private data of a block", block=block.number, transactions=late)
                    return
                for agreement_id in sorted(self._read_model.apply(block)):
                    self._account_changed(agreement_id)
                self._failures = 0

    async def _pause(self) -> None:
        """Each time longer."""
        self._stalled.set()
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures)
        self._failures += 1
        # Nothing secret depends on it.
        await asyncio.sleep(longest_s * random.uniform(0.5, 1))  # noqa: S311
