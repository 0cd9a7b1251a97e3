"""The caller of a transaction: its member, and the roles that its certificate attests.

The peer has verified certificate and signature before chaincode runs; here they are only read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from chaincode.errors import Forbidden
from chaincode.rights.certificate import read_certificate
from chaincode.rights.roles import (
    Role,
    read_roles,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The user that created a transaction."""

    msp_id: str
    roles: frozenset[Role]
    certificate: x509.Certificate


@lru_cache(maxsize=4096)
def read_caller(creator: bytes) -> Caller:
    """The caller behind a serialised msp.SerializedIdentity.

    Raises Forbidden if the identity has no certificate that can be read.
    """
    try:
        identity = identities_pb2.SerializedIdentity.FromString(creator)
        certificate = read_certificate(identity.id_bytes)
    except (DecodeError, ValueError) as error:
        raise Forbidden("the caller's certificate cannot be read: renew it with the member's CA") from error
    return Caller(identity.mspid, read_roles(certificate), certificate)
