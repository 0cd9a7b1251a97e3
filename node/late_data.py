"""Fetches private values that did not come with their block from the member's peer, until all have come."""

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
# The shortest pause after a round, as a multiple of the round's length.
REST = 4

log = structlog.get_logger()


class LateData:
    """A task that runs from the object's creation until `stop`."""

    def __init__(self, gateway: Gateway, read_model: ReadModel, account_changed: Callable[[str], None]) -> None:
        """Calls `account_changed` with each agreement of which private values have come."""
        self._gateway = gateway
        self._read_model = read_model
        self._account_changed = account_changed
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """Fetches in rounds. The pause doubles each time; it begins anew when the number of missing values changes."""
        pause_s, before, taken_s = FIRST_PAUSE_S, 0, 0.0
        while True:
            while not (count := self._read_model.missing_count()):
                await self._read_model.changed()
            pause_s = FIRST_PAUSE_S if count != before else min(2 * pause_s, LONGEST_PAUSE_S)
            before = count
            await asyncio.sleep(max(pause_s, REST * taken_s))
            began_s = time.monotonic()
            try:
                await self._fetch_missing()
            except Exception as error:  # the peer may be away, or anything else; the next round tries again
                log.info("private data cannot be fetched", error=str(error) or repr(error))
            taken_s = time.monotonic() - began_s

    async def _fetch_missing(self) -> None:
        for number, places in groupby(self._read_model.missing_places(), key=lambda place: place[0]):
            await self._fetch_from_block(number, {position for _, position in places})

    async def _fetch_from_block(self, number: int, positions: set[int]) -> None:
        block = read_block(await self._gateway.block(number))
        collection = implicit_collection(self._read_model.msp_id)
        for transaction in block.transactions:
            if transaction.position in positions:
                known = await completed(transaction, collection, self._gateway.evaluate)
                for agreement_id in self._read_model.fill_in(known, number):
                    self._account_changed(agreement_id)
