"""The details that a Fabric gateway attaches to a gRPC error: each peer's answer.

Source: gRPC's richer error model, a google.rpc.Status in the trailing metadata.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from fabric_protos.gateway import gateway_pb2
from google.protobuf.message import DecodeError

from zunft.v1 import rpc_status_pb2

METADATA_KEY = "grpc-status-details-bin"


def encode_details(code: grpc.StatusCode, message: str, details: Iterable[gateway_pb2.ErrorDetail]) -> bytes:
    """The value of the metadata entry."""
    status = rpc_status_pb2.RpcStatus(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return status.SerializeToString()


def decode_details(metadata: Iterable[tuple[str, str | bytes]]) -> tuple[gateway_pb2.ErrorDetail, ...]:
    """Each peer's answer; empty if the metadata has no such entry or it cannot be read."""
    try:
        return tuple(detail for key, value in metadata if key == METADATA_KEY for detail in _details(value))
    except DecodeError:
        return ()


def _details(value: str | bytes) -> list[gateway_pb2.ErrorDetail]:
    data = value.encode("latin-1") if isinstance(value, str) else value
    packed = rpc_status_pb2.RpcStatus.FromString(data).details
    kind = gateway_pb2.ErrorDetail.DESCRIPTOR
    return [gateway_pb2.ErrorDetail.FromString(detail.value) for detail in packed if detail.Is(kind)]
