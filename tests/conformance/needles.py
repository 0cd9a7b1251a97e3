"""The secrets of a confidential agreement, and every form in which somebody might find them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from google.protobuf.message import Message

from chaincode.readings.batch import decode_batch
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.usage_pb2 import AccountHead, Claim, SignedBatch, UsageRecord

Needle = int | str | bytes

# Shorter needles would be in keys and signatures by chance.
LEAST_NUMBER = 2**32
LEAST_TEXT_LENGTH = 6
LEAST_BYTES = 16

# The kinds of private records, by the beginning of their keys.
PRIVATE_RECORDS: dict[str, type[Message]] = {"terms": Terms, "head": AccountHead, "record": UsageRecord, "claim": Claim}


def needles_of(messages: Iterable[Message]) -> set[Needle]:
    """Every number, text and byte string in the messages that is long enough to be recognised."""
    return {needle for message in messages for needle in _leaves(message) if _is_distinctive(needle)}


def hidden_in(needles: Iterable[Needle], haystack: bytes) -> list[Needle]:
    """The needles that the haystack has in any of their forms."""
    return [needle for needle in needles if any(form in haystack for form in forms(needle))]


def forms(needle: Needle) -> Iterator[bytes]:
    """The needle as protobuf, machines and people write it."""
    if isinstance(needle, int):
        yield from _forms_of_number(needle)
    elif isinstance(needle, str):
        yield from (needle.encode(), needle.encode("utf-16-le"))
    else:
        yield from (needle, needle.hex().encode(), base64.b64encode(needle))


def _forms_of_number(number: int) -> Iterator[bytes]:
    yield varint(number % 2**64)
    yield varint((number << 1) ^ (number >> 63))
    for width in (4, 8):
        if -(2 ** (8 * width - 1)) <= number < 2 ** (8 * width - 1):
            yield number.to_bytes(width, "little", signed=True)
            yield number.to_bytes(width, "big", signed=True)
    yield str(abs(number)).encode()
    yield f"{abs(number) // 10**6}.{abs(number) % 10**6:06d}".rstrip("0").encode()


def varint(number: int) -> bytes:
    """The number in base 128, low groups first (protobuf encoding)."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])


def _leaves(message: Message) -> Iterator[Needle]:
    for field, value in message.ListFields():
        for one in value if field.label == field.LABEL_REPEATED else [value]:
            if isinstance(one, Message):
                yield from _leaves(one)
            else:
                yield one
    if isinstance(message, SignedBatch):
        yield from _readings(message)
    elif isinstance(message, UsageRecord):
        yield from _leaves(AccountHead.FromString(message.head))


def _readings(signed: SignedBatch) -> Iterator[Needle]:
    batch, columns = decode_batch(signed.batch)
    yield from (*batch.steps, *batch.work_items, *batch.locations)
    yield from columns.quantity_micro.tolist()


def _is_distinctive(needle: Needle) -> bool:
    if isinstance(needle, int):
        return abs(needle) >= LEAST_NUMBER
    return len(needle) >= (LEAST_TEXT_LENGTH if isinstance(needle, str) else LEAST_BYTES)
