"""The last step: what became of a submitted transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabric_protos.gateway import gateway_pb2


@dataclass(frozen=True)
class Commit:
    """A submitted transaction whose outcome is asked for. `message` is what the asking identity signs."""

    tx_id: str
    message: bytes
    signature: bytes = b""

    def with_signature(self, signature: bytes) -> Commit:
        return replace(self, signature=signature)

    @property
    def signed(self) -> gateway_pb2.SignedCommitStatusRequest:
        return gateway_pb2.SignedCommitStatusRequest(request=self.message, signature=self.signature)

    def to_bytes(self) -> bytes:
        """A gateway.SignedCommitStatusRequest, to be signed elsewhere."""
        return bytes(self.signed.SerializeToString())

    @classmethod
    def from_bytes(cls, data: bytes) -> Commit:
        """The inverse. Raises DecodeError."""
        signed = gateway_pb2.SignedCommitStatusRequest.FromString(data)
        request = gateway_pb2.CommitStatusRequest.FromString(signed.request)
        return cls(request.transaction_id, signed.request, signed.signature)


@dataclass(frozen=True)
class Submitted:
    """A transaction that the orderers have taken, and what its chaincode answered; it stands once it is committed."""

    commit: Commit
    result: bytes


@dataclass(frozen=True)
class Committed:
    """A valid transaction, the block it stands in, and what its chaincode answered."""

    tx_id: str
    block_number: int
    result: bytes


def make_commit(channel: str, tx_id: str, creator: bytes) -> Commit:
    """Anybody who may read the channel can ask for any transaction."""
    request = gateway_pb2.CommitStatusRequest(transaction_id=tx_id, channel_id=channel, identity=creator)
    return Commit(tx_id, request.SerializeToString())
