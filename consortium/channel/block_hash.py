"""How Fabric's blocks hang together: each header names the hash of the header before it and the hash of its own data.

Source: Fabric's protoutil; the header is hashed as ASN.1 DER (X.690) SEQUENCE { INTEGER, OCTET STRING, OCTET STRING }.
"""

from __future__ import annotations

import hashlib

from fabric_protos.common import common_pb2


def header_hash(header: common_pb2.BlockHeader) -> bytes:
    """SHA-256 of the header, which the next block carries as previous_hash."""
    return hashlib.sha256(header_bytes(header)).digest()


def header_bytes(header: common_pb2.BlockHeader) -> bytes:
    """The form of the header that is hashed, and that orderers sign."""
    fields = _der_unsigned(header.number) + _der(0x04, header.previous_hash) + _der(0x04, header.data_hash)
    return _der(0x30, fields)


def data_hash(data: common_pb2.BlockData) -> bytes:
    """SHA-256 of the block's envelopes, one after the other."""
    return hashlib.sha256(b"".join(data.data)).digest()


def _der_unsigned(value: int) -> bytes:
    # One bit more than the number has, so that the sign bit is 0.
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
