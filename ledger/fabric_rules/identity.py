"""Members' identities: a certificate that chains to its member's root, its roles, and its signatures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2, msp_config_pb2, msp_principal_pb2

from chaincode.rights.certificate import read_certificate
from consortium.keys.revocation import load_revocation_list

ROLE = msp_principal_pb2.MSPRole.MSPRoleType
ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())
ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}


class InvalidIdentity(Exception):
    """A certificate that none of the channel's members vouches for."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """The holder of a key, as the channel knows it. Two identities are equal only if they are the same object."""

    msp_id: str
    serialised: bytes
    roles: frozenset[int]
    expires_at: datetime
    public_key: ec.EllipticCurvePublicKey
    highest_s: int

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this is the identity's signature: ECDSA over SHA-256, DER, and low-S, which Fabric demands."""
        try:
            self.public_key.verify(signature, message, ECDSA_SHA256)
        except (InvalidSignature, ValueError):
            return False
        return self.is_low_s(signature)

    def is_low_s(self, signature: bytes) -> bool:
        """Whether the signature is the smaller of the two forms of an ECDSA signature."""
        try:
            return decode_dss_signature(signature)[1] <= self.highest_s
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class NodeOu:
    """An organisational unit that gives a role in certificates of this CA (of any CA of the member if None)."""

    role: int
    certifier: x509.Certificate | None


class Msp:
    """One member's certificate authorities, node OUs and revocations, from its part of the channel's configuration."""

    def __init__(self, config: msp_config_pb2.FabricMSPConfig) -> None:
        self.msp_id: str = config.name
        self._roots = load_certificates(config.root_certs)
        self._intermediates = load_certificates(config.intermediate_certs)
        self._admins = load_certificates(config.admins)
        self._node_ous = node_ous(config.fabric_node_ous)
        self._revoked = revoked_serials(config.revocation_list)

    def identify(self, serialised: identities_pb2.SerializedIdentity) -> Identity:
        """The identity behind a certificate. Its expiry is checked where a request arrives, as in Fabric.

        Raises InvalidIdentity.
        """
        certificate = load_certificate(serialised.id_bytes)
        issuer = self._issuer(certificate)
        if (issuer.subject, certificate.serial_number) in self._revoked:
            raise InvalidIdentity(f"{describe(certificate)} was revoked by {self.msp_id}")
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in ORDERS:
            raise InvalidIdentity(f"{describe(certificate)} has no P-256 or P-384 key")
        return Identity(
            msp_id=self.msp_id,
            serialised=serialised.SerializeToString(),
            roles=frozenset({ROLE.MEMBER, *self._roles(certificate, issuer)}),
            expires_at=certificate.not_valid_after_utc,
            public_key=key,
            highest_s=ORDERS[key.curve.name] >> 1,
        )

    def _issuer(self, certificate: x509.Certificate, depth: int = 0) -> x509.Certificate:
        for root in self._roots:
            if issued_by(certificate, root):
                return root
        for intermediate in self._intermediates if depth < len(self._intermediates) else ():
            if issued_by(certificate, intermediate) and self._issuer(intermediate, depth + 1):
                return intermediate
        raise InvalidIdentity(f"{describe(certificate)} was not issued by {self.msp_id}")

    def _roles(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Iterable[int]:
        """Exactly one of the roles that organisational units give (Fabric's node OUs), and admin if it is listed."""
        if certificate in self._admins:
            yield ROLE.ADMIN
        if not self._node_ous:
            return
        units = [
            str(unit.value) for unit in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        ]
        found = [self._node_ous[unit] for unit in units if unit in self._node_ous]
        if len(found) != 1 or found[0].certifier not in (None, issuer):
            raise InvalidIdentity(
                f"{describe(certificate)} must carry exactly one of the units {sorted(self._node_ous)}"
            )
        yield found[0].role


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def load_certificate(pem: bytes) -> x509.Certificate:
    try:
        return read_certificate(pem)
    except ValueError as error:
        raise InvalidIdentity(str(error)) from error


def load_certificates(pems: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    return tuple(load_certificate(pem) for pem in pems)


def describe(certificate: x509.Certificate) -> str:
    return f"certificate {certificate.subject.rfc4514_string()}"


def node_ous(config: msp_config_pb2.FabricNodeOUs) -> dict[str, NodeOu]:
    if not config.enable:
        return {}
    units = {
        ROLE.CLIENT: config.client_ou_identifier,
        ROLE.PEER: config.peer_ou_identifier,
        ROLE.ADMIN: config.admin_ou_identifier,
        ROLE.ORDERER: config.orderer_ou_identifier,
    }
    return {
        unit.organizational_unit_identifier: NodeOu(
            role, load_certificate(unit.certificate) if unit.certificate else None
        )
        for role, unit in units.items()
        if unit.organizational_unit_identifier
    }


def revoked_serials(lists: Iterable[bytes]) -> frozenset[tuple[x509.Name, int]]:
    """The issuer and serial number of every revoked certificate; as in Fabric the time of revocation plays no part.

    Raises InvalidIdentity.
    """
    try:
        parsed = [load_revocation_list(pem) for pem in lists]
    except ValueError as error:
        raise InvalidIdentity(str(error)) from error
    return frozenset((crl.issuer, entry.serial_number) for crl in parsed for entry in crl)
