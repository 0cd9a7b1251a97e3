"""What ties the parts of a transaction together, beyond the signatures: its id, its proposal's hash, its results.

Source: Fabric's protoutil (transaction id, proposal hash).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from node.ledger.fabric_rules.results import Results, parse_results


@dataclass(frozen=True, slots=True)
class Seal:
    """`results` has one entry for each chaincode whose state the transaction read or wrote."""

    channel_id: str
    has_own_id: bool
    answers_its_proposal: bool
    results: tuple[Results, ...]


def read_seal(envelope: bytes) -> Seal:
    """Of a serialised common.Envelope with an endorsed transaction. Raises DecodeError, IndexError."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    author = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
    step = transaction_pb2.Transaction.FromString(payload.data).actions[0]
    action = transaction_pb2.ChaincodeActionPayload.FromString(step.payload)
    response = proposal_response_pb2.ProposalResponsePayload.FromString(action.action.proposal_response_payload)
    proposal = payload.header.channel_header + step.header + action.chaincode_proposal_payload
    outcome = proposal_pb2.ChaincodeAction.FromString(response.extension)
    return Seal(
        channel_id=header.channel_id,
        has_own_id=header.tx_id == sha256(author.nonce + author.creator).hexdigest(),
        answers_its_proposal=response.proposal_hash == sha256(proposal).digest(),
        results=tuple(parse_results(outcome.results)),
    )
