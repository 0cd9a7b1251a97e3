"""Numbers as people write them, read exactly: ASCII digits and one point, scaled to an integer."""

from __future__ import annotations

import re

# Longer numbers do not occur in this product, and reading them would take time.
DIGITS_MAX = 40
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,2}))?")


class NotANumber(ValueError):
    """The text is no decimal number."""


class TooFine(ValueError):
    """The number has too many digits after the point."""


def scaled(text: str, places: int, *, exponent: bool = False) -> int:
    """The number in units of 10^-places; it may have an exponent, as in 1.5E-3, only with `exponent`.

    It is never rounded. Raises NotANumber, TooFine.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[2] or match[3]) or (match[4] and not exponent):
        raise NotANumber(f"{text[:DIGITS_MAX]!r} is no number")
    sign, whole, part, power = match[1], match[2], match[3] or "", int(match[4] or 0)
    digits = (whole + part).lstrip("0") or "0"
    if len(digits) > DIGITS_MAX:
        raise NotANumber(f"{text[:DIGITS_MAX]}… has {len(digits)} digits, more than any number here")
    value, rest = int(digits), places + power - len(part)
    if rest < 0 and value % 10**-rest:
        raise TooFine(f"{text} is finer than {places} digits after the point")
    value = value * int(10**rest) if rest >= 0 else value // int(10**-rest)
    return -value if sign == "-" else value
