"""The batch codec: every batch comes back as it was encoded, and every batch that was tampered with is refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from chaincode.errors import ContractError, MalformedBatch, WrongSignature
from chaincode.readings.batch import (
    MAX_BATCH_READINGS,
    batch_digest,
    decode_batch,
    decode_batches,
    encode_batch,
    sign_batch,
    verify_batch,
)
from chaincode.readings.columns import Columns
from zunft.v1.usage_pb2 import Column, SignedBatch, UsageBatch

INT64 = st.integers(-(2**63), 2**63 - 1)
NAMES = st.lists(st.text("abä→🜨", min_size=1, max_size=8), min_size=1, max_size=4)
KEY = ec.derive_private_key(7, ec.SECP256R1())
PUBLIC_KEY = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@st.composite
def columns(draw: st.DrawFn, longest: int = 40) -> Columns:
    """Columns of any readings, also of those that a contract would refuse (negative, going back in time)."""
    count = draw(st.integers(1, longest))

    def column(values: st.SearchStrategy[int]) -> Any:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), np.int64)

    found: dict[str, Any] = {"time_us": column(INT64), "quantity_micro": column(INT64)}
    for name in ("utilisation_milli", "speed_milli"):
        if draw(st.booleans()):
            found[name] = column(INT64)
    if draw(st.booleans()):
        found["outcome"] = column(st.integers(0, 2))
    for name in ("step", "work_item", "location"):
        if draw(st.booleans()):
            names = draw(NAMES)[:count]
            found[name] = column(st.integers(0, len(names)))
            found[f"{name}s"] = tuple(names)
    return Columns(**found)


def encoded(readings: Columns, **changes: Any) -> bytes:
    header: dict[str, Any] = {
        "meter_id": "drill-7",
        "agreement_id": "A1",
        "key_version": 1,
        "first_sequence": 1,
        "previous_digest": b"",
    }
    return encode_batch(**header | changes, columns=readings)


def some_readings(count: int = 3) -> Columns:
    steps = np.arange(count, dtype=np.int64)
    return Columns(time_us=1_700_000_000_000_000 + 20_000 * steps, quantity_micro=1_000_000 + steps)


def tampered(**changes: Any) -> bytes:
    batch = UsageBatch.FromString(encoded(some_readings()))
    batch.MergeFrom(UsageBatch(**changes))
    return batch.SerializeToString()


def frame(size_bytes: int) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(bytes(size_bytes))


@given(columns(), st.integers(1, 2**63), st.sampled_from([b"", bytes(32)]))
def test_round_trip(readings: Columns, first_sequence: int, previous_digest: bytes) -> None:
    batch, back = decode_batch(encoded(readings, first_sequence=first_sequence, previous_digest=previous_digest))

    assert (batch.first_sequence, batch.previous_digest, len(back)) == (first_sequence, previous_digest, len(readings))
    for field in fields(Columns):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(readings, field.name))


@settings(deadline=None)
@given(st.lists(columns(longest=3), max_size=4))
def test_batches_decoded_together_are_what_each_is_alone(readings: list[Columns]) -> None:
    batches = [encoded(one) for one in readings]

    for (batch, together), alone in zip(decode_batches(batches), batches, strict=True):
        assert batch == UsageBatch.FromString(alone)
        for field in fields(Columns):
            np.testing.assert_array_equal(
                getattr(together, field.name), getattr(decode_batch(alone)[1], field.name), strict=True
            )


@given(columns(), st.data())
def test_a_changed_byte_breaks_the_signature_and_never_crashes_the_decoder(
    readings: Columns, data: st.DataObject
) -> None:
    signed = sign_batch(encoded(readings), KEY)
    verify_batch(signed, PUBLIC_KEY)
    changed = bytearray(signed.batch)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(WrongSignature):
        verify_batch(SignedBatch(batch=bytes(changed), signature=signed.signature), PUBLIC_KEY)
    assert batch_digest(bytes(changed)) != batch_digest(signed.batch)
    with suppress(MalformedBatch):
        decode_batch(bytes(changed))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_refusal(data: bytes) -> None:
    with pytest.raises(ContractError):
        decode_batch(data)


@given(st.integers(MAX_BATCH_READINGS + 1, 2**32 - 1))
@settings(max_examples=20)
def test_giant_counts_are_refused_before_memory_is_taken(count: int) -> None:
    with pytest.raises(MalformedBatch, match="send several"):
        decode_batch(tampered(reading_count=count))


def test_a_zip_bomb_is_refused_by_its_declared_size() -> None:
    bomb = frame(100_000_000)
    batch = UsageBatch.FromString(encoded(some_readings()))
    batch.columns[1].data = bomb

    with pytest.raises(MalformedBatch, match="declares 100000000 bytes"):
        decode_batch(batch.SerializeToString())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"first_sequence": None}, "begins at 1"),
        ({"columns": [Column(kind="COLUMN_KIND_TIME_US", width=8)]}, "twice"),
        ({"columns": [Column(kind="COLUMN_KIND_OUTCOME", width=3)]}, "3 bytes"),
        ({"columns": [Column(kind="COLUMN_KIND_OUTCOME", width=1, data=frame(3) + b"x")]}, "not one zstd frame"),
        ({"columns": [Column(kind="COLUMN_KIND_OUTCOME", width=1, data=frame(3)[:-1])]}, "not one zstd frame"),
        ({"columns": [Column(kind="COLUMN_KIND_OUTCOME", width=1, data=b"")]}, "not one zstd frame"),
        ({"columns": [Column(kind="COLUMN_KIND_OUTCOME", width=1, data=frame(4))]}, "declares 4 bytes"),
        ({"columns": [Column(kind=99, width=1, data=frame(3))]}, "no column kind 99"),
        ({"previous_digest": b"short"}, "SHA-256"),
        ({"steps": ["weld"]}, "not the column"),
        ({"meter_id": "m" * 257}, "257 bytes"),
        ({"locations": ["a", "b", "c", "d"]}, "unused names"),
    ],
)
def test_each_lie_has_its_own_sentence(change: dict[str, Any], says: str) -> None:
    batch = UsageBatch.FromString(encoded(some_readings()))
    if "first_sequence" in change:
        batch.ClearField("first_sequence")
        change = {}
    batch.MergeFrom(UsageBatch(**change))

    with pytest.raises(MalformedBatch, match=says):
        decode_batch(batch.SerializeToString())


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(MalformedBatch, match="does not know"):
        decode_batch(encoded(some_readings()) + b"\xa2\x06\x01x")


def test_an_index_beyond_its_names_is_refused() -> None:
    readings = some_readings()
    with pytest.raises(MalformedBatch, match="column step holds 2 to 2"):
        encoded(Columns(readings.time_us, readings.quantity_micro, step=np.full(3, 2), steps=("weld",)))


def test_differences_that_leave_64_bits_are_refused() -> None:
    batch = UsageBatch.FromString(encoded(some_readings()))
    shuffled = np.full(3, 2**62).astype("<i8").view(np.uint8).reshape(3, 8).T.tobytes()
    batch.columns[0].data = zstandard.ZstdCompressor().compress(shuffled)

    with pytest.raises(MalformedBatch, match="beyond 64 bits"):
        decode_batch(batch.SerializeToString())
    with pytest.raises(MalformedBatch, match="beyond 64 bits"):
        decode_batches([encoded(some_readings()), batch.SerializeToString()])


def test_a_frame_that_does_not_declare_its_size_is_refused() -> None:
    batch = UsageBatch.FromString(encoded(some_readings()))
    batch.columns[1].data = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(3))

    with pytest.raises(MalformedBatch):
        decode_batch(batch.SerializeToString())


def test_another_curve_is_not_a_meter_key() -> None:
    key = ec.derive_private_key(7, ec.SECP384R1())
    public_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(WrongSignature, match="P-256"):
        verify_batch(sign_batch(b"", key), public_key)


def test_columns_of_different_lengths_are_not_encoded() -> None:
    with pytest.raises(MalformedBatch, match="one length"):
        encoded(Columns(np.zeros(2, np.int64), np.zeros(3, np.int64)))
