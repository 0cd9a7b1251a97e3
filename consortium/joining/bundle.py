"""An applicant's bundle as a file: the applicant makes and signs it, the members read it and compare its fingerprint.

chaincode/members/bundle.py checks what a bundle holds and that its own root has signed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from chaincode.errors import ContractError
from chaincode.members.bundle import (
    read_bundle,
    roots_fingerprint,
)
from consortium.errors import (
    ForeignBundle,
    UnusableBundle,
)
from consortium.joining.applicant import Applicant
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from zunft.v1.bundle_pb2 import Bundle, NodeAddress, OrdererNode, SignedBundle


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The charter that the applicant accepts (its digest is SHA-256), and the member that it asks to be its sponsor."""

    consortium: str
    charter_version: int
    charter_digest: bytes
    sponsor_msp_id: str


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle that is complete and signed by its own root; `signed` is the SignedBundle in bytes, for member.apply."""

    signed: bytes
    bundle: Bundle

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the applicant's roots in groups of four hexadecimal digits, for comparing by telephone."""
        return show_fingerprint(roots_fingerprint(self.bundle.root_certificates))


def sign_bundle(applicant: Applicant, keys: MemberKeys, accepted: Acceptance, now: datetime) -> OpenedBundle:
    """The applicant's bundle, made at the time `now` and signed with the key of its own root.

    Raises UnusableBundle if members would refuse it.
    """
    data = _bundle(applicant, keys, accepted, now).SerializeToString(deterministic=True)
    signature = keys.authority("msp").key.sign(data, ec.ECDSA(hashes.SHA256()))
    return open_bundle(
        SignedBundle(bundle=data, signature=signature).SerializeToString(deterministic=True), "the bundle"
    )


def open_bundle_file(path: Path) -> OpenedBundle:
    """The bundle in a file. Raises UnusableBundle."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableBundle(f"{path} cannot be read: {error.strerror}") from error
    return open_bundle(data, str(path))


def open_bundle(data: bytes, what: str) -> OpenedBundle:
    """The bundle in these bytes; `what` names it in errors. Raises UnusableBundle."""
    try:
        _, bundle = read_bundle(data)
    except ContractError as error:
        raise UnusableBundle(f"{what} cannot be used: {error}") from error
    return OpenedBundle(data, bundle)


def check_addressed(opened: OpenedBundle, consortium: str, sponsor_msp_id: str) -> None:
    """Checks that the bundle is for this consortium and this sponsor. Raises ForeignBundle."""
    bundle = opened.bundle
    if bundle.consortium != consortium:
        raise ForeignBundle(f"{bundle.msp_id} applies to {bundle.consortium!r} with this bundle, not to {consortium!r}")
    if bundle.sponsor_msp_id != sponsor_msp_id:
        raise ForeignBundle(f"{bundle.msp_id} asks {bundle.sponsor_msp_id} to put this bundle in, not {sponsor_msp_id}")


def show_fingerprint(fingerprint: bytes) -> str:
    """The fingerprint in groups of four hexadecimal digits: "1a2b 3c4d …"."""
    digits = fingerprint.hex()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _bundle(applicant: Applicant, keys: MemberKeys, accepted: Acceptance, now: datetime) -> Bundle:
    member, material = applicant.member, keys.public_material()
    return Bundle(
        msp_id=member.msp_id,
        legal_name=member.legal_name,
        identifiers=applicant.legal_identifiers,
        root_certificates=material.ca_certificates,
        tls_root_certificates=material.tls_ca_certificates,
        peer=_address(member.peer.peer) if member.peer else None,
        orderer=_orderer(keys, member.orderer.orderer) if member.orderer else None,
        consortium=accepted.consortium,
        charter_version=accepted.charter_version,
        charter_digest=accepted.charter_digest,
        sponsor_msp_id=accepted.sponsor_msp_id,
        made_at_s=int(now.timestamp()),
    )


def _orderer(keys: MemberKeys, endpoint: Endpoint) -> OrdererNode:
    kind = NodeKind.ORDERER
    identity, tls = keys.node(kind).certificate_pem(), keys.node_tls(kind).certificate_pem()
    return OrdererNode(address=_address(endpoint), identity_certificate=identity, tls_certificate=tls)


def _address(endpoint: Endpoint) -> NodeAddress:
    return NodeAddress(host=endpoint.host, port=endpoint.port)
