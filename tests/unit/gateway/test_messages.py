"""The messages that the client signs and sends, field by field."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2

from consortium.keys.certificates import is_low_s
from consortium.keys.member_keys import MemberKeys
from ledger.gateway import (
    Checkpoint,
    Commit,
    OfflineIdentity,
    Proposal,
    SigningIdentity,
)
from ledger.gateway.blocks import (
    BlocksRequest,
    all_blocks,
    blocks_request,
)
from ledger.gateway.commit import make_commit
from ledger.gateway.events import (
    EventsRequest,
    events_request,
)
from ledger.gateway.identity import key_signer
from ledger.gateway.proposal import (
    Call,
    make_proposal,
    transaction_id,
)

CALL = Call("consortium", "zunft", [b"usage.submit", b"request", b"more"], {"batch": b"secret"}, ["AMSP", "BMSP"])


def test_transaction_id_is_the_hash_of_nonce_and_creator() -> None:
    # SHA-256 of "abc" (FIPS 180-2, appendix B.1).
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert transaction_id(b"a", b"bc") == transaction_id(b"ab", b"c") == expected


def test_proposal_holds_the_call_and_nothing_else() -> None:
    proposal = make_proposal(CALL, b"creator", b"n" * 24, 1_700_000_000_123_456)
    message = proposal_pb2.Proposal.FromString(proposal.message)
    header = common_pb2.Header.FromString(message.header)
    channel = common_pb2.ChannelHeader.FromString(header.channel_header)
    author = common_pb2.SignatureHeader.FromString(header.signature_header)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(message.payload)
    spec = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
    assert (author.creator, author.nonce) == (b"creator", b"n" * 24)
    assert channel.tx_id == proposal.tx_id == hashlib.sha256(b"n" * 24 + b"creator").hexdigest()
    assert (channel.type, channel.channel_id) == (common_pb2.ENDORSER_TRANSACTION, "consortium")
    assert (channel.timestamp.seconds, channel.timestamp.nanos) == (1_700_000_000, 123_456_000)
    assert list(spec.input.args) == [b"usage.submit", b"request", b"more"]
    assert dict(payload.TransientMap) == {"batch": b"secret"}
    assert b"secret" not in message.header + payload.input


def test_a_message_that_is_signed_elsewhere_comes_back_unchanged() -> None:
    proposal = make_proposal(CALL, b"creator", b"n" * 24, 0).with_signature(b"signature")
    commit = make_commit("consortium", "tx", b"creator").with_signature(b"signature")
    assert Proposal.from_bytes(proposal.to_bytes()) == proposal
    events = events_request("c", "zunft", b"creator", None).with_signature(b"signature")
    blocks = blocks_request(common_pb2.ChannelHeader(), b"creator", b"nonce", all_blocks(5)).with_signature(
        b"signature"
    )
    assert Commit.from_bytes(commit.to_bytes()) == commit
    assert EventsRequest.from_bytes(events.to_bytes()) == events
    assert BlocksRequest.from_bytes(blocks.to_bytes()) == blocks
    with pytest.raises(OfflineIdentity, match="sign the message elsewhere"):
        SigningIdentity.offline("AMSP", b"certificate").sign(b"message")


def test_signatures_are_low_s() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    sign = key_signer(key)
    for number in range(50):
        message = b"message %d" % number
        signature = sign(message)
        key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
        assert is_low_s(signature)


def test_identity_loads_from_a_members_folder(tmp_path: Path) -> None:
    files = MemberKeys.create(tmp_path / "a", "AMSP").add_user("anna", ["erp"])
    identity = SigningIdentity.load("AMSP", files.certificate_path, files.key_path)
    creator = identities_pb2.SerializedIdentity.FromString(identity.creator)
    assert (creator.mspid, creator.id_bytes) == ("AMSP", files.certificate_pem())


@pytest.mark.parametrize(
    ("position", "start", "after"),
    [
        (None, "next_commit", ""),
        (Checkpoint(7), "specified", ""),
        (Checkpoint(7, "tx"), "specified", "tx"),
        (Checkpoint.after_block(6), "specified", ""),
    ],
)
def test_events_start_where_the_reader_stopped(position: Checkpoint | None, start: str, after: str) -> None:
    message = events_request("c", "zunft", b"creator", position).message
    request = gateway_pb2.ChaincodeEventsRequest.FromString(message)
    assert request.start_position.WhichOneof("Type") == start
    assert request.start_position.specified.number == (7 if position else 0)
    assert request.after_transaction_id == after


def seek_of(start: int | None) -> ab_pb2.SeekInfo:
    request = blocks_request(common_pb2.ChannelHeader(), b"creator", b"nonce", all_blocks(start))
    return ab_pb2.SeekInfo.FromString(common_pb2.Payload.FromString(request.message).data)


def test_blocks_are_requested_without_an_end() -> None:
    seek = seek_of(5)
    assert (seek.start.specified.number, seek.stop.specified.number) == (5, 2**64 - 1)
    assert seek.behavior == ab_pb2.SeekInfo.BLOCK_UNTIL_READY
    assert seek_of(None).start.WhichOneof("Type") == "next_commit"
