"""Computes the digest of an account head, with code of its own beside the contracts'.

A head's bytes end with its amounts. The channel has one digest over two: that of the amounts and that of the rest. Each
part has a salt of its own. Heads of earlier contracts have no salt for the amounts; their digest is over all their
bytes.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from google.protobuf.message import DecodeError

from zunft.v1.usage_pb2 import AccountHead, HeadAmounts


def head_digest(data: bytes) -> bytes:
    """The digest of a serialised account head, as a commitment has it."""
    try:
        head = AccountHead.FromString(data)
    except DecodeError:
        return sha256(data).digest()
    amounts = HeadAmounts(
        agreement_id=head.agreement_id,
        sequence=head.sequence,
        usage_micro=head.usage_micro,
        correction_micro=head.correction_micro,
        amounts_salt=head.amounts_salt,
    ).SerializeToString(deterministic=True)
    if not head.amounts_salt or not data.endswith(amounts):
        return sha256(data).digest()
    rest = data[: len(data) - len(amounts)]
    return sha256(b"\0zunft head" + sha256(amounts).digest() + sha256(rest).digest()).digest()


def part_salt(secret: bytes, part: str, agreement_id: str, number: int) -> bytes:
    """The salt of a head's "rest" or "amounts", or of the "claim" that it leads to; `secret` is the terms'."""
    return hmac.new(secret, f"zunft {part} {agreement_id} {number}".encode(), "sha256").digest()
