"""Checks and makes ECDSA signatures in a process of its own, so that the ledger's event loop has its core for itself.

Frames come on standard input: one byte kind, four bytes length, body. `KEY` brings a public key (DER), `SIGNER` a
private one (DER, PKCS #8). Keys of both kinds are numbered together, from 0 in the order in which they come. The body
of a `TASK` is a key's number and a SHA-256: a private key signs it; for a public key the signature to check follows.
Tasks are answered in order: one byte length, then the new signature, or one byte for a signature that holds and no byte
for one that does not. The process is started by the file's path, so that it imports nothing else. It ends when its
input ends.
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
# The number of answers that go back together: the loop works on while the next ones are being made.
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
    """The kind and body of each whole frame, and the bytes that are left."""
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
        result = sign(key, digest)
    else:
        result = HOLDS if holds(key, digest, body[TASK_HEAD.size :]) else DOES_NOT_HOLD
    return bytes([len(result)]) + result


def holds(key: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, digest, PREHASHED)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """The key's signature in DER and low-S, the only form that Fabric takes."""
    signature = key.sign(digest, PREHASHED)
    r, s = decode_dss_signature(signature)
    order = key.curve.group_order
    return signature if s <= order // 2 else encode_dss_signature(r, order - s)


if __name__ == "__main__":
    main()
