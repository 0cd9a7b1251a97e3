"""Giving roles to a user: the certificate extension that chaincode/rights/roles.py reads."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cryptography import x509

from chaincode.rights.roles import (
    ATTRIBUTES_OID,
    ROLES_ATTRIBUTE,
    Role,
)
from consortium.errors import UnknownRole


def parse_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """The roles of these names in a fixed order, each once. Raises UnknownRole."""
    wanted = set(names)
    unknown = sorted(wanted - set(Role))
    if unknown:
        raise UnknownRole(f"there is no role {', '.join(map(repr, unknown))}; use {', '.join(Role)}")
    return tuple(role for role in Role if role in wanted)


def roles_extension(roles: Iterable[Role]) -> x509.UnrecognizedExtension:
    """The extension of a user's certificate that names its roles."""
    attributes = {"attrs": {ROLES_ATTRIBUTE: ",".join(roles)}}
    return x509.UnrecognizedExtension(ATTRIBUTES_OID, json.dumps(attributes, separators=(",", ":")).encode())
