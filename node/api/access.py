"""Checks that a client may make a call.

TLS has checked that the client's certificate is one of the member's own. This module checks its roles, and that it was
not revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from chaincode.rights.certificate import read_certificate
from chaincode.rights.roles import (
    Role,
    read_roles,
)
from node.errors import CertificateRevoked, NotAllowed

READERS = frozenset({Role.ADMIN, Role.AUDITOR, Role.ERP, Role.INSPECTOR, Role.OPERATOR, Role.TREASURER})
MACHINES = frozenset({Role.ERP, Role.OPERATOR})

# The single source for the check and for the docs.
ROLES_BY_CALL: Mapping[str, frozenset[Role]] = {
    "SubmitBatches": MACHINES,
    "AuthoriseStart": MACHINES,
    "GetBalance": READERS,
    "ListAccounts": READERS,
    "GetStatement": READERS,
    "ListInvoices": READERS,
    "WatchEvents": READERS,
    "GetStatus": READERS,
    "ListAlarms": READERS,
    "ListBatches": READERS,
    "DecideBatch": frozenset({Role.OPERATOR}),
}


def check_access(call: str, auth_context: Mapping[str, Iterable[bytes]], is_revoked: Callable[[int], bool]) -> None:
    """Raises NotAllowed unless the client's certificate carries one of the roles that `call` takes.

    `is_revoked` says whether a serial number is revoked; raises CertificateRevoked if it is.
    """
    needed = ROLES_BY_CALL[call]
    certificates = list(auth_context.get("x509_pem_cert", ()))
    serial_number, roles = _read(certificates[0]) if certificates else (0, frozenset())
    if is_revoked(serial_number):
        raise CertificateRevoked("your certificate was revoked: have the member issue another one")
    if not roles & needed:
        raise NotAllowed(
            f"{call} needs the role {' or '.join(sorted(needed))}, your certificate has "
            f"{', '.join(sorted(roles)) or 'none'}: use another certificate, or have the member issue one"
        )


@lru_cache(maxsize=1024)
def _read(certificate_pem: bytes) -> tuple[int, frozenset[Role]]:
    """The certificate's serial number and roles."""
    certificate = read_certificate(certificate_pem)
    return certificate.serial_number, read_roles(certificate)
