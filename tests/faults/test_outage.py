"""The node logs an outage once when it begins, again when its reason changes, and once when it is over."""

from __future__ import annotations

import asyncio

import grpc
import structlog
from fabric_protos.gateway import gateway_pb2
from structlog.testing import capture_logs

from ledger.errors import TransportError
from ledger.gateway import EndorseError
from node.outage import Outage


def refused(tx_id: str, *msp_ids: str) -> EndorseError:
    details = tuple(gateway_pb2.ErrorDetail(msp_id=msp_id, message=f"no {tx_id}") for msp_id in msp_ids)
    return EndorseError.refused(TransportError(grpc.StatusCode.ABORTED, f"{tx_id} failed", details), tx_id)


def test_an_outage_is_logged_once() -> None:
    async def go_through() -> None:
        outage = Outage("it does not work", "it works again", agreement_id="A1")
        outage.end()
        for error in (refused("1", "MakerMSP"), refused("2", "MakerMSP"), refused("3", "FactoryMSP")):
            await outage.pause(error)
        outage.end()
        outage.end()
        await outage.pause(refused("4", "FactoryMSP"))

    # A command's test before this one may have changed the log level.
    structlog.reset_defaults()
    with capture_logs() as lines:
        asyncio.run(go_through())
    logged = [(line["log_level"], line["event"], line.get("error", "").partition(":")[0]) for line in lines]
    begins = ("warning", "it does not work")
    assert logged == [
        (*begins, "the endorsement of transaction 1 failed"),
        (*begins, "the endorsement of transaction 3 failed"),
        ("info", "it works again", ""),
        (*begins, "the endorsement of transaction 4 failed"),
    ]
    assert lines[2]["failures"] == 3
    assert {line["agreement_id"] for line in lines} == {"A1"}
