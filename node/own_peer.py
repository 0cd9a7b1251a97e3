"""Compares the member's own peer with the node's view of the ledger, before a refusal of that peer counts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from chaincode import keys
from ledger.configuration import ordered_height
from ledger.gateway import Gateway
from ledger.records import read_value
from node.errors import BehindLedger
from node.read_model.read_model import ReadModel

# The time within which the node gets the blocks that the orderers name.
LONGEST_CATCH_UP_S = 2.0


async def check_caught_up(gateway: Gateway, read_model: ReadModel, agreement_id: str, meter_id: str) -> None:
    """Checks that node and peer have all blocks that the orderers name, and the same records about the batch.

    Raises BehindLedger, and the errors of `ordered_height`.
    """
    await _check_height(gateway, read_model)
    await _check_records(gateway, read_model, agreement_id, meter_id)


async def _check_height(gateway: Gateway, read_model: ReadModel) -> None:
    """Raises BehindLedger while this node lacks blocks: a peer that is behind refuses for lack of them."""
    height = await ordered_height(gateway)
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_CATCH_UP_S):
            await read_model.reached(height)
    if read_model.height < height:
        raise BehindLedger(f"this node has {read_model.height} blocks, the orderers name {height}")


async def _check_records(gateway: Gateway, read_model: ReadModel, agreement_id: str, meter_id: str) -> None:
    """Raises BehindLedger while the member's peers that answer and that give blocks have different records."""
    places: tuple[keys.Key[Any], ...] = (
        keys.agreement(agreement_id),
        keys.account(agreement_id),
        keys.commitment(agreement_id),
        keys.meter(meter_id),
    )
    for key in places:
        if await read_value(gateway, key) != read_model.find_bytes(key):
            raise BehindLedger(f"this node and the member's peer differ in {key.name}: one has to catch up")
