"""Parses a client's proposal and checks it as Fabric's endorser does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf.message import DecodeError

from ledger.embedded.refused import Refused


@dataclass(frozen=True, slots=True)
class ParsedProposal:
    """A parsed proposal; `hash` ties the endorsements to it and does not cover the transient data."""

    header: common_pb2.Header
    channel_id: str
    tx_id: str
    timestamp_us: int
    nonce: bytes
    creator: bytes
    chaincode_name: str
    args: Sequence[bytes]
    transient: Mapping[str, bytes]
    payload: bytes
    hash: bytes


def parse_proposal(proposal_bytes: bytes) -> ParsedProposal:
    """The proposal in these bytes. Raises Refused."""
    try:
        return take_apart(proposal_pb2.Proposal.FromString(proposal_bytes))
    except DecodeError as error:
        raise Refused(f"the proposal cannot be decoded: {error}") from error


def take_apart(proposal: proposal_pb2.Proposal) -> ParsedProposal:
    header = common_pb2.Header.FromString(proposal.header)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    signature_header = common_pb2.SignatureHeader.FromString(header.signature_header)
    extension = proposal_pb2.ChaincodeHeaderExtension.FromString(channel_header.extension)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    spec = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
    check_header(channel_header, signature_header)
    if not extension.chaincode_id.name or not spec.input.args:
        raise Refused("the proposal must name a chaincode and have at least one argument, the transaction's name")
    public_payload = proposal_pb2.ChaincodeProposalPayload(input=payload.input).SerializeToString()
    return ParsedProposal(
        header=header,
        channel_id=channel_header.channel_id,
        tx_id=channel_header.tx_id,
        timestamp_us=channel_header.timestamp.ToMicroseconds(),
        nonce=signature_header.nonce,
        creator=signature_header.creator,
        chaincode_name=extension.chaincode_id.name,
        args=tuple(spec.input.args),
        transient=dict(payload.TransientMap),
        payload=public_payload,
        hash=sha256(header.channel_header + header.signature_header + public_payload).digest(),
    )


def check_header(channel: common_pb2.ChannelHeader, signature: common_pb2.SignatureHeader) -> None:
    if channel.type != common_pb2.ENDORSER_TRANSACTION:
        raise Refused(f"invalid header type {channel.type}; proposals are ENDORSER_TRANSACTION")
    if channel.epoch:
        raise Refused("epoch is non-zero")
    if not signature.nonce or not signature.creator:
        raise Refused("nonce or creator is empty")
    expected = transaction_id(signature.nonce, signature.creator)
    if channel.tx_id != expected:
        raise Refused(f"incorrectly computed txid '{channel.tx_id}' -- expected '{expected}'")


def transaction_id(nonce: bytes, creator: bytes) -> str:
    return sha256(nonce + creator).hexdigest()
