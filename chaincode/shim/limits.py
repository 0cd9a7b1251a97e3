"""The limits of one message: the protocol's own, and those that the peer announces when it is ready."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.peer import chaincode_pb2
from google.protobuf.message import DecodeError

# The most that peers send and take (Fabric: internal/pkg/comm, MaxSendMsgSize and MaxRecvMsgSize).
MAX_MESSAGE_BYTES = 100 * 1024 * 1024
# The most for the records of one batch, well below, so that their framing fits as well.
MAX_BATCH_BYTES = 64 * 1024 * 1024
# The size where the peer switches batches on and names none; the same as in the official shims.
DEFAULT_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """The number of writes or keys that the peer takes in one message; 1 if it takes them singly."""

    writes_per_batch: int = 1
    keys_per_read: int = 1


def read_limits(ready_payload: bytes) -> PeerLimits:
    """The limits in READY's peer.ChaincodeAdditionalParams; peers before Fabric 3.1 send none, and take all singly.

    Source: RFC 0011 of hyperledger/fabric-rfcs; there the direction is drawn the wrong way round.
    """
    try:
        announced = chaincode_pb2.ChaincodeAdditionalParams.FromString(ready_payload)
    except DecodeError:
        return PeerLimits()
    return PeerLimits(
        writes_per_batch=_size(announced.use_write_batch, announced.max_size_write_batch),
        keys_per_read=_size(announced.use_get_multiple_keys, announced.max_size_get_multiple_keys),
    )


def _size(is_on: bool, announced: int) -> int:
    return (announced or DEFAULT_BATCH_SIZE) if is_on else 1
