"""The proposal that the client signed: its creator, its time, and the data for the endorsers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2


@dataclass(frozen=True, slots=True)
class ProposalView:
    """The parts of a signed proposal that contract code may need. The peer has checked the signature."""

    creator: bytes
    nonce: bytes
    timestamp_us: int
    epoch: int
    transient: Mapping[str, bytes]


def read_proposal(signed: proposal_pb2.SignedProposal) -> ProposalView:
    """The proposal's parts; all empty if there is no proposal. Raises google.protobuf.message.DecodeError."""
    proposal = proposal_pb2.Proposal.FromString(signed.proposal_bytes)
    header = common_pb2.Header.FromString(proposal.header)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    signature_header = common_pb2.SignatureHeader.FromString(header.signature_header)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    return ProposalView(
        creator=signature_header.creator,
        nonce=signature_header.nonce,
        timestamp_us=channel_header.timestamp.ToMicroseconds(),
        epoch=channel_header.epoch,
        transient=dict(payload.TransientMap),
    )
