"""The identity that acts on the ledger: a member's user or node, with the key or device that signs for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from fabric_protos.msp import identities_pb2

from consortium.keys.certificates import (
    P256_ORDER,
    Clock,
    utc_now,
)
from consortium.keys.key_files import KeyFiles
from ledger.gateway.errors import OfflineIdentity

# Makes a message's signature: with a key in memory, a security module, a person's smart card. It chooses the hash, too;
# Fabric takes DER and `low_s` only.
Signer = Callable[[bytes], bytes]

_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True)
class SigningIdentity:
    """A member's MSP id, a PEM certificate, and a function that signs with the certificate's key."""

    msp_id: str
    certificate_pem: bytes
    sign: Signer
    # None if the key is not in this process's memory.
    private_key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)

    @classmethod
    def load(cls, msp_id: str, certificate_path: Path, key_path: Path, *, clock: Clock = utc_now) -> SigningIdentity:
        """The identity in these PEM files. Raises what KeyFiles.pair raises: unreadable, mismatched, expired."""
        pair = KeyFiles(certificate_path, key_path).pair(now=clock())
        return cls.of_key(msp_id, pair.certificate_pem, pair.key)

    @classmethod
    def of_key(cls, msp_id: str, certificate_pem: bytes, key: ec.EllipticCurvePrivateKey) -> SigningIdentity:
        return cls(msp_id, certificate_pem, key_signer(key), key)

    @classmethod
    def offline(cls, msp_id: str, certificate_pem: bytes) -> SigningIdentity:
        """An identity without a key: somebody carries every message to the signer, and its signature back."""
        return cls(msp_id, certificate_pem, _nobody_signs)

    @cached_property
    def creator(self) -> bytes:
        """The serialised msp.SerializedIdentity by which messages name their author."""
        message = identities_pb2.SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate_pem)
        return bytes(message.SerializeToString())


def key_signer(key: ec.EllipticCurvePrivateKey) -> Signer:
    """A signer with an EC P-256 key: ECDSA over SHA-256, in DER (RFC 3279) and low-S."""

    def sign(message: bytes) -> bytes:
        return low_s(key.sign(message, _ECDSA_SHA256))

    return sign


def low_s(signature: bytes) -> bytes:
    """The lower of the two equally valid forms of a P-256 signature in DER; security modules answer with either."""
    r, s = decode_dss_signature(signature)
    return signature if s <= P256_ORDER // 2 else encode_dss_signature(r, P256_ORDER - s)


def _nobody_signs(_message: bytes) -> bytes:
    raise OfflineIdentity("this identity has no private key here: sign the message elsewhere and use with_signature")
