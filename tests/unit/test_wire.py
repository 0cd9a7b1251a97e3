"""The reader of messages that Go's protobuf accepts and Python's does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as st

from ledger.wire import decode

# The tag of an unknown field, in more bytes than Python's reader takes.
LONG = b"\xf8\x80\x80\x80\x80\x80\x00\x01"
MESSAGES = [
    common_pb2.Payload(header=common_pb2.Header(channel_header=b"c" * 9, signature_header=b"s"), data=b"d"),
    rwset_pb2.TxReadWriteSet(ns_rwset=[rwset_pb2.NsReadWriteSet(namespace="zunft", rwset=b"r" * 200)]),
]


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize(
    "strange",
    [
        LONG,
        b"\xa3\x06" * 5000 + b"\xa4\x06" * 5000,
        b"\x7b" + LONG + b"\x7c",
        b"\xfa\x80\x80\x80\x80\x80\x00\x81\x80\x80\x00x",
    ],
    ids=["a long tag", "deep groups", "a long tag in a group", "a long length"],
)
def test_a_message_that_go_reads_is_read(message: Message, strange: bytes) -> None:
    data = message.SerializeToString()
    for whole in (data + strange, strange + data):
        with pytest.raises(DecodeError):
            type(message).FromString(whole)
        found = decode(type(message), whole)
        found.DiscardUnknownFields()
        assert found == message


@given(data=st.binary(max_size=60), message=st.sampled_from(MESSAGES))
def test_the_reader_has_the_same_result_as_pythons(data: bytes, message: Message) -> None:
    plain, found = read(type(message).FromString, data), read(lambda data: decode(type(message), data), LONG + data)
    # Go is stricter with numbers: it takes none of more than 64 bits.
    assert found in (plain, "a number is cut off, or longer than it can be") or plain is None


def read(parse: Callable[[bytes], Message], data: bytes) -> Message | str | None:
    """The message that `parse` reads, its text about a number that is too long, or None for another refusal."""
    try:
        found = parse(data)
    except DecodeError as error:
        return str(error) if "longer than it can be" in str(error) else None
    found.DiscardUnknownFields()
    return found


@pytest.mark.parametrize(
    "data",
    [b"\x0b" * 20_000, LONG + b"\x0c", LONG + b"\x0a\x05abc", LONG + b"\x0f", LONG + b"\x80" * 20, LONG + b"\x0b\x14"],
)
def test_bytes_that_no_reader_takes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(common_pb2.Payload, data)
