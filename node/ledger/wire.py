"""Decodes what Go's protobuf decodes: peers take messages that Python's own reader does not.

Python's refuses a tag or a length in more bytes than it needs, and unknown groups nested a hundred deep. Whoever relied
on it would see another ledger than the peers do.

Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

M = TypeVar("M", bound=Message)

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10


def decode(kind: type[M], data: bytes) -> M:
    """The message in `data`. Raises DecodeError only where Go's reader fails, too."""
    try:
        return kind.FromString(data)
    except DecodeError:
        return kind.FromString(_canonical(kind.DESCRIPTOR, data))


def _canonical(descriptor: Any, data: bytes) -> bytes:
    """The same message without unknown fields, and with short tags and lengths. Raises DecodeError."""
    kept = bytearray()
    for number, wire_type, value in _fields(data):
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
    """Number, wire type and content of each field; of a varint canonical, of a group nothing."""
    place = 0
    while place < len(data):
        tag, place = _read_varint(data, place)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 2**29:
            raise DecodeError("a field has a number that there is not")
        if wire_type == GROUP:
            place = _after_group(data, place, number)
            yield number, wire_type, b""
            continue
        start, place = _content(data, place, wire_type)
        content = data[start:place]
        yield number, wire_type, _varint(_read_varint(content, 0)[0]) if wire_type == VARINT else content


def _content(data: bytes, place: int, wire_type: int) -> tuple[int, int]:
    """Where a field's content begins and ends. Raises DecodeError."""
    if wire_type == VARINT:
        return place, _read_varint(data, place)[1]
    length = _FIXED_BYTES.get(wire_type, 0)
    if wire_type == BYTES:
        length, place = _read_varint(data, place)
    elif not length:
        raise DecodeError("a field has a wire type that there is not, or ends a group that has not begun")
    if place + length > len(data):
        raise DecodeError("a field is longer than the message")
    return place, place + length


def _after_group(data: bytes, place: int, number: int) -> int:
    """The end of a group, however deep others are nested in it. Raises DecodeError."""
    open_groups = [number]
    while open_groups:
        tag, place = _read_varint(data, place)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == GROUP:
            open_groups.append(number)
        elif wire_type == END_GROUP:
            if open_groups.pop() != number:
                raise DecodeError("a group ends that has not begun")
        else:
            _, place = _content(data, place, wire_type)
    return place


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    """The value and where it ends. Raises DecodeError."""
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
