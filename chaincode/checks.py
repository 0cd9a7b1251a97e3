"""Checks of single fields, the same in every transaction."""

from __future__ import annotations

import re

from chaincode.errors import AmountOutOfRange, ForeignName, MalformedRequest

# 10^12 tokens: no sum of a few of them leaves 64 bits.
MAX_AMOUNT_MICRO = 10**18
MAX_TEXT_LENGTH = 256
# How far a client's clock may be off: as far as for certificates, and far enough for machines without a time server. It
# is little against any notice period.
MAX_CLOCK_SKEW_S = 300
MAX_DURATION_S = 100 * 366 * 86400

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_identifier(field: str, value: str) -> None:
    """Checks that the value is 1 to 64 letters, digits, dots, dashes or underscores: safe in keys and file names."""
    if not _IDENTIFIER.fullmatch(value):
        raise MalformedRequest(f"{field} must be 1 to 64 letters, digits, '.', '-' or '_', not {value[:80]!r}")


def check_name(field: str, value: str) -> str:
    """Checks an identifier, plain or as "<MSP id>:<identifier>", and returns that MSP id, empty if it is plain."""
    msp_id, colon, identifier = value.rpartition(":")
    check_identifier(field, identifier)
    if colon:
        check_identifier(f"the part before the colon in {field}", msp_id)
    return msp_id


def check_own_name(field: str, value: str, msp_id: str) -> None:
    """Checks that the member may take the name: first come, first served, unless the name begins with an MSP id.

    No MSP id has a colon, and no name from an earlier contract has one. Raises ForeignName.
    """
    owner_msp_id = check_name(field, value)
    if owner_msp_id not in ("", msp_id):
        raise ForeignName(
            f"{field} {value} is for {owner_msp_id} to take: choose a name that begins with '{msp_id}:' or has no colon"
        )


def check_text(field: str, value: str) -> None:
    if len(value) > MAX_TEXT_LENGTH or not value.isprintable():
        raise MalformedRequest(f"{field} must be printable and have at most {MAX_TEXT_LENGTH} characters")


def check_digest(field: str, value: bytes) -> None:
    if len(value) != 32:
        raise MalformedRequest(f"{field} must be a SHA-256 digest of 32 bytes, not {len(value)}")


def check_duration(field: str, seconds: int) -> None:
    if not 0 <= seconds <= MAX_DURATION_S:
        raise MalformedRequest(f"{field} must be between 0 and 100 years")


def check_amount(amount_micro: int) -> None:
    """Checks that the amount is positive and not absurdly large. Raises AmountOutOfRange."""
    if not 0 < amount_micro <= MAX_AMOUNT_MICRO:
        raise AmountOutOfRange(
            f"the amount must be more than 0 and at most {format_amount(MAX_AMOUNT_MICRO)} "
            f"tokens, not {format_amount(amount_micro)}"
        )


def check_named(named_msp_id: str, msp_id: str) -> None:
    """Checks the member that a request names so that one round trip loads everything. Raises MalformedRequest."""
    if named_msp_id != msp_id:
        raise MalformedRequest(f"the request names {named_msp_id}, but the record says {msp_id}")


def format_duration(seconds: int) -> str:
    """The duration in two units at most, rounded up: 1_209_600 → "14 days", 7_470 → "2 h 5 min"; if negative, "0 s"."""
    precise_s = next((least_s for from_s, least_s in ((86_400, 3_600), (3_600, 60)) if seconds >= from_s), 1)
    left, parts = -(-max(seconds, 0) // precise_s) * precise_s, []
    for unit_s, unit in ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, unit_s)
        if count:
            parts.append(f"{count} {unit}" + ("s" if unit == "day" and count > 1 else ""))
    return " ".join(parts) or "0 s"


def format_quantity(quantity_micro: int) -> str:
    """Millionths of a unit as a decimal of units, exactly: 1_500_000 → "1.5"."""
    whole, micro = divmod(abs(quantity_micro), 10**6)
    return f"{'-' if quantity_micro < 0 else ''}{whole}.{micro:06d}".rstrip("0").rstrip(".")


def format_amount(amount_micro: int) -> str:
    """Micro-tokens as a decimal of tokens, exactly: 1_500_000 → "1.50"."""
    whole, micro = divmod(abs(amount_micro), 10**6)
    cents = f"{micro:06d}"
    return f"{'-' if amount_micro < 0 else ''}{whole}.{cents[:2]}{cents[2:].rstrip('0')}"
