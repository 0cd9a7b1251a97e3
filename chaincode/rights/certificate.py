"""Certificates that others have made, and that may contain anything."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

# The errors that cryptography raises, early or late, for bytes that are no certificate or revocation list.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def read_certificate(pem: bytes) -> x509.Certificate:
    """The certificate, after all its parts were read: cryptography parses most of them late, and that can fail.

    Raises ValueError.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        for part in ("subject", "issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc"):
            getattr(certificate, part)
        certificate.public_key()
    except UNREADABLE as error:
        raise ValueError(f"no certificate in PEM that can be read: {error}") from error
    if certificate.serial_number <= 0:
        raise ValueError("a certificate's serial number must be positive (RFC 5280, 4.1.2.2)")
    return certificate
