"""Reads the parts that tie a transaction together beside its signatures: its id, its proposal's hash, its results.

Source: Fabric's protoutil (transaction id, proposal hash).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from ledger.fabric_rules.results import (
    NamespaceResults,
    parse_results,
)
from ledger.wire import decode


@dataclass(frozen=True, slots=True)
class Seal:
    """The ties of a transaction; `results` has an entry for each chaincode whose state it read or wrote."""

    channel_id: str
    has_own_id: bool
    answers_its_proposal: bool
    results: tuple[NamespaceResults, ...]


def read_seal(envelope: bytes) -> Seal:
    """The seal of an endorsed transaction in a serialised common.Envelope. Raises DecodeError, IndexError."""
    payload = decode(common_pb2.Payload, decode(common_pb2.Envelope, envelope).payload)
    header = decode(common_pb2.ChannelHeader, payload.header.channel_header)
    author = decode(common_pb2.SignatureHeader, payload.header.signature_header)
    step = decode(transaction_pb2.Transaction, payload.data).actions[0]
    action = decode(transaction_pb2.ChaincodeActionPayload, step.payload)
    response = decode(proposal_response_pb2.ProposalResponsePayload, action.action.proposal_response_payload)
    proposal = payload.header.channel_header + step.header + action.chaincode_proposal_payload
    outcome = decode(proposal_pb2.ChaincodeAction, response.extension)
    return Seal(
        channel_id=header.channel_id,
        has_own_id=header.tx_id == sha256(author.nonce + author.creator).hexdigest(),
        answers_its_proposal=response.proposal_hash == sha256(proposal).digest(),
        results=tuple(parse_results(outcome.results)),
    )
