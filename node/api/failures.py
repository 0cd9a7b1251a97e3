"""The gRPC status that fits an error, and on the client's side the error that a refusal names."""

from __future__ import annotations

from types import ModuleType

import grpc

import chaincode.errors
import ledger.database
import node.errors
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
from ledger.database import StorageError
from ledger.errors import LedgerError
from node.errors import NodeError
from zunft.v1.event_pb2 import Refusal

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
    if isinstance(error, NodeError | StorageError):
        return error.code
    if isinstance(error, _MALFORMED):
        return grpc.StatusCode.INVALID_ARGUMENT
    if isinstance(error, ContractError):
        return _CODES.get(error.status, grpc.StatusCode.FAILED_PRECONDITION)
    return grpc.StatusCode.UNAVAILABLE if isinstance(error, LedgerError) else grpc.StatusCode.INTERNAL


def error_of(refusal: Refusal) -> Exception:
    """The refusal as the class that it names, which the node or its contract has raised; else a NodeError."""
    return _BY_NAME.get(refusal.error, NodeError)(refusal.message)


def _errors_in(module: ModuleType) -> dict[str, type[Exception]]:
    return {name: kind for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, Exception)}


_BY_NAME = _errors_in(chaincode.errors) | _errors_in(ledger.database) | _errors_in(node.errors)
