"""The second step of a transaction: its author signs what was endorsed and hands it to the orderers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2


@dataclass(frozen=True)
class Transaction:
    """A transaction on which the endorsers agreed. `message` is what the author signs."""

    tx_id: str
    channel: str
    message: bytes
    signature: bytes = b""

    def with_signature(self, signature: bytes) -> Transaction:
        return replace(self, signature=signature)

    @property
    def envelope(self) -> common_pb2.Envelope:
        return common_pb2.Envelope(payload=self.message, signature=self.signature)

    @property
    def result(self) -> bytes:
        """The chaincode's answer; it counts only once the transaction is committed. Raises DecodeError."""
        payload = common_pb2.Payload.FromString(self.message)
        transaction = transaction_pb2.Transaction.FromString(payload.data)
        action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload).action
        response = proposal_response_pb2.ProposalResponsePayload.FromString(action.proposal_response_payload)
        return bytes(proposal_pb2.ChaincodeAction.FromString(response.extension).response.payload)

    def to_bytes(self) -> bytes:
        """The transaction as a serialised gateway.PreparedTransaction, to be signed elsewhere."""
        message = gateway_pb2.PreparedTransaction(transaction_id=self.tx_id, envelope=self.envelope)
        return bytes(message.SerializeToString())

    @classmethod
    def from_bytes(cls, data: bytes) -> Transaction:
        """The transaction that `to_bytes` has serialised. Raises DecodeError."""
        message = gateway_pb2.PreparedTransaction.FromString(data)
        header = common_pb2.Payload.FromString(message.envelope.payload).header
        channel = common_pb2.ChannelHeader.FromString(header.channel_header).channel_id
        return cls(message.transaction_id, channel, message.envelope.payload, message.envelope.signature)
