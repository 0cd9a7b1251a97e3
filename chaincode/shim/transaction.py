"""One transaction, from the peer's call to the response."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from google.protobuf.message import DecodeError

from chaincode.shim.errors import MessageTooLarge, ShimError
from chaincode.shim.limits import PeerLimits
from chaincode.shim.proposal import read_proposal
from chaincode.shim.requests import Requests, check_size
from chaincode.shim.response import ERROR_FROM, ResponseLike, failure, to_message
from chaincode.shim.stub import FabricStub

log = logging.getLogger(__name__)

# A handler runs one transaction. An exception becomes a response of status 500.
Handler = Callable[[FabricStub], Awaitable[ResponseLike]]


async def run_transaction(
    call: shim.ChaincodeMessage, requests: Requests, handler: Handler, limits: PeerLimits, msp_id: str, timeout_s: int
) -> shim.ChaincodeMessage:
    """Runs the call; returns COMPLETED with the response, or ERROR if the call cannot be read."""
    try:
        args = tuple(chaincode_pb2.ChaincodeInput.FromString(call.payload).args)
        stub = FabricStub(requests, limits, msp_id, args, read_proposal(call.proposal))
    except DecodeError:
        return requests.message(shim.ChaincodeMessage.ERROR, b"the call is not the message that the protocol foresees")
    response = await _respond(stub, requests, handler, limits, timeout_s)
    return _completed(stub, requests, response)


async def _respond(
    stub: FabricStub, requests: Requests, handler: Handler, limits: PeerLimits, timeout_s: int
) -> proposal_response_pb2.Response:
    """The handler's answer, after the peer has taken its writes."""
    try:
        async with asyncio.timeout(timeout_s) as limit:
            response = to_message(await handler(stub))
            if response.status < ERROR_FROM:
                await stub.writes.send(requests, limits)
            return response
    except ShimError as error:
        return failure(f"{type(error).__name__}: {error}")
    except Exception as error:
        if limit.expired():
            return failure(f"the transaction took longer than {timeout_s} s and was given up")
        _log_fault(stub, error)
        return failure(f"the chaincode failed with {type(error).__name__}; its log says where")


def _completed(stub: FabricStub, requests: Requests, response: proposal_response_pb2.Response) -> shim.ChaincodeMessage:
    message = requests.message(shim.ChaincodeMessage.COMPLETED, response.SerializeToString())
    if stub.event and response.status < ERROR_FROM:
        stub.event.tx_id = stub.tx_id
        message.chaincode_event.CopyFrom(stub.event)
    try:
        check_size(message)
    except MessageTooLarge as error:
        return requests.message(shim.ChaincodeMessage.COMPLETED, failure(str(error)).SerializeToString())
    return message


def _log_fault(stub: FabricStub, error: Exception) -> None:
    """Logs the place of the fault, without the exception's text, which may contain confidential data."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("transaction %s on %s failed with %s\n%s", stub.tx_id, stub.channel_id, type(error).__name__, frames)
