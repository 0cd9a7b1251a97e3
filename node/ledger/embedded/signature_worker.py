"""Checks ECDSA signatures in a process of its own, so that the ledger's event loop does not share a core with them.

Frames come on standard input: one byte kind, four bytes length, body. `KEY` brings a public key (DER), which from then
on is named by its number; `CHECK` a key's number, a SHA-256 and a signature, answered by one byte, 1 or 0, in order.
Run by path, so that nothing else is imported. Ends with its input.
"""

from __future__ import annotations

import os
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

KEY, CHECK = 0, 1
# So many answers go back together: the loop works on while the next are being checked.
GROUP = 4
FRAME = struct.Struct("<BI")
CLAIM = struct.Struct("<I32s")
PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))


def main() -> None:
    keys: list[ec.EllipticCurvePublicKey] = []
    waiting = b""
    while received := os.read(0, 1 << 16):
        waiting += received
        whole, waiting = split(waiting)
        answers = bytearray()
        for kind, body in whole:
            if kind == KEY:
                keys.append(load_key(body))
            else:
                answers.append(holds(keys, body))
            if len(answers) == GROUP:
                os.write(1, answers)
                answers.clear()
        os.write(1, answers)


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


def load_key(der: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("not an elliptic-curve key")
    return key


def holds(keys: list[ec.EllipticCurvePublicKey], body: bytes) -> bool:
    number, digest = CLAIM.unpack_from(body)
    try:
        keys[number].verify(body[CLAIM.size :], digest, PREHASHED)
    except (InvalidSignature, ValueError):
        return False
    return True


if __name__ == "__main__":
    main()
