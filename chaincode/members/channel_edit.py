"""The configuration updates that members' admins sign with a vote, where the decision changes the channel.

The change follows from the ballot's question and the configuration in force. A contract does not see the configuration,
so every voter's node computes the change for itself and signs nothing else. The contract keeps each signature with the
digest of its update, and checks that each member signs in its own name.
Source: Fabric documentation, "Updating a channel configuration"; common/configtx.proto.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from chaincode import keys
from chaincode.checks import check_digest
from chaincode.errors import MalformedRequest, WrongSignature
from chaincode.transaction_context import TransactionContext
from zunft.v1.ballot_pb2 import (
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    BallotSubject,
    CastVote,
    EditSignatures,
    SignBallot,
)
from zunft.v1.member_pb2 import DepartMember

# Orderers come and go one at a time, so a decision may take several updates.
MAX_UPDATES = 16

# The requests that contain signatures of a member's admin.
SignedRequest = CastVote | SignBallot | DepartMember

_CHANGING = frozenset({BALLOT_SUBJECT_ADMISSION, BALLOT_SUBJECT_DEPARTURE, BALLOT_SUBJECT_EXCLUSION})


def changes_channel(subject: BallotSubject) -> bool:
    """Whether a decision on this subject changes the channel's configuration."""
    return subject in _CHANGING


def check_config_signatures(tx: TransactionContext, request: SignedRequest) -> None:
    """Checks that there is one signature by the caller's certificate for each digest; none where nothing is to change.

    Raises MalformedRequest, WrongSignature.
    """
    digests, signatures = request.update_digests, request.config_signatures
    if len(digests) > MAX_UPDATES or len(digests) != len(signatures):
        raise MalformedRequest(
            f"sign each of at most {MAX_UPDATES} configuration updates: {len(digests)} are named, "
            f"{len(signatures)} signatures are given"
        )
    for digest, signature in zip(digests, signatures, strict=True):
        check_digest("update_digests", digest)
        _check_config_signature(tx, signature)


def edit_digest(update_digests: Sequence[bytes]) -> bytes:
    """The digest of a whole change, over the digests of its updates."""
    return hashlib.sha256(b"".join(update_digests)).digest()


def put_signatures(tx: TransactionContext, ballot_id: str, request: SignedRequest) -> EditSignatures:
    """Writes the signatures of the caller's member, in place of its earlier ones."""
    signed = EditSignatures(
        ballot_id=ballot_id,
        msp_id=tx.caller.msp_id,
        signed_at_s=tx.timestamp_s,
        update_digests=request.update_digests,
        config_signatures=request.config_signatures,
    )
    tx.put(keys.signatures(signed.ballot_id, signed.msp_id), signed)
    return signed


def _check_config_signature(tx: TransactionContext, data: bytes) -> None:
    """Checks that the signature is the caller's. The members' nodes check that it is over the update, which they have.

    Raises MalformedRequest, WrongSignature.
    """
    try:
        signature = configtx_pb2.ConfigSignature.FromString(data)
        header = common_pb2.SignatureHeader.FromString(signature.signature_header)
    except DecodeError as error:
        raise MalformedRequest("a configuration signature is not a common.ConfigSignature") from error
    if header.creator != tx.stub.creator:
        raise WrongSignature("a configuration update must be signed with the certificate that votes")
