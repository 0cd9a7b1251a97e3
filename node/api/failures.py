"""The gRPC status that fits an error."""

from __future__ import annotations

import grpc

from chaincode.errors import (
    BackDated,
    ContractError,
    InvalidBundle,
    InvalidTariff,
    MalformedBatch,
    MalformedRequest,
    QuantityOutOfRange,
    WrongSignature,
)
from ledger.errors import LedgerError
from node.errors import NodeError

# The key of the trailing metadata that carries a zunft.v1.Refusal.
REFUSAL_KEY = "zunft-refusal-bin"

_MALFORMED = (
    MalformedRequest,
    MalformedBatch,
    InvalidBundle,
    InvalidTariff,
    QuantityOutOfRange,
    BackDated,
    WrongSignature,
)
_CODES = {403: grpc.StatusCode.PERMISSION_DENIED, 404: grpc.StatusCode.NOT_FOUND}


def code_of(error: Exception) -> grpc.StatusCode:
    """The status of an error.

    INVALID_ARGUMENT: send something else; FAILED_PRECONDITION: first change something; UNAVAILABLE: try later.
    """
    if isinstance(error, NodeError):
        return error.code
    if isinstance(error, _MALFORMED):
        return grpc.StatusCode.INVALID_ARGUMENT
    if isinstance(error, ContractError):
        return _CODES.get(error.status, grpc.StatusCode.FAILED_PRECONDITION)
    return grpc.StatusCode.UNAVAILABLE if isinstance(error, LedgerError) else grpc.StatusCode.INTERNAL
