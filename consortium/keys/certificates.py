"""X.509 certificates as Fabric's MSPs want them: EC P-256, low-S signatures, the node's kind as organisational unit.

Sources: RFC 5280; Fabric documentation, "Membership Service Provider (MSP)", on node OUs and on the fields that a
certificate must have.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from consortium.errors import (
    CertificateExpired,
    CertificateNotYetValid,
    ForeignCertificate,
)

Clock = Callable[[], datetime]

# Users and nodes with fewer days left than this are reported as ending soon.
WARN_DAYS = 30
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_RENEW = "the member must issue a new one: zunft user renew, zunft network renew"

# Extensions that every certificate gets from its own key, its issuer and its kind; a renewal does not copy them.
_ISSUED_ANEW = frozenset(
    {
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
    }
)


class NodeKind(StrEnum):
    """Fabric's node OUs: the kind of an identity within its organisation."""

    CLIENT = "client"
    PEER = "peer"
    ADMIN = "admin"
    ORDERER = "orderer"


def utc_now() -> datetime:
    """The present time by the system's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Validity:
    """The periods for which certificates hold. They begin a little in the past, for machines with slow clocks."""

    authority: timedelta = timedelta(days=20 * 365)
    identity: timedelta = timedelta(days=3 * 365)
    begins_before: timedelta = timedelta(minutes=10)
    clock: Clock = field(default=utc_now)


@dataclass(frozen=True)
class KeyPair:
    """A private key and the certificate that names its public half."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM: PKCS #8, not encrypted."""
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(encoding, form, serialization.NoEncryption())

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def make_authority(common_name: str, organisation: str, validity: Validity) -> KeyPair:
    """A self-signed root."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name, organisation)
    builder = _begin(subject, key.public_key(), validity, validity.clock() + validity.authority)
    builder = builder.issuer_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    return KeyPair(key, _sign_low_s(builder, key))


def issue_identity(
    authority: KeyPair, common_name: str, kind: NodeKind, validity: Validity, *extensions: x509.ExtensionType
) -> KeyPair:
    """A node's or user's signing key and certificate.

    The certificate has no extended key usage, so that it also serves as a client's certificate in TLS.
    """
    return _issue(authority, _node_name(authority, common_name, kind), validity, extensions)


def issue_tls(
    authority: KeyPair, common_name: str, kind: NodeKind, hosts: Sequence[str], validity: Validity
) -> KeyPair:
    """A key and certificate for TLS, both as server (for these DNS names and IP addresses) and as client."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    names = x509.SubjectAlternativeName([_host_name(host) for host in hosts])
    return _issue(authority, _node_name(authority, common_name, kind), validity, (usage, names))


def reissue(
    authority: KeyPair,
    former: x509.Certificate,
    validity: Validity,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> KeyPair:
    """Another certificate for the same holder, with the same names, roles and hosts; for `key`, or else for a new key.

    Raises ForeignCertificate if another authority has issued `former`.
    """
    if not is_issued_by(former, authority.certificate):
        raise ForeignCertificate(
            f"the certificate of {common_name_of(former)!r} was not issued by the member's own root: restore the one "
            "that was"
        )
    extensions = [one.value for one in former.extensions if one.oid not in _ISSUED_ANEW]
    return _issue(authority, former.subject, validity, extensions, key)


def is_issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """Whether the certificate has the root's name as issuer and the root's signature."""
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def check_validity(certificate: x509.Certificate, now: datetime, what: str, remedy: str = _RENEW) -> None:
    """Checks the certificate's dates. In errors `what` names the certificate, and `remedy` says what to do.

    Raises CertificateExpired, CertificateNotYetValid.
    """
    if now > certificate.not_valid_after_utc:
        raise CertificateExpired(f"{what} expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; {remedy}")
    if now < certificate.not_valid_before_utc:
        raise CertificateNotYetValid(
            f"{what} is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC, but the clock here says "
            f"{now:%Y-%m-%d %H:%M} UTC; set the clock"
        )


def organisation_of(certificate: x509.Certificate) -> str:
    """The subject's organisation, in our certificates the member's MSP id; empty where there is none."""
    return _subject_part(certificate, NameOID.ORGANIZATION_NAME)


def common_name_of(certificate: x509.Certificate) -> str:
    """The subject's common name, in our certificates the user's; empty where there is none."""
    return _subject_part(certificate, NameOID.COMMON_NAME)


def is_low_s(signature: bytes) -> bool:
    """Whether a DER ECDSA signature over P-256 has the smaller of its two possible s."""
    return decode_dss_signature(signature)[1] <= P256_ORDER // 2


def _issue(
    authority: KeyPair,
    subject: x509.Name,
    validity: Validity,
    extensions: Sequence[x509.ExtensionType],
    key: ec.EllipticCurvePrivateKey | None = None,
) -> KeyPair:
    key = key or ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    # Nobody accepts a certificate after its authority has expired.
    ends = min(validity.clock() + validity.identity, issuer.not_valid_after_utc)
    builder = _begin(subject, key.public_key(), validity, ends)
    builder = builder.issuer_name(issuer.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=False), critical=True)
    for extension in (authority_key_identifier(issuer), *extensions):
        builder = builder.add_extension(extension, critical=False)
    return KeyPair(key, _sign_low_s(builder, authority.key))


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The extension by which Fabric finds the issuer of a certificate or of a revocation list."""
    issuer_key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id)


def _begin(
    subject: x509.Name, public_key: ec.EllipticCurvePublicKey, validity: Validity, ends: datetime
) -> x509.CertificateBuilder:
    begins = validity.clock() - validity.begins_before
    builder = x509.CertificateBuilder().subject_name(subject).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begins).not_valid_after(ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)


def _sign_low_s(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    # Fabric rewrites a certificate with a high s before comparing it, so the same identity would have two encodings.
    while True:
        certificate = builder.sign(key, hashes.SHA256())
        if is_low_s(certificate.signature):
            return certificate


def _subject_part(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = certificate.subject.get_attributes_for_oid(oid)
    return str(values[0].value) if values else ""


def _node_name(authority: KeyPair, common_name: str, kind: NodeKind) -> x509.Name:
    return _name(common_name, organisation_of(authority.certificate), kind)


def _name(common_name: str, organisation: str, unit: str | None = None) -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common_name)]
    if unit:
        parts.insert(1, (NameOID.ORGANIZATIONAL_UNIT_NAME, str(unit)))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
