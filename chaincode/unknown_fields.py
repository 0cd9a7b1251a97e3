"""Fields of a message that its definition in this version does not have.

Nobody would see their content, and they would be written to the ledger with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet


def has_unknown_fields(message: Message) -> bool:
    """Whether the message has unknown fields, or a message in it has."""
    return any(map(len, map(UnknownFieldSet, _messages(message))))


def _messages(message: Message) -> Iterator[Message]:
    """The message and all messages in it. Types without message fields are not searched, which saves much time."""
    yield message
    for name, repeated, ends_here in _message_fields(message.DESCRIPTOR):
        if repeated and ends_here:
            yield from getattr(message, name)
        elif repeated:
            for one in getattr(message, name):
                yield from _messages(one)
        elif message.HasField(name):
            yield from _messages(getattr(message, name))


@lru_cache(maxsize=1024)
def _message_fields(descriptor: Descriptor) -> tuple[tuple[str, bool, bool], ...]:
    """The fields that hold messages: name, whether it holds several, and whether these hold no messages themselves."""
    fields = (field for field in descriptor.fields if field.message_type is not None)
    return tuple((field.name, not field.has_presence, not _message_fields(field.message_type)) for field in fields)
