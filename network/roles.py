"""Roles of a member's users, carried in their certificates as Fabric CA carries attributes.

Source: Fabric CA user's guide, "Attribute-Based Access Control": the extension's value is the JSON object
{"attrs": {name: value}}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum

from cryptography import x509

from network.errors import UnknownRole

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
ROLES_ATTRIBUTE = "zunft.roles"


class Role(StrEnum):
    """What a user may do; one user may have several."""

    ADMIN = "admin"
    TREASURER = "treasurer"
    OPERATOR = "operator"
    INSPECTOR = "inspector"
    ERP = "erp"
    AUDITOR = "auditor"


def parse_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """Roles in a fixed order, each once. Raises UnknownRole."""
    wanted = set(names)
    unknown = sorted(wanted - set(Role))
    if unknown:
        raise UnknownRole(f"There is no role {', '.join(map(repr, unknown))}; use {', '.join(Role)}.")
    return tuple(role for role in Role if role in wanted)


def roles_extension(roles: Iterable[Role]) -> x509.UnrecognizedExtension:
    """The attribute extension of a user's certificate."""
    attributes = {"attrs": {ROLES_ATTRIBUTE: ",".join(roles)}}
    return x509.UnrecognizedExtension(ATTRIBUTES_OID, json.dumps(attributes, separators=(",", ":")).encode())


def certificate_roles(certificate: x509.Certificate) -> frozenset[str]:
    """Roles that a certificate carries; none where there is no such attribute."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return frozenset()
    if not isinstance(extension, x509.UnrecognizedExtension):
        return frozenset()
    names = json.loads(extension.value).get("attrs", {}).get(ROLES_ATTRIBUTE, "")
    return frozenset(name for name in names.split(",") if name)
