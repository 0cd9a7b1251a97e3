"""Brings every block of the ledger to the read model, and continues after every interruption."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace

import grpc
import structlog

from chaincode.stub import implicit_collection
from ledger.block_reader import (
    Block,
    read_block,
)
from ledger.database import StorageError
from ledger.errors import LedgerError
from ledger.gateway import (
    Gateway,
    GatewayError,
)
from ledger.private_values import (
    completed,
    lacking,
)
from node.errors import BehindLedger, NodeError, ShutOut
from node.outage import Outage
from node.read_model.read_model import ReadModel
from node.state import NodeState

# The longest time that the ledger may take to answer with its height.
HEIGHT_TIMEOUT_S = 5.0
# The time after which the node goes on without private data that did not come with their block.
COMPLETION_S = 1.0
# The time after which a node that the ledger refuses gives up.
REFUSED_S = 60.0

log = structlog.get_logger()


class Follower:
    """A task that runs from the object's creation until `stop`.

    `task` ends by itself only with ShutOut, LedgerMismatch, DiskFull or DatabaseDamaged.
    """

    def __init__(
        self,
        gateway: Gateway,
        read_model: ReadModel,
        state: NodeState,
        *,
        account_changed: Callable[[str], None],
        refused_s: float = REFUSED_S,
    ) -> None:
        """Calls `account_changed` with each agreement of a block.

        The node gives up when the ledger has refused to show its blocks for `refused_s` seconds.
        """
        self._gateway = gateway
        self._read_model = read_model
        self._account_changed = account_changed
        self._state = state
        self._outage = Outage("no blocks from the ledger", "blocks from the ledger again")
        self._stalled = asyncio.Event()
        self._refused_s = refused_s
        self._refused_at: float | None = None
        self.task = asyncio.create_task(self._run())

    async def catch_up(self) -> None:
        """Waits until the read model has the ledger's present blocks; does not wait for a ledger that does not answer.

        Raises the error that ended the task, and LedgerMismatch if the ledger has fewer blocks than the read model.
        """
        try:
            height = await self._height()
        except LedgerError:
            # The task logs it.
            return
        self._read_model.check_height(height)
        ends = [asyncio.create_task(one) for one in (self._read_model.reached(height), self._stalled.wait())]
        await asyncio.wait([*ends, self.task], return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        if self.task.done():
            self.task.result()

    async def stop(self) -> None:
        """Stops following between two blocks."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow_while_admitted()
            except BehindLedger as error:
                await self._pause(error)
            except (NodeError, StorageError) as error:
                self._state.ledger_reachable = False
                log.critical("the node stops following the ledger", error=str(error))
                raise
            except Exception as error:  # the ledger's end of the stream may break in any way
                self._state.ledger_reachable = False
                await self._pause(error)

    async def _follow_while_admitted(self) -> None:
        """Follows the ledger; raises ShutOut after refusals for `refused_s`.

        A peer that has just joined refuses, too, until it has the block that admits the member.
        """
        try:
            await self._follow()
        except GatewayError as error:
            if error.grpc_code is not grpc.StatusCode.PERMISSION_DENIED:
                raise
            now = time.monotonic()
            self._refused_at = now if self._refused_at is None else self._refused_at
            if now - self._refused_at < self._refused_s:
                raise
            raise ShutOut(
                f"the ledger shows {self._read_model.msp_id} no more blocks: the member has left the channel or was "
                f"excluded, or the node's certificate was revoked or has expired ({error})"
            ) from error

    async def _follow(self) -> None:
        """Applies blocks until the stream breaks.

        Raises LedgerError; BehindLedger for a peer that lost its blocks and has not got them back. Private data that do
        not come with their block stop nothing: the read model notes the missing values.
        """
        height, known = await self._height(), self._read_model.height
        self._refused_at = None
        self._state.ledger_reachable = True
        if height < known:
            raise BehindLedger(f"the peer has {height} blocks, the node knows {known}: the peer has to catch up")
        if height == known:
            self._outage.end()
        stream = self._gateway.blocks(known, private_data=True, reconnect_s=0)
        async with aclosing(stream) as blocks:
            async for delivered in blocks:
                self._apply(await self._completed(read_block(delivered)))
                self._outage.end()

    async def _completed(self, block: Block) -> Block:
        """The block with the private data that the peer has got since it sent it; LateData fetches the rest."""
        collection = implicit_collection(self._read_model.msp_id)
        if not any(lacking(one, collection) for one in block.transactions):
            return block
        with suppress(TimeoutError):
            async with asyncio.timeout(COMPLETION_S):
                found = [await completed(one, collection, self._gateway.evaluate) for one in block.transactions]
                return replace(block, transactions=tuple(found))
        return block

    def _apply(self, block: Block) -> None:
        for agreement_id in sorted(self._read_model.apply(block)):
            self._account_changed(agreement_id)

    async def _height(self) -> int:
        """The ledger's height. Raises LedgerError at once where the peer does not answer."""
        try:
            async with asyncio.timeout(HEIGHT_TIMEOUT_S):
                return await self._gateway.height(reconnect_s=0)
        except TimeoutError as error:
            raise LedgerError(f"the ledger has not answered with its height for {HEIGHT_TIMEOUT_S:g} s") from error

    async def _pause(self, error: Exception) -> None:
        self._stalled.set()
        await self._outage.pause(error)
