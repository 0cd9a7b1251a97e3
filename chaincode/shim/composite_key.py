"""Keys made of parts, in a namespace of their own, and the ranges that find them.

Source: Fabric documentation, "Ledger state and composite keys"; the bytes are those of the official shims.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaincode.shim.errors import InvalidKey

_NAMESPACE = "\x00"
_END_OF_PART = "\x00"
# The highest code point ends a range of composite keys.
_HIGHEST = "\U0010ffff"
# Fabric's range from the empty key would include the composite keys.
_FIRST_SIMPLE_KEY = "\x01"


def composite_key(object_type: str, attributes: Sequence[str] = ()) -> str:
    """The key made of these parts. Raises InvalidKey."""
    parts = [object_type, *attributes]
    for part in parts:
        _check_part(part)
    return _NAMESPACE + "".join(part + _END_OF_PART for part in parts)


def split_composite_key(key: str) -> tuple[str, list[str]]:
    """The object type and the attributes of a composite key. Raises InvalidKey."""
    if len(key) < 2 or not key.startswith(_NAMESPACE) or not key.endswith(_END_OF_PART):
        raise InvalidKey(f"{key!r} is no composite key: make one with composite_key")
    object_type, *attributes = key[1:-1].split(_END_OF_PART)
    return object_type, attributes


def composite_range(object_type: str, attributes: Sequence[str] = ()) -> tuple[str, str]:
    """The start and the end of all keys that begin with these parts. Raises InvalidKey."""
    start = composite_key(object_type, attributes)
    return start, start + _HIGHEST


def simple_range(start: str, end: str) -> tuple[str, str]:
    """The start and the end of a range of keys that are not composite; an empty end is unbounded. Raises InvalidKey."""
    for key in (start, end):
        if key.startswith(_NAMESPACE):
            raise InvalidKey(f"{key!r} starts with a null character: ask for composite keys by their parts")
    return start or _FIRST_SIMPLE_KEY, end


def check_key(key: str) -> None:
    """Checks that Fabric can store the key. Raises InvalidKey."""
    if not key:
        raise InvalidKey("a key is empty: give it at least one character")
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise InvalidKey(f"{key!r} cannot be written as UTF-8: use whole characters") from error


def _check_part(part: str) -> None:
    if _END_OF_PART in part or _HIGHEST in part:
        raise InvalidKey(f"{part!r} contains U+0000 or U+10FFFF, which separate the parts of composite keys")
    if part:
        check_key(part)
