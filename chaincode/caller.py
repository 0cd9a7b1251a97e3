"""Who calls: the member and the roles that the caller's certificate attests.

The peer has verified certificate and signature before chaincode runs; here they are only read.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from chaincode.errors import Forbidden

# The certificate extension in which Fabric CA puts attributes: {"attrs": {name: value}}.
ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
ROLES_ATTRIBUTE = "zunft.roles"


class Role(enum.StrEnum):
    """What a user may do; a certificate lists one or more."""

    ADMIN = "admin"
    TREASURER = "treasurer"
    OPERATOR = "operator"
    INSPECTOR = "inspector"
    ERP = "erp"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Caller:
    """The creator of a transaction."""

    msp_id: str
    roles: frozenset[Role]


@lru_cache(maxsize=4096)
def read_caller(creator: bytes) -> Caller:
    """The caller behind a serialised msp.SerializedIdentity.

    Raises Forbidden if it has no certificate that can be read.
    """
    try:
        identity = identities_pb2.SerializedIdentity.FromString(creator)
        certificate = x509.load_pem_x509_certificate(identity.id_bytes)
    except (DecodeError, ValueError) as error:
        raise Forbidden("the caller's certificate cannot be read: renew it with the member's CA") from error
    return Caller(identity.mspid, _read_roles(certificate))


def _read_roles(certificate: x509.Certificate) -> frozenset[Role]:
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
    except x509.ExtensionNotFound:
        return frozenset()
    if not isinstance(extension.value, x509.UnrecognizedExtension):
        return frozenset()
    names = _attribute(extension.value.value, ROLES_ATTRIBUTE).split(",")
    return frozenset(role for role in Role if role.value in names)


def _attribute(extension: bytes, name: str) -> str:
    try:
        return str(json.loads(extension)["attrs"][name])
    except (ValueError, KeyError, TypeError):
        return ""
