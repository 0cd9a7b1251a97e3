"""The last step of a transaction: the client asks for the outcome of what it has submitted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabric_protos.gateway import gateway_pb2


@dataclass(frozen=True)
class Commit:
    """A request for the outcome of a submitted transaction. `message` is what the asking identity signs."""

    tx_id: str
    message: bytes
    signature: bytes = b""

    def with_signature(self, signature: bytes) -> Commit:
        return replace(self, signature=signature)

    @property
    def signed(self) -> gateway_pb2.SignedCommitStatusRequest:
        return gateway_pb2.SignedCommitStatusRequest(request=self.message, signature=self.signature)

    def to_bytes(self) -> bytes:
        """The request as a serialised gateway.SignedCommitStatusRequest, to be signed elsewhere."""
        return bytes(self.signed.SerializeToString())

    @classmethod
    def from_bytes(cls, data: bytes) -> Commit:
        """The request that `to_bytes` has serialised. Raises DecodeError."""
        signed = gateway_pb2.SignedCommitStatusRequest.FromString(data)
        request = gateway_pb2.CommitStatusRequest.FromString(signed.request)
        return cls(request.transaction_id, signed.request, signed.signature)


@dataclass(frozen=True)
class Submitted:
    """A transaction that the orderers have taken, and its chaincode's answer, which counts once it is committed."""

    commit: Commit
    result: bytes


@dataclass(frozen=True)
class Committed:
    """A valid transaction, the number of its block, and its chaincode's answer."""

    tx_id: str
    block_number: int
    result: bytes


def make_commit(channel: str, tx_id: str, creator: bytes) -> Commit:
    """A request for a transaction's outcome; a reader of the channel may ask for any transaction's."""
    request = gateway_pb2.CommitStatusRequest(transaction_id=tx_id, channel_id=channel, identity=creator)
    return Commit(tx_id, request.SerializeToString())
