"""Measures small durable transactions per second: three of four members endorse, 32 in flight.

A meter's new place (meter.locate) is the small transaction without conflicts. A transfer of tokens changes the balances
of two members, so among four members only two transfers at a time do not conflict. It has a figure of its own.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from google.protobuf.message import Message

from ledger.gateway import Gateway
from tests.bench.workload import found
from tests.harness import (
    TOKEN,
    Consortium,
    HandMeter,
    start_consortium,
)
from zunft.v1.meter_pb2 import LocateMeter
from zunft.v1.token_pb2 import TransferTokens

IN_FLIGHT = 32

# Makes a transaction's name and request from the lane and the transaction's number.
_Make = Callable[[int, int], tuple[str, Message]]


def small_transactions(count: int) -> tuple[float, float]:
    """The transactions per second with 32 in flight, and one after the other."""
    with (
        tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder,
        start_consortium(Path(folder) / "c") as consortium,
    ):
        found(consortium)
        maker = consortium.member("maker")
        for index in range(IN_FLIGHT):
            maker.register(HandMeter(f"meter-{index}"))
        gc.collect()
        gateway = consortium.gateway("MakerMSP", "operator")
        at_once_s = consortium.run(_timed(gateway, IN_FLIGHT, count // IN_FLIGHT, _locate))
        alone_s = consortium.run(_timed(gateway, 1, max(count // 16, 1), _locate))
    return count // IN_FLIGHT * IN_FLIGHT / at_once_s, max(count // 16, 1) / alone_s


def transfers(count: int) -> float:
    """The token transfers per second between two pairs of members."""
    with (
        tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder,
        start_consortium(Path(folder) / "c") as consortium,
    ):
        found(consortium)
        consortium.member("bank").mint("MakerMSP", 10**6 * TOKEN)
        gc.collect()
        return count // 2 * 2 / consortium.run(_transfer_in_pairs(consortium, count // 2))


async def _transfer_in_pairs(consortium: Consortium, each: int) -> float:
    pairs = [("MakerMSP", "ForgeMSP"), ("FactoryMSP", "BankMSP")]
    gateways = [(consortium.gateway(sender, "treasurer"), receiver) for sender, receiver in pairs]
    began = time.perf_counter()
    await asyncio.gather(*(_repeat(gateway, each, 0, _transfer_to(receiver)) for gateway, receiver in gateways))
    return time.perf_counter() - began


def _transfer_to(msp_id: str) -> _Make:
    request = TransferTokens(to_msp_id=msp_id, amount_micro=TOKEN)
    return lambda _lane, _number: ("token.transfer", request)


def _locate(index: int, number: int) -> tuple[str, Message]:
    return "meter.locate", LocateMeter(meter_id=f"meter-{index}", location=f"hall {number}")


async def _timed(gateway: Gateway, lanes: int, each: int, make: _Make) -> float:
    """The seconds for `each` transactions, one after the other in each of `lanes` lanes."""
    began = time.perf_counter()
    await asyncio.gather(*(_repeat(gateway, each, lane, make) for lane in range(lanes)))
    return time.perf_counter() - began


async def _repeat(gateway: Gateway, count: int, lane: int, make: _Make) -> None:
    for number in range(count):
        name, request = make(lane, number)
        await gateway.submit(name, request)
