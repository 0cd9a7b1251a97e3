"""The first step of a transaction: its author proposes a call to the endorsers.

Source: Fabric's peer/proposal.proto and common/common.proto; the gateway's parts in gateway/gateway.proto.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf.timestamp_pb2 import Timestamp

NONCE_BYTES = 24


@dataclass(frozen=True)
class Proposal:
    """A call of chaincode by one author at one time. `message` is what the author signs."""

    tx_id: str
    channel: str
    message: bytes
    endorsing_msp_ids: tuple[str, ...] = ()
    signature: bytes = b""

    def with_signature(self, signature: bytes) -> Proposal:
        return replace(self, signature=signature)

    @property
    def signed(self) -> proposal_pb2.SignedProposal:
        return proposal_pb2.SignedProposal(proposal_bytes=self.message, signature=self.signature)

    def to_bytes(self) -> bytes:
        """The proposal as a serialised gateway.ProposedTransaction, to be signed elsewhere."""
        message = gateway_pb2.ProposedTransaction(
            transaction_id=self.tx_id, proposal=self.signed, endorsing_organizations=self.endorsing_msp_ids
        )
        return bytes(message.SerializeToString())

    @classmethod
    def from_bytes(cls, data: bytes) -> Proposal:
        """The proposal that `to_bytes` has serialised. Raises DecodeError."""
        message = gateway_pb2.ProposedTransaction.FromString(data)
        proposal = proposal_pb2.Proposal.FromString(message.proposal.proposal_bytes)
        header = common_pb2.Header.FromString(proposal.header)
        channel = common_pb2.ChannelHeader.FromString(header.channel_header).channel_id
        msp_ids = tuple(message.endorsing_organizations)
        return cls(
            message.transaction_id, channel, message.proposal.proposal_bytes, msp_ids, message.proposal.signature
        )


class Inputs(TypedDict, total=False):
    """The inputs of a transaction beside its name and its request."""

    # Everybody sees these, like the request.
    extra_args: Sequence[bytes]
    # Only the endorsers see these.
    transient: Mapping[str, bytes] | None


@dataclass(frozen=True)
class Call:
    """A call of chaincode: args[0] is the transaction's name. Only endorsers see `transient`."""

    channel: str
    chaincode: str
    args: Sequence[bytes]
    transient: Mapping[str, bytes] = field(default_factory=dict)
    endorsing_msp_ids: Sequence[str] = ()


def make_proposal(call: Call, creator: bytes, nonce: bytes, time_us: int) -> Proposal:
    """The proposal of a call, not signed yet; `time_us` is microseconds since 1970 UTC, `nonce` never used before."""
    tx_id = transaction_id(nonce, creator)
    header = common_pb2.Header(
        channel_header=_channel_header(call, tx_id, time_us),
        signature_header=common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
    )
    proposal = proposal_pb2.Proposal(header=header.SerializeToString(), payload=_payload(call))
    return Proposal(tx_id, call.channel, proposal.SerializeToString(), tuple(call.endorsing_msp_ids))


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """The hex SHA-256 of both, so that nobody can take the id of another author's transaction."""
    return hashlib.sha256(nonce + creator).hexdigest()


def timestamp(time_us: int) -> Timestamp:
    """Microseconds since 1970 UTC as a protobuf Timestamp."""
    seconds, micros = divmod(time_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1_000)


def _channel_header(call: Call, tx_id: str, time_us: int) -> bytes:
    chaincode_id = chaincode_pb2.ChaincodeID(name=call.chaincode)
    extension = proposal_pb2.ChaincodeHeaderExtension(chaincode_id=chaincode_id)
    header = common_pb2.ChannelHeader(
        type=common_pb2.ENDORSER_TRANSACTION,
        timestamp=timestamp(time_us),
        channel_id=call.channel,
        tx_id=tx_id,
        extension=extension.SerializeToString(),
    )
    return bytes(header.SerializeToString())


def _payload(call: Call) -> bytes:
    spec = chaincode_pb2.ChaincodeSpec(
        type=chaincode_pb2.ChaincodeSpec.NODE,
        chaincode_id=chaincode_pb2.ChaincodeID(name=call.chaincode),
        input=chaincode_pb2.ChaincodeInput(args=call.args),
    )
    invocation = chaincode_pb2.ChaincodeInvocationSpec(chaincode_spec=spec)
    payload = proposal_pb2.ChaincodeProposalPayload(input=invocation.SerializeToString(), TransientMap=call.transient)
    return bytes(payload.SerializeToString(deterministic=True))
