"""The refusals of a Fabric gateway: status, message, and each peer's answer."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

from ledger.errors import TransportError


class Refused(Exception):
    """A peer or an orderer refuses a request. The gateway turns it into a TransportError."""

    def __init__(self, text: str, status: int = common_pb2.BAD_REQUEST) -> None:
        """`text` says why; `status` is one of common.Status, for an orderer's answer."""
        super().__init__(text)
        self.status = status


def invalid_argument(message: str) -> TransportError:
    return TransportError(grpc.StatusCode.INVALID_ARGUMENT, message)


def permission_denied(message: str) -> TransportError:
    return TransportError(grpc.StatusCode.PERMISSION_DENIED, message)


def unavailable(message: str) -> TransportError:
    return TransportError(grpc.StatusCode.UNAVAILABLE, message)


def failed_precondition(message: str) -> TransportError:
    return TransportError(grpc.StatusCode.FAILED_PRECONDITION, message)


def not_endorsed(msp_ids: Iterable[str], message: str, *, chosen: bool = False) -> TransportError:
    """Every endorser refused, for the same reason since all run the same code; `chosen`: the client named them."""
    failed = "failed to collect enough transaction endorsements" if chosen else "failed to endorse transaction"
    text = f"{failed}, see attached details for more info"
    return TransportError(grpc.StatusCode.ABORTED, text, tuple(peer_detail(msp_id, message) for msp_id in msp_ids))


def not_evaluated(code: grpc.StatusCode, msp_id: str, message: str) -> TransportError:
    return TransportError(code, f"evaluate call to endorser returned error: {message}", (peer_detail(msp_id, message),))


def not_ordered(refused: Refused) -> TransportError:
    """An orderer's refusal, in the words of the gateway that called it."""
    status = common_pb2.Status.Name(refused.status)
    text = f"received unsuccessful response from orderer: status={status}, info={refused}"
    return TransportError(grpc.StatusCode.ABORTED, text)


def peer_detail(msp_id: str, message: str) -> gateway_pb2.ErrorDetail:
    return gateway_pb2.ErrorDetail(address=f"embedded:{msp_id}", msp_id=msp_id, message=message)
