"""Roles of a member's users, which stand in their certificates like attributes of Fabric CA.

Source: Fabric CA user's guide, "Attribute-Based Access Control": the extension's value is the JSON object
{"attrs": {name: value}}.
"""

from __future__ import annotations

import enum
import json

from cryptography import x509

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
ROLES_ATTRIBUTE = "zunft.roles"
# The most arrays and objects in the attributes; Fabric CA's have two. A member's own CA may write anything, and the
# depth that a parser reads depends on where it is called, so that one endorser could read a role and another one none.
MAX_BRACKETS = 32


class Role(enum.StrEnum):
    """A role of a user; a certificate lists one or more, with commas between them."""

    ADMIN = "admin"
    TREASURER = "treasurer"
    OPERATOR = "operator"
    INSPECTOR = "inspector"
    ERP = "erp"
    AUDITOR = "auditor"


def read_roles(certificate: x509.Certificate) -> frozenset[Role]:
    """The roles that a certificate attests; none if it has no such attribute."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
    except x509.ExtensionNotFound:
        return frozenset()
    if not isinstance(extension.value, x509.UnrecognizedExtension):
        return frozenset()
    names = _attribute(extension.value.value, ROLES_ATTRIBUTE).split(",")
    return frozenset(role for role in Role if role.value in names)


def _attribute(extension: bytes, name: str) -> str:
    if extension.count(b"[") + extension.count(b"{") > MAX_BRACKETS:
        return ""
    try:
        value = json.loads(extension.decode())["attrs"][name]
    except (ValueError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""
