"""Decodes everything that Go's protobuf decodes: peers take messages that Python's own reader does not.

Python's reader refuses a tag or a length in more bytes than it needs, and unknown groups nested a hundred deep. A node
that relied on it would see another ledger than the peers do.

Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

M = TypeVar("M", bound=Message)

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10
# Go's own limit.
_DEEPEST_GROUP = 10_000


def _tag(wire_type: int) -> bytes:
    """A pattern for the tags of one wire type that every reader takes, in up to four bytes."""
    short = b"".join(b"\\x%02x" % one for one in range(8, 0x80) if one & 7 == wire_type)
    long = b"".join(b"\\x%02x" % one for one in range(0x80, 0x100) if one & 7 == wire_type)
    return b"(?:[%s]|[%s][\\x80-\\xff]{0,2}[\\x01-\\x7f])" % (short, long)


def _empty_groups() -> Iterator[bytes]:
    """Patterns for two tags of the same number: a group's beginning and its end."""
    for first in range(8, 0x80, 8):
        yield b"\\x%02x\\x%02x" % (first | GROUP, first | END_GROUP)
    for place, first in enumerate(range(0x80, 0x100, 8), start=1):
        rest = b"([\\x80-\\xff]{0,2}[\\x01-\\x7f])"
        yield b"\\x%02x%s\\x%02x\\%d" % (first | GROUP, rest, first | END_GROUP, place)


# Runs of fields that every reader takes: numbers, content too short to hide a tag that is too long, empty groups.
# A message may hold millions of them, and this is the quick way past.
_PLAIN = re.compile(
    b"(?:%s[\\x80-\\xff]{0,8}[\\x00-\\x7f]|%s.{8}|%s.{4}|%s(?:\\x00|%s)|%s)*+"
    % (
        _tag(VARINT),
        _tag(FIXED64),
        _tag(FIXED32),
        _tag(BYTES),
        b"|".join(b"\\x%02x.{%d}" % (length, length) for length in range(1, 7)),
        b"|".join([*_empty_groups()]),
    ),
    re.DOTALL,
)


def decode(kind: type[M], data: bytes) -> M:
    """The message in `data`. Raises DecodeError only if Go's reader fails, too."""
    try:
        return kind.FromString(data)
    except DecodeError:
        return kind.FromString(_canonical(kind.DESCRIPTOR, data))


def _canonical(descriptor: Any, data: bytes) -> bytes:
    """The same message with short tags and lengths, and without unknown groups. Raises DecodeError."""
    kept = bytearray()
    for number, wire_type, value in _fields(data):
        if not number:
            kept += value
            continue
        field = descriptor.fields_by_number.get(number)
        if field is None or wire_type == GROUP:
            continue
        if wire_type == BYTES:
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                value = _canonical(field.message_type, value)
            value = _varint(len(value)) + value
        kept += _varint(number << 3 | wire_type) + value
    return bytes(kept)


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, wire type and content of each field; a varint's content is canonical, a group's is empty.

    Bytes that can stay as they are come with the number 0.
    """
    place = 0
    while place < len(data):
        if plain := _PLAIN.match(data, place):
            yield 0, 0, plain[0]
            place = plain.end()
            if place == len(data):
                return
        tag, place = _read_varint(data, place)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 2**29:
            raise DecodeError("a field has a number that does not exist")
        if wire_type == GROUP:
            place = _after_group(data, place, number)
            yield number, wire_type, b""
            continue
        start, place = _content(data, place, wire_type)
        content = data[start:place]
        yield number, wire_type, _varint(_read_varint(content, 0)[0]) if wire_type == VARINT else content


def _content(data: bytes, place: int, wire_type: int) -> tuple[int, int]:
    """The places where a field's content begins and ends. Raises DecodeError."""
    if wire_type == VARINT:
        return place, _read_varint(data, place)[1]
    length = _FIXED_BYTES.get(wire_type, 0)
    if wire_type == BYTES:
        length, place = _read_varint(data, place)
    elif not length:
        raise DecodeError("a field has a wire type that does not exist, or ends a group that has not begun")
    if place + length > len(data):
        raise DecodeError("a field is longer than the message")
    return place, place + length


def _after_group(data: bytes, place: int, number: int) -> int:
    """The place where a group ends, with others nested in it as deep as Go allows. Raises DecodeError."""
    open_groups = [number]
    while open_groups:
        if plain := _PLAIN.match(data, place):
            place = plain.end()
        tag, place = _read_varint(data, place)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == GROUP:
            open_groups.append(number)
        elif wire_type == END_GROUP:
            if open_groups.pop() != number:
                raise DecodeError("a group ends that has not begun")
        else:
            _, place = _content(data, place, wire_type)
        if len(open_groups) > _DEEPEST_GROUP:
            raise DecodeError("groups are nested too deep")
    return place


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    """The value and the place where it ends. Raises DecodeError."""
    first = data[place] if place < len(data) else 0xFF
    if first < 0x80:
        return first, place + 1
    value = 0
    for count, byte in enumerate(data[place : place + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            if value >= 2**64:
                break
            return value, place + count + 1
    raise DecodeError("a number is cut off, or longer than it can be")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
