"""Parses a transaction's envelope, with the checks that need no state.

Each check raises `Invalid` with the validation code that Fabric gives; the order of the checks is Fabric's, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_event_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.message import DecodeError

from ledger.embedded.proposal import transaction_id
from ledger.embedded.signatures import SignatureClaim
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.identity import (
    Identity,
    InvalidIdentity,
)
from ledger.fabric_rules.results import (
    NamespaceResults,
    parse_results,
)

# The codes as plain integers.
CODE = transaction_pb2
Parsed = TypeVar("Parsed")


class Invalid(Exception):
    """The transaction breaks a rule; it stays in its block with this code and changes nothing."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """The headers of an envelope, not checked yet, and its payload."""

    channel: common_pb2.ChannelHeader
    signature: common_pb2.SignatureHeader
    payload: common_pb2.Payload


@dataclass(frozen=True, slots=True)
class Action:
    """The part of a transaction that the endorsers signed (`signed` is these bytes), and their endorsements."""

    chaincode_name: str
    signed: bytes
    endorsements: Sequence[proposal_response_pb2.Endorsement]
    results: NamespaceResults
    event: chaincode_event_pb2.ChaincodeEvent | None


def parse_header(envelope: common_pb2.Envelope) -> Header:
    """The envelope's headers and payload. Raises Invalid: BAD_PAYLOAD, BAD_COMMON_HEADER."""
    payload = parsed(common_pb2.Payload.FromString, envelope.payload, CODE.BAD_PAYLOAD)
    header = payload.header
    channel = parsed(common_pb2.ChannelHeader.FromString, header.channel_header, CODE.BAD_COMMON_HEADER)
    signature = parsed(common_pb2.SignatureHeader.FromString, header.signature_header, CODE.BAD_COMMON_HEADER)
    demand(channel.epoch == 0, CODE.BAD_COMMON_HEADER, "epoch is non-zero")
    demand(bool(signature.creator), CODE.BAD_COMMON_HEADER, "creator is empty")
    return Header(channel, signature, payload)


def own_transaction_id(header: Header) -> str:
    """The transaction id, if it follows from nonce and creator; else empty, so that nobody can take another's id."""
    expected = transaction_id(header.signature.nonce, header.signature.creator)
    return expected if header.channel.tx_id == expected else ""


def creator_claim(channel: ChannelRules, header: Header, envelope: common_pb2.Envelope) -> SignatureClaim:
    """The creator's signature as a claim to be checked. Raises Invalid: BAD_CREATOR_SIGNATURE."""
    try:
        identity = channel.identity(header.signature.creator)
    except InvalidIdentity as error:
        raise Invalid(CODE.BAD_CREATOR_SIGNATURE, str(error)) from error
    return SignatureClaim(identity, envelope.payload, envelope.signature)


def parse_action(channel_id: str, header: Header) -> Action:
    """The transaction's action. Raises Invalid, with one of many codes."""
    kind = header.channel.type
    demand(kind == common_pb2.ENDORSER_TRANSACTION, CODE.UNSUPPORTED_TX_PAYLOAD, f"header type {kind}")
    demand(header.channel.channel_id == channel_id, CODE.TARGET_CHAIN_NOT_FOUND, header.channel.channel_id)
    # Only a transaction needs a nonce: clients that ask for blocks send none.
    demand(bool(header.signature.nonce), CODE.BAD_COMMON_HEADER, "nonce is empty")
    demand(
        bool(own_transaction_id(header)), CODE.BAD_PROPOSAL_TXID, "the transaction id is not that of nonce and creator"
    )
    transaction = parsed(transaction_pb2.Transaction.FromString, header.payload.data, CODE.INVALID_ENDORSER_TRANSACTION)
    demand(len(transaction.actions) == 1, CODE.INVALID_ENDORSER_TRANSACTION, "not exactly one action")
    return endorsed_action(header, transaction.actions[0])


def endorsed_action(header: Header, step: transaction_pb2.TransactionAction) -> Action:
    malformed = CODE.INVALID_ENDORSER_TRANSACTION
    payload = parsed(transaction_pb2.ChaincodeActionPayload.FromString, step.payload, malformed)
    signed = payload.action.proposal_response_payload
    response = parsed(proposal_response_pb2.ProposalResponsePayload.FromString, signed, malformed)
    proposal_hash = sha256(header.payload.header.channel_header + step.header + payload.chaincode_proposal_payload)
    demand(response.proposal_hash == proposal_hash.digest(), malformed, "proposal hash does not match")
    extension = parsed(
        proposal_pb2.ChaincodeHeaderExtension.FromString, header.channel.extension, CODE.BAD_HEADER_EXTENSION
    )
    action = parsed(proposal_pb2.ChaincodeAction.FromString, response.extension, CODE.BAD_RESPONSE_PAYLOAD)
    name = extension.chaincode_id.name
    demand(bool(name) and name == action.chaincode_id.name, CODE.INVALID_CHAINCODE, "inconsistent chaincode name")
    demand(bool(action.chaincode_id.version), CODE.INVALID_CHAINCODE, "no chaincode version")
    return Action(
        chaincode_name=name,
        signed=signed,
        endorsements=payload.action.endorsements,
        results=only_results(action.results, name),
        event=own_event(action.events, name),
    )


def only_results(serialised: bytes, chaincode_name: str) -> NamespaceResults:
    """The read-write set of the one namespace that this ledger has. Raises Invalid: BAD_RWSET and others."""
    results = parsed(parse_results, serialised, CODE.BAD_RWSET)
    names = [part.namespace for part in results]
    demand(len(set(names)) == len(names), CODE.ILLEGAL_WRITESET, "duplicate namespace")
    demand(
        names == [chaincode_name], CODE.INVALID_CHAINCODE, f"namespaces {names}: this ledger has one, its chaincode's"
    )
    return results[0]


def own_event(serialised: bytes, chaincode_name: str) -> chaincode_event_pb2.ChaincodeEvent | None:
    if not serialised:
        return None
    event = parsed(chaincode_event_pb2.ChaincodeEvent.FromString, serialised, CODE.INVALID_OTHER_REASON)
    demand(event.chaincode_id == chaincode_name, CODE.INVALID_OTHER_REASON, "the event is another chaincode's")
    return event


def endorsement_claims(channel: ChannelRules, action: Action) -> list[SignatureClaim]:
    """A claim for each endorser that is a member's identity, each once; others are ignored, as in Fabric."""
    claims: dict[Identity, SignatureClaim] = {}
    for endorsement in action.endorsements:
        try:
            identity = channel.identity(endorsement.endorser)
        except InvalidIdentity:
            continue
        claims.setdefault(
            identity, SignatureClaim(identity, action.signed + endorsement.endorser, endorsement.signature)
        )
    return list(claims.values())


def parsed(parse: Callable[[bytes], Parsed], serialised: bytes, code: int) -> Parsed:
    try:
        return parse(serialised)
    except DecodeError as error:
        raise Invalid(code, f"cannot be decoded: {error}") from error


def demand(fulfilled: bool, code: int, reason: str) -> None:
    if not fulfilled:
        raise Invalid(code, reason)
