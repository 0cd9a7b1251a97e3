"""A private key and its certificate on disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chaincode.rights.certificate import read_certificate
from consortium.errors import (
    KeyMismatch,
    UnreadableCertificate,
    UnreadableKey,
    UnsafeKeyFile,
)
from consortium.files import (
    others_may_read,
    write_private,
    write_public,
)
from consortium.keys.certificates import (
    KeyPair,
    check_validity,
)


@dataclass(frozen=True)
class KeyFiles:
    """The paths of a PEM certificate and of its PEM private key."""

    certificate_path: Path
    key_path: Path

    def pair(self, *, now: datetime | None = None) -> KeyPair:
        """The key and its certificate, checked against each other and, if `now` is given, for validity.

        Raises UnreadableKey, UnsafeKeyFile, UnreadableCertificate, KeyMismatch, CertificateExpired,
        CertificateNotYetValid.
        """
        certificate, key = self.certificate(), self.key()
        if certificate.public_key() != key.public_key():
            raise KeyMismatch(
                f"{self.key_path} is not the key of {self.certificate_path}; restore the key of this certificate"
            )
        if now is not None:
            check_validity(certificate, now, f"the certificate {self.certificate_path}")
        return KeyPair(key, certificate)

    def certificate(self) -> x509.Certificate:
        """The certificate. Raises UnreadableCertificate."""
        return parse_certificate(self.certificate_pem(), str(self.certificate_path))

    def certificate_pem(self) -> bytes:
        """The certificate's file. Raises UnreadableCertificate."""
        try:
            return self.certificate_path.read_bytes()
        except OSError as error:
            raise UnreadableCertificate(
                f"cannot read the certificate {self.certificate_path}: {error.strerror}"
            ) from error

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The private key. Raises UnreadableKey, UnsafeKeyFile."""
        pem = self.key_pem()
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise UnreadableKey(f"{self.key_path} is no unencrypted PEM private key; restore it") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise UnreadableKey(f"{self.key_path} is no EC P-256 key, the only kind used here")
        return key

    def key_pem(self) -> bytes:
        """The private key's file. Raises UnreadableKey, UnsafeKeyFile."""
        try:
            if others_may_read(self.key_path):
                raise UnsafeKeyFile(f"others may read the private key {self.key_path}; run: chmod 600 {self.key_path}")
            return self.key_path.read_bytes()
        except OSError as error:
            raise UnreadableKey(f"cannot read the private key {self.key_path}: {error.strerror}") from error

    def write(self, pair: KeyPair) -> None:
        """Writes the key first, so that a certificate on disk always has its key. Raises FileExistsError."""
        write_private(self.key_path, pair.key_pem)
        write_public(self.certificate_path, pair.certificate_pem)


def parse_certificate(pem: bytes, what: str) -> x509.Certificate:
    """The certificate in `pem`; `what` names it in errors. Raises UnreadableCertificate."""
    try:
        return read_certificate(pem)
    except ValueError as error:
        raise UnreadableCertificate(f"{what} is no PEM-encoded X.509 certificate") from error
