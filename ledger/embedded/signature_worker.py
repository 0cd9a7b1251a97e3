"""Checks and makes ECDSA signatures in a process of its own, so that the ledger's event loop does not share a core with
them.

Frames come on standard input: one byte kind, four bytes length, body. `KEY` brings a public key (DER), `SIGNER` a
private one (DER, PKCS #8); both are counted together, and each is from then on named by its number. `TASK` is such a
number and a SHA-256, which a private key signs; for a public one the signature to check follows. Tasks are answered in
order: one byte length, then the signature made, or one byte for a signature that holds and none for one that does not.
Run by path, so that nothing else is imported. Ends with its input.
"""

from __future__ import annotations

import os
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

KEY, SIGNER, TASK = range(3)
HOLDS, DOES_NOT_HOLD = b"\x01", b""
# So many answers go back together: the loop works on while the next are being made.
GROUP = 4
FRAME = struct.Struct("<BI")
TASK_HEAD = struct.Struct("<I32s")
PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))

Key = ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey


def main() -> None:
    keys: list[Key] = []
    waiting = b""
    while received := os.read(0, 1 << 16):
        waiting += received
        whole, waiting = split(waiting)
        tasks = []
        for kind, body in whole:
            if kind == TASK:
                tasks.append(body)
            else:
                keys.append(load_key(kind, body))
        for start in range(0, len(tasks), GROUP):
            os.write(1, b"".join(answer(keys, body) for body in tasks[start : start + GROUP]))


def split(received: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Kind and body of each whole frame, and what is left."""
    whole, start = [], 0
    while len(received) - start >= FRAME.size:
        kind, size = FRAME.unpack_from(received, start)
        end = start + FRAME.size + size
        if len(received) < end:
            break
        whole.append((kind, received[start + FRAME.size : end]))
        start = end
    return whole, received[start:]


def load_key(kind: int, der: bytes) -> Key:
    key = load_der_private_key(der, None) if kind == SIGNER else load_der_public_key(der)
    if not isinstance(key, Key):
        raise TypeError("not an elliptic-curve key")
    return key


def answer(keys: list[Key], body: bytes) -> bytes:
    number, digest = TASK_HEAD.unpack_from(body)
    key = keys[number]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        said = sign(key, digest)
    else:
        said = HOLDS if holds(key, digest, body[TASK_HEAD.size :]) else DOES_NOT_HOLD
    return bytes([len(said)]) + said


def holds(key: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, digest, PREHASHED)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """DER and low-S, the only form that Fabric takes."""
    signature = key.sign(digest, PREHASHED)
    r, s = decode_dss_signature(signature)
    order = key.curve.group_order
    return signature if s <= order // 2 else encode_dss_signature(r, order - s)


if __name__ == "__main__":
    main()
