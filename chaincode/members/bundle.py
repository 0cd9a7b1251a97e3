"""An applicant's bundle: its data about itself, signed with the key of its own root.

Nobody knows the root yet, so the signature proves only that one holder of that key has made all of the bundle. The
members compare the fingerprint by telephone to find out whether it is really that company.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from chaincode.checks import check_identifier, check_text
from chaincode.errors import InvalidBundle, WrongSignature
from chaincode.host import check_host
from chaincode.limits import BUNDLE_BYTES
from chaincode.members.identifiers import check_identifiers
from chaincode.rights.certificate import read_certificate
from chaincode.transaction_context import parse, serialise
from zunft.v1.bundle_pb2 import Bundle, NodeAddress, SignedBundle

MAX_ROOTS = 4


def read_bundle(data: bytes) -> tuple[SignedBundle, Bundle]:
    """The SignedBundle in these bytes, and the bundle in it, complete and signed by its own root.

    Raises MalformedRequest, InvalidBundle, WrongSignature.
    """
    if not 0 < len(data) <= BUNDLE_BYTES:
        raise InvalidBundle(f"the bundle must be given, with at most {BUNDLE_BYTES} bytes")
    signed = parse(SignedBundle, data, "the bundle")
    bundle = parse(Bundle, signed.bundle, "the bundle's content")
    _check_signature(signed, _check_roots("MSP", bundle.root_certificates)[0])
    _check_roots("TLS", bundle.tls_root_certificates)
    _check_nodes(bundle)
    check_identifier("msp_id", bundle.msp_id)
    check_text("legal_name", bundle.legal_name)
    check_identifiers(bundle.identifiers)
    return signed, bundle


def bundle_digest(signed: SignedBundle) -> bytes:
    """SHA-256 of the bundle on the ledger, which the ballot on an admission names."""
    return hashlib.sha256(serialise(signed)).digest()


def roots_fingerprint(roots: Iterable[bytes]) -> bytes:
    """SHA-256 of the DER form of MSP roots in PEM, one after the other. Raises InvalidBundle."""
    return hashlib.sha256(b"".join(_roots_der(roots))).digest()


def root_digests(roots: Iterable[bytes]) -> list[bytes]:
    """SHA-256 of the DER form of each MSP root in PEM. Raises InvalidBundle."""
    return [hashlib.sha256(der).digest() for der in _roots_der(roots)]


def _roots_der(roots: Iterable[bytes]) -> list[bytes]:
    return [_load("an MSP root", pem).public_bytes(Encoding.DER) for pem in roots]


def _check_roots(kind: str, pems: Iterable[bytes]) -> list[x509.Certificate]:
    roots = [_load(f"a {kind} root", pem) for pem in pems]
    if not 0 < len(roots) <= MAX_ROOTS:
        raise InvalidBundle(f"the bundle needs 1 to {MAX_ROOTS} {kind} roots, not {len(roots)}")
    for root in roots:
        if not _is_authority(root):
            raise InvalidBundle(f"a {kind} root of the bundle is no certificate authority's certificate")
    return roots


def _check_signature(signed: SignedBundle, root: x509.Certificate) -> None:
    key = root.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidBundle("the first MSP root has no elliptic-curve key, which Fabric's members need")
    try:
        key.verify(signed.signature, signed.bundle, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise WrongSignature("the bundle is not signed by its own root, or was changed afterwards") from error


def _check_nodes(bundle: Bundle) -> None:
    _check_address("peer", bundle.peer)
    if bundle.HasField("orderer"):
        _check_address("orderer", bundle.orderer.address)
        _load("the orderer's identity certificate", bundle.orderer.identity_certificate)
        _load("the orderer's TLS certificate", bundle.orderer.tls_certificate)


def _check_address(node: str, address: NodeAddress) -> None:
    check_text("host", address.host)
    if not address.host or not 0 < address.port < 2**16:
        raise InvalidBundle(f"the bundle must say the {node}'s host and port, at which the other members reach it")
    try:
        check_host(address.host)
    except ValueError as error:
        raise InvalidBundle(f"the bundle's {node} has an impossible address: {error}") from error


def _load(what: str, pem: bytes) -> x509.Certificate:
    try:
        return read_certificate(pem)
    except ValueError as error:
        raise InvalidBundle(f"{what} of the bundle is no certificate in PEM that can be read") from error


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
