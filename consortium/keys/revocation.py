"""A member's revocation list: the certificates that it has issued and taken back.

The member's own root signs the list, and the channel's configuration carries it, so that every peer and orderer refuses
signatures of those certificates.
Sources: RFC 5280, section 5; Fabric documentation, "Membership Service Provider (MSP)".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from chaincode.rights.certificate import UNREADABLE
from consortium.errors import UnreadableRevocations
from consortium.keys.certificates import (
    KeyPair,
    authority_key_identifier,
)


@dataclass(frozen=True)
class Revocations:
    """The revoked serial numbers, each with the time of its revocation. The first published list has the number 1."""

    number: int = 0
    time_by_serial: Mapping[int, datetime] = field(default_factory=dict)

    def __contains__(self, certificate: x509.Certificate) -> bool:
        return certificate.serial_number in self.time_by_serial

    def united(self, others: Iterable[Revocations]) -> Revocations:
        """The list with everything that this or another list revokes, each at its earliest time.

        It has a new number unless every list of the highest number has all of it already.
        """
        everything = [self, *others]
        times: dict[int, datetime] = {}
        for one in everything:
            for serial, time in one.time_by_serial.items():
                times[serial] = min(time, times.get(serial, time))
        number = max(one.number for one in everything)
        newest = [one for one in everything if one.number == number]
        if all(one.time_by_serial.keys() == times.keys() for one in newest):
            return newest[0]
        return Revocations(number + 1, times)

    def with_revoked(self, certificates: Iterable[x509.Certificate], now: datetime) -> Revocations:
        """The next list, with these certificates revoked at `now`; the same list if they are on it already."""
        new = {one.serial_number: now for one in certificates if one not in self}
        return Revocations(self.number + 1, {**self.time_by_serial, **new}) if new else self

    def to_pem(self, authority: KeyPair, now: datetime) -> bytes:
        """The list in PEM, signed by the member's root. It holds as long as the root: only a revocation replaces it."""
        issuer = authority.certificate
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
        builder = builder.last_update(now).next_update(issuer.not_valid_after_utc)
        builder = builder.add_extension(authority_key_identifier(issuer), critical=False)
        builder = builder.add_extension(x509.CRLNumber(self.number), critical=False)
        for serial, time in sorted(self.time_by_serial.items()):
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(time)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def load_revocation_list(pem: bytes) -> x509.CertificateRevocationList:
    """The revocation list of any program, if all fields that are used here can be read. Raises ValueError."""
    try:
        parsed = x509.load_pem_x509_crl(pem)
        for part in ("issuer", "extensions"):
            getattr(parsed, part)
        for entry in parsed:
            for part in ("serial_number", "revocation_date_utc"):
                getattr(entry, part)
    except UNREADABLE as error:
        raise ValueError(f"no revocation list in PEM that can be read: {error}") from error
    return parsed


def read_revocations(pem: bytes, issuer: x509.Certificate, what: str) -> Revocations:
    """The revocations in a list; `what` names it in errors. Raises UnreadableRevocations, also for a foreign list."""
    try:
        parsed = load_revocation_list(pem)
        is_own = parsed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # of a root: never DH
        number = parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature, UnsupportedAlgorithm) as error:
        raise UnreadableRevocations(f"{what} is no revocation list in PEM with a number; restore it") from error
    if not is_own:
        raise UnreadableRevocations(f"{what} is not signed by the member's own root; restore the one that is")
    return Revocations(number, {entry.serial_number: entry.revocation_date_utc for entry in parsed})
