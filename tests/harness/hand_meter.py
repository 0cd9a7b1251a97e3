"""A meter that a test operates by hand: it signs everything that a test asks for, wrong things too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chaincode.meter import possession_message
from chaincode.readings.batch import encode_batch
from consortium.keys.certificates import P256_ORDER
from node.meter.reading import Reading, to_columns
from zunft.v1.meter_pb2 import RegisterMeter, RotateMeterKey
from zunft.v1.usage_pb2 import SignedBatch, StreamHead

# The signature has no random part (RFC 6979), so that a run can be repeated byte by byte.
_ECDSA = ec.ECDSA(SHA256(), deterministic_signing=True)


class HandMeter:
    """A meter whose keys follow from its name, so that the same script leaves the same bytes."""

    def __init__(self, meter_id: str) -> None:
        self.meter_id = meter_id
        self.key_version = 1

    def registration(self) -> RegisterMeter:
        public_key = public_bytes(self.key())
        return RegisterMeter(
            meter_id=self.meter_id,
            label=f"Meter {self.meter_id}",
            location="hall 1",
            public_key=public_key,
            possession_signature=self.prove(public_key),
        )

    def rotation(self, version: int) -> RotateMeterKey:
        key = self.key(version)
        public_key = public_bytes(key)
        proof = self.prove(public_key, key)
        return RotateMeterKey(meter_id=self.meter_id, public_key=public_key, possession_signature=proof)

    def key(self, version: int | None = None) -> ec.EllipticCurvePrivateKey:
        seed = hashlib.sha512(f"{self.meter_id} {version or self.key_version}".encode()).digest()
        return ec.derive_private_key(int.from_bytes(seed) % (P256_ORDER - 1) + 1, ec.SECP256R1())

    def prove(self, public_key: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        return (key or self.key()).sign(possession_message(self.meter_id, public_key), _ECDSA)

    def batch(
        self, agreement_id: str, stream: StreamHead, readings: Sequence[Reading], /, **changes: Any
    ) -> SignedBatch:
        """The stream's next batch; `changes` are arguments of encode_batch, and `key` signs instead of the meter's."""
        key = changes.pop("key", None)
        fields = {
            "meter_id": self.meter_id,
            "agreement_id": agreement_id,
            "key_version": self.key_version,
            "first_sequence": stream.next_sequence or 1,
            "previous_digest": stream.last_batch_digest,
        }
        data = encode_batch(columns=to_columns(readings), **{**fields, **changes})
        return self.sign(data, key)

    def sign(self, data: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> SignedBatch:
        return SignedBatch(batch=data, signature=(key or self.key()).sign(data, _ECDSA))


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
