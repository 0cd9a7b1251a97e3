"""The part of an account head that the channel sees: one digest, over the digests of its amounts and of the rest.

Each part has a salt of its own in every head, derived by a one-way function from the parties' secret. So a party that
the other one has left alone can show the amounts, and shows nothing else of this head and nothing of any other.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from google.protobuf.message import DecodeError

from chaincode.errors import HeadMismatch, MalformedRequest
from chaincode.transaction_context import parse, serialise
from zunft.v1.usage_pb2 import AccountHead, Commitment, HeadAmounts, ShownAmounts

# Where the transient map carries the ShownAmounts.
SHOWN = "amounts"
# No message begins with a zero byte, so nothing that hashes to such a digest can be read as a head.
_DOMAIN = b"\0zunft head"
_SALT_BYTES = 32


def seal(head: AccountHead, secret: bytes) -> tuple[bytes, bytes]:
    """The head's bytes (first the rest, then its amounts) and their digest; `secret` is the terms' salt.

    Puts the salts into the head.
    """
    head.salt = derived_salt(secret, "rest", head.agreement_id, head.sequence)
    head.amounts_salt = derived_salt(secret, "amounts", head.agreement_id, head.sequence)
    amounts = amounts_of(head)
    for field in ("usage_micro", "correction_micro", "amounts_salt"):
        head.ClearField(field)
    rest, shown = serialise(head), serialise(amounts)
    head.MergeFrom(_as_head(amounts))
    return rest + shown, _join(shown, sha256(rest).digest())


def sealed_bytes(head: AccountHead) -> int:
    """The number of bytes that the head has when it is sealed in two parts, even if it is not sealed so now."""
    amounts = amounts_of(head)
    rest_bytes = head.ByteSize() - _as_head(amounts).ByteSize()
    amounts.amounts_salt = bytes(_SALT_BYTES)
    return rest_bytes + amounts.ByteSize()


def derived_salt(secret: bytes, part: str, agreement_id: str, number: int) -> bytes:
    """32 bytes from which nobody learns the secret, or the salt of any other part or number."""
    return hmac.digest(secret, f"zunft {part} {agreement_id} {number}".encode(), "sha256")


def amounts_of(head: AccountHead) -> HeadAmounts:
    """The head's amounts, with the salt of that part."""
    return HeadAmounts(
        agreement_id=head.agreement_id,
        sequence=head.sequence,
        usage_micro=head.usage_micro,
        correction_micro=head.correction_micro,
        amounts_salt=head.amounts_salt,
    )


def head_digest(data: bytes) -> bytes:
    """The digest of a head's bytes, sealed in two parts or, by earlier contracts, as a whole. Raises HeadMismatch."""
    return _digest(data, _read(data))


def proven_head(data: bytes, commitment: Commitment) -> AccountHead:
    """A disclosed head, if it is the account's last one. Raises HeadMismatch."""
    head = _read(data)
    if _digest(data, head) != commitment.head_digest:
        raise HeadMismatch(f"the disclosed head is not the one after transaction {commitment.sequence}: read it again")
    return head


def show_amounts(data: bytes) -> ShownAmounts:
    """The part of a head that proves its amounts to everybody. Raises HeadMismatch."""
    parts = _split(data, _read(data))
    if parts is None:
        return ShownAmounts(head=data)
    amounts, rest = parts
    return ShownAmounts(amounts=amounts, rest_digest=sha256(rest).digest())


def proven_amounts(data: bytes | None, commitment: Commitment) -> HeadAmounts:
    """The amounts in serialised ShownAmounts, if they are those of the account's last head.

    Raises MalformedRequest, HeadMismatch.
    """
    if data is None:
        raise MalformedRequest(f"the amounts of the last head are missing: show them in the transient field {SHOWN!r}")
    shown = parse(ShownAmounts, data, "the proof of the amounts")
    if shown.head:
        return amounts_of(proven_head(shown.head, commitment))
    if _join(shown.amounts, shown.rest_digest) != commitment.head_digest:
        raise HeadMismatch(f"the amounts are not those after transaction {commitment.sequence}: read the head again")
    return parse(HeadAmounts, shown.amounts, "the amounts")


def _as_head(amounts: HeadAmounts) -> AccountHead:
    """A head that has these amounts and nothing else."""
    return AccountHead(
        usage_micro=amounts.usage_micro,
        correction_micro=amounts.correction_micro,
        amounts_salt=amounts.amounts_salt,
    )


def _digest(data: bytes, head: AccountHead) -> bytes:
    parts = _split(data, head)
    if parts is None:
        return sha256(data).digest()
    amounts, rest = parts
    return _join(amounts, sha256(rest).digest())


def _join(amounts: bytes, rest_digest: bytes) -> bytes:
    return sha256(_DOMAIN + sha256(amounts).digest() + rest_digest).digest()


def _read(data: bytes) -> AccountHead:
    try:
        return AccountHead.FromString(data)
    except DecodeError:
        raise HeadMismatch("the disclosed head cannot be read: read it again") from None


def _split(data: bytes, head: AccountHead) -> tuple[bytes, bytes] | None:
    """The bytes of the amounts, and of the rest before them; None for a head that was sealed as a whole."""
    amounts = serialise(amounts_of(head))
    if not head.amounts_salt or not data.endswith(amounts):
        return None
    return amounts, data[: -len(amounts)]
