"""Changes of the channel's configuration, which members' admins sign by voting.

What an update changes is for the voters' nodes to recompute from the bundle and their own view of the configuration;
a contract does not see the configuration. It sees to it that all sign the same bytes, and each with its own key.
Source: Fabric documentation, "Updating a channel configuration"; common/configtx.proto.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from chaincode.errors import MalformedRequest, WrongSignature
from chaincode.limits import EDIT_BYTES
from chaincode.transaction import Transaction
from zunft.v1.member_pb2 import ChannelEdit

MAX_UPDATES = 16
# Orderers take the smaller of an ECDSA signature's two forms only.
_P256_HALF_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2


def check_edit(edit: ChannelEdit) -> None:
    """Raises MalformedRequest."""
    if not 0 < len(edit.config_updates) <= MAX_UPDATES:
        raise MalformedRequest(f"1 to {MAX_UPDATES} configuration updates must be given")
    size = sum(map(len, edit.config_updates))
    if size > EDIT_BYTES:
        raise MalformedRequest(f"the configuration updates have {size} bytes, {EDIT_BYTES} is the most: make several")
    for data in edit.config_updates:
        _check_update(data)


def check_config_signatures(tx: Transaction, edit: ChannelEdit, signatures: Sequence[bytes]) -> None:
    """Serialised common.ConfigSignatures of the caller's certificate, each over its header and one update, in order.

    Raises MalformedRequest, WrongSignature.
    """
    if len(signatures) != len(edit.config_updates):
        raise MalformedRequest(
            f"the ballot has {len(edit.config_updates)} configuration updates: sign each, not {len(signatures)}"
        )
    for update, data in zip(edit.config_updates, signatures, strict=True):
        _check_config_signature(tx, update, data)


def _check_update(data: bytes) -> None:
    try:
        update = configtx_pb2.ConfigUpdate.FromString(data)
    except DecodeError as error:
        raise MalformedRequest("a configuration update is not a common.ConfigUpdate") from error
    if not update.channel_id:
        raise MalformedRequest("a configuration update names no channel")


def _check_config_signature(tx: Transaction, update: bytes, data: bytes) -> None:
    try:
        signature = configtx_pb2.ConfigSignature.FromString(data)
        header = common_pb2.SignatureHeader.FromString(signature.signature_header)
    except DecodeError as error:
        raise MalformedRequest("a configuration signature is not a common.ConfigSignature") from error
    if header.creator != tx.stub.creator:
        raise WrongSignature("a configuration update must be signed with the certificate that votes")
    if not _is_signed(tx, signature, signature.signature_header + update):
        raise WrongSignature("a signature is not over this ballot's configuration update: read it again and sign it")


def _is_signed(tx: Transaction, signature: configtx_pb2.ConfigSignature, message: bytes) -> bool:
    key = tx.caller.certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature.signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return not isinstance(key.curve, ec.SECP256R1) or decode_dss_signature(signature.signature)[1] <= _P256_HALF_ORDER
