"""Asks the member's peer again for private values that did not come with their block, until they have come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import groupby

import structlog

from chaincode.stub import implicit_collection
from ledger.block_reader import read_block
from ledger.gateway import Gateway
from ledger.private_values import completed
from node.read_model.read_model import ReadModel

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
# So much longer than a round takes is the pause after it.
REST = 4

log = structlog.get_logger()


class LateData:
    """Runs from its making until `stop`."""

    def __init__(self, gateway: Gateway, read_model: ReadModel, account_changed: Callable[[str], None]) -> None:
        """`account_changed` is told each agreement of which something has come."""
        self._gateway = gateway
        self._read_model = read_model
        self._account_changed = account_changed
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """Twice as long a pause each time, from the beginning when more or less is missing."""
        pause_s, before, taken_s = FIRST_PAUSE_S, 0, 0.0
        while True:
            while not (count := self._read_model.missing_count()):
                await self._read_model.changed()
            pause_s = FIRST_PAUSE_S if count != before else min(2 * pause_s, LONGEST_PAUSE_S)
            before = count
            await asyncio.sleep(max(pause_s, REST * taken_s))
            began_s = time.monotonic()
            try:
                await self._ask()
            except Exception as error:  # the peer may be away, or anything else; the next round asks again
                log.info("private data cannot be asked for", error=str(error) or repr(error))
            taken_s = time.monotonic() - began_s

    async def _ask(self) -> None:
        for number, places in groupby(self._read_model.missing_places(), key=lambda place: place[0]):
            await self._ask_of_block(number, {position for _, position in places})

    async def _ask_of_block(self, number: int, positions: set[int]) -> None:
        block = read_block(await self._gateway.block(number))
        collection = implicit_collection(self._read_model.msp_id)
        for transaction in block.transactions:
            if transaction.position in positions:
                known = await completed(transaction, collection, self._gateway.evaluate)
                for agreement_id in self._read_model.fill_in(known, number):
                    self._account_changed(agreement_id)
