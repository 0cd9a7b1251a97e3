"""The usage batch: consecutive readings of one meter as compressed columns, signed once over the exact bytes.

The layout is `zunft.v1.UsageBatch`. The decoder trusts nothing: it checks every declared size before it takes memory
for it, so the largest batch costs at most 8 columns x 100,000 readings x 8 bytes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import zstandard
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import NDArray

from chaincode.errors import MalformedBatch, WrongSignature
from chaincode.readings.columns import (
    Columns,
    Int64Column,
)
from zunft.v1.tariff_pb2 import Outcome
from zunft.v1.usage_pb2 import (
    COLUMN_KIND_QUANTITY_MICRO,
    COLUMN_KIND_TIME_US,
    Column,
    ColumnKind,
    SignedBatch,
    UsageBatch,
)

MAX_BATCH_READINGS: Final = 100_000
MAX_NAME_BYTES: Final = 256
DIGEST_BYTES: Final = 32

_WIDTHS: Final = (1, 2, 4, 8)
_INT64_MAX: Final = 2**63 - 1
_ZSTD_LEVEL: Final = 1
_ECDSA: Final = ec.ECDSA(SHA256())
# Meters whose parsed keys are kept; a wide agreement has a thousand.
_KEPT_KEYS: Final = 2**14
# The values that are decoded at once: as many as fit a core's cache.
_TOGETHER: Final = 2**15
# The most readings for which a column is copied as a whole.
_FEW: Final = 1000

# The common form of columns that are decoded together: number of readings, width, whether they are differences.
_Form = tuple[int, int, bool]
# A batch, and its columns as a list, since reading them from the message takes time.
_Packed = tuple[UsageBatch, list[Column]]
Int64Rows = NDArray[np.int64]

# The field of `Columns` for each kind; the names are the same.
_FIELDS: Final = {
    kind: name.removeprefix("COLUMN_KIND_").lower()
    for name, kind in ColumnKind.items()
    if name != "COLUMN_KIND_UNSPECIFIED"
}
_HIGHEST_OUTCOME: Final = max(Outcome.values())
_MANDATORY: Final = {COLUMN_KIND_TIME_US, COLUMN_KIND_QUANTITY_MICRO}


def encode_batch(
    *,
    meter_id: str,
    agreement_id: str,
    key_version: int,
    first_sequence: int,
    previous_digest: bytes,
    columns: Columns,
) -> bytes:
    """The bytes that the meter signs.

    `first_sequence` counts from 1; `previous_digest` is `batch_digest` of the stream's previous batch, empty in the
    first. Raises MalformedBatch where `decode_batch` would refuse the batch.
    """
    _check_lengths(columns)
    batch = UsageBatch(
        meter_id=meter_id,
        agreement_id=agreement_id,
        key_version=key_version,
        first_sequence=first_sequence,
        reading_count=len(columns),
        previous_digest=previous_digest,
        columns=[_encode_column(kind, getattr(columns, field)) for kind, field in _present(columns)],
        steps=columns.steps,
        work_items=columns.work_items,
        locations=columns.locations,
    )
    _check_declared(batch, batch.columns)
    _check_indices(columns)
    return batch.SerializeToString(deterministic=True)


def decode_batch(data: bytes) -> tuple[UsageBatch, Columns]:
    """The batch as sent, and its readings. Its signature and its place in the stream are not checked.

    Raises MalformedBatch.
    """
    [decoded] = decode_batches([data])
    return decoded


def decode_batches(batches: Iterable[bytes]) -> list[tuple[UsageBatch, Columns]]:
    """The result of `decode_batch` for each batch; short columns of one form are decoded together, which is faster.

    Raises MalformedBatch if one of them is malformed.
    """
    parsed = [parse_batch(data) for data in batches]
    return list(zip(parsed, decode_parsed(parsed), strict=True))


def parse_batch(data: bytes) -> UsageBatch:
    """The batch as sent, its columns still packed; none of its values is checked. Raises MalformedBatch."""
    batch = UsageBatch()
    try:
        batch.ParseFromString(data)
    except DecodeError:
        raise MalformedBatch("the bytes are not a zunft.v1.UsageBatch") from None
    return batch


def decode_parsed(batches: Iterable[UsageBatch]) -> list[Columns]:
    """The readings of each batch, after all checks of `decode_batch`. Raises MalformedBatch."""
    packed = [(batch, [*batch.columns]) for batch in batches]
    for batch, columns in packed:
        _check_known(batch, columns)
        _check_declared(batch, columns)
    return [_named(batch, values) for (batch, _), values in zip(packed, _decode_columns(packed), strict=True)]


def batch_digest(data: bytes) -> bytes:
    """SHA-256 of an encoded batch, which the stream's next batch names as its previous one."""
    return hashlib.sha256(data).digest()


def sign_batch(data: bytes, private_key: ec.EllipticCurvePrivateKey) -> SignedBatch:
    """The encoded batch with the meter's signature: DER ECDSA over SHA-256 of exactly these bytes (FIPS 186-5)."""
    return SignedBatch(batch=data, signature=private_key.sign(data, _ECDSA))


def verify_batch(signed: SignedBatch, public_key: bytes) -> None:
    """Checks that the holder of `public_key` (DER SubjectPublicKeyInfo, P-256) signed these bytes.

    Raises WrongSignature.
    """
    key = _load_key(public_key)
    try:
        key.verify(signed.signature, signed.batch, _ECDSA)
    except InvalidSignature:
        raise WrongSignature(
            "the signature is not the meter's over these bytes: sign the unchanged bytes with the registered key"
        ) from None


@lru_cache(maxsize=_KEPT_KEYS)
def _load_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise WrongSignature("the meter's public key is not DER SubjectPublicKeyInfo: rotate the key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise WrongSignature("the meter's public key is not an EC key on P-256: rotate the key")
    return key


# --- one column ------------------------------------------------------------------------------------------------------


def _encode_column(kind: int, values: Int64Column) -> Column:
    """The column as its values or as their differences, in the smaller form; as values if a difference leaves 64 bits.

    Times are differences whenever they can be: those of regular readings need almost no space.
    """
    differences = _differences(values)
    if differences is None:
        return _pack(kind, values, differences=False)
    packed = _pack(kind, differences, differences=True)
    if kind == COLUMN_KIND_TIME_US:
        return packed
    return min(packed, _pack(kind, values, differences=False), key=lambda column: len(column.data))


def _decode_columns(batches: Iterable[_Packed]) -> list[dict[str, Int64Column]]:
    """The values of each batch's columns, by field of `Columns`. Raises MalformedBatch."""
    decoded: list[dict[str, Int64Column]] = []
    alike: dict[_Form, list[tuple[Column, dict[str, Int64Column]]]] = defaultdict(list)
    for batch, columns in batches:
        decoded.append({})
        for column in columns:
            alike[batch.reading_count, column.width, column.differences].append((column, decoded[-1]))
    decompressor = zstandard.ZstdDecompressor()
    for (count, _, _), several in alike.items():
        at_once = max(1, _TOGETHER // count)
        for start in range(0, len(several), at_once):
            part = several[start : start + at_once]
            rows = _decode_alike([column for column, _ in part], count, decompressor)
            for (column, values), row in zip(part, rows, strict=True):
                values[_FIELDS[column.kind]] = row
    return decoded


def _decode_alike(columns: Sequence[Column], count: int, decompressor: zstandard.ZstdDecompressor) -> Int64Rows:
    """The values of columns of one `_Form`, a row for each column. Raises MalformedBatch."""
    form = columns[0]
    data = b"".join([_decompress(column, count * form.width, decompressor) for column in columns])
    values = _unshuffle(data, form.width, count)
    return _sums(values, columns) if form.differences else values


def _named(batch: UsageBatch, values: dict[str, Int64Column]) -> Columns:
    """The batch's readings: the decoded values, with the names that their indices stand for. Raises MalformedBatch."""
    columns = Columns(
        **values,
        steps=tuple(batch.steps),
        work_items=tuple(batch.work_items),
        locations=tuple(batch.locations),
    )
    _check_indices(columns)
    return columns


def _pack(kind: int, values: Int64Column, *, differences: bool) -> Column:
    """The compressed column of these values, each in as few bytes as the largest one needs."""
    width = _width(values)
    data = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_content_size=True).compress(_shuffle(values, width))
    return Column(kind=ColumnKind.Name(kind), width=width, differences=differences, data=data)


def _shuffle(values: Int64Column, width: int) -> bytes:
    """The bytes of the values in planes: the lowest byte of every value, then the next one, which compresses better."""
    return values.astype(f"<i{width}").view(np.uint8).reshape(-1, width).T.tobytes()


def _unshuffle(data: bytes, width: int, count: int) -> Int64Rows:
    """The values of shuffled bytes, `count` in a row. Long rows are copied plane by plane, several times faster."""
    planes = np.frombuffer(data, np.uint8).reshape(-1, width, count)
    if count <= _FEW:
        return _as_numbers(planes.transpose(0, 2, 1).copy(), width)
    interleaved = np.zeros((len(planes), count, width), np.uint8)
    for place in range(width):
        plane = planes[:, place]
        # In small numbers, and in differences of which only the first is large, most planes are zero.
        if plane[:, 1:].any():
            interleaved[:, :, place] = plane
        else:
            interleaved[:, 0, place] = plane[:, 0]
    return _as_numbers(interleaved, width)


def _as_numbers(interleaved: NDArray[np.uint8], width: int) -> Int64Rows:
    return interleaved.view(f"<i{width}")[..., 0].astype(np.int64, copy=False)


def _decompress(column: Column, size_bytes: int, decompressor: zstandard.ZstdDecompressor) -> bytes:
    """The contents of the column's zstd frame, if the frame declares exactly `size_bytes` (RFC 8878, section 3.1.1).

    Raises MalformedBatch.
    """
    try:
        declared_bytes = zstandard.frame_content_size(column.data)
        if declared_bytes != size_bytes:
            raise _malformed(column, f"declares {declared_bytes} bytes where its readings take {size_bytes}")
        return decompressor.decompress(column.data, size_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise _malformed(column, f"is not one zstd frame ({error})") from None


def _width(values: Int64Column) -> int:
    extremes = int(values.min()), int(values.max())
    bits = max(value.bit_length() if value >= 0 else (~value).bit_length() for value in extremes)
    return next(width for width in _WIDTHS if bits < 8 * width)


def _differences(values: Int64Column) -> Int64Column | None:
    """The differences between neighbours, the first one from 0. The result is None if one of them leaves 64 bits."""
    differences = np.diff(values, prepend=np.int64(0))
    return None if _may_overflow(differences) and _overflows(values, differences) else differences


def _sums(differences: Int64Rows, columns: Sequence[Column]) -> Int64Rows:
    """The running sums of each row, in the same memory, as new memory costs more than adding. Raises MalformedBatch."""
    if columns[0].width == 8 and _may_overflow(differences):
        for column, row in zip(columns, differences, strict=True):
            if _overflows(np.cumsum(row), row):
                raise _malformed(column, "adds up beyond 64 bits")
    return np.cumsum(differences, axis=1, out=differences)


def _may_overflow(differences: NDArray[np.int64]) -> bool:
    """Whether a sum along the last axis may overflow; false in the usual case, without a look at each sum."""
    first, steps = differences[..., 0], differences[..., 1:]
    return bool(_widest(first) + _widest(steps) * steps.shape[-1] > _INT64_MAX)


def _widest(values: NDArray[np.int64]) -> int:
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def _overflows(values: Int64Column, differences: Int64Column) -> bool:
    """Whether a sum values[i - 1] + differences[i] has wrapped round: then both summands differ in sign from it."""
    return bool((((values[1:] ^ values[:-1]) & (values[1:] ^ differences[1:])) < 0).any())


# --- checks ---------------------------------------------------------------------------------------------------------


def _check_known(batch: UsageBatch, columns: Iterable[Column]) -> None:
    if any(map(_unknown_fields, (batch, *columns))):
        raise MalformedBatch("the batch has fields that this version does not know: update or remove them")


def _unknown_fields(message: Message) -> int:
    return len(UnknownFieldSet(message))


def _check_declared(batch: UsageBatch, columns: Sequence[Column]) -> None:
    """Checks everything that can be checked before a column is decompressed. Raises MalformedBatch."""
    if not 1 <= batch.reading_count <= MAX_BATCH_READINGS:
        raise MalformedBatch(f"{batch.reading_count} readings: a batch holds 1 to {MAX_BATCH_READINGS}, send several")
    if batch.first_sequence < 1:
        raise MalformedBatch("the first sequence is 0: a stream begins at 1")
    if len(batch.previous_digest) not in (0, DIGEST_BYTES):
        raise MalformedBatch(f"the previous digest has {len(batch.previous_digest)} bytes: SHA-256 has {DIGEST_BYTES}")
    _check_names((batch.meter_id, batch.agreement_id))
    for names in (batch.steps, batch.work_items, batch.locations):
        if len(names) > batch.reading_count:
            raise MalformedBatch(f"{len(names)} names for {batch.reading_count} readings: leave out unused names")
        if names:
            _check_names(names)
    _check_kinds(columns)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not 1 <= len(name.encode()) <= MAX_NAME_BYTES:
            raise MalformedBatch(
                f"the name {name[:40]!r} has {len(name.encode())} bytes: 1 to {MAX_NAME_BYTES} are allowed"
            )


def _check_kinds(columns: Sequence[Column]) -> None:
    kinds = {column.kind for column in columns}
    if len(kinds) != len(columns):
        raise MalformedBatch("a column appears twice")
    if not kinds >= _MANDATORY:
        raise MalformedBatch(f"the column {ColumnKind.Name(min(_MANDATORY - kinds))} is missing")
    if not kinds <= _FIELDS.keys():
        raise MalformedBatch(f"there is no column kind {min(kinds - _FIELDS.keys())}")
    for column in columns:
        if column.width not in _WIDTHS:
            raise _malformed(column, f"has values of {column.width} bytes: 1, 2, 4 or 8 are allowed")


def _check_lengths(columns: Columns) -> None:
    lengths = {field: len(getattr(columns, field)) for _, field in _present(columns)}
    if len(set(lengths.values())) != 1 or not len(columns):
        raise MalformedBatch(f"columns must have one length, 1 or more, but have {lengths}")


def _check_indices(columns: Columns) -> None:
    _check_range("outcome", columns.outcome, _HIGHEST_OUTCOME)
    for field, index, names in (
        ("step", columns.step, columns.steps),
        ("work_item", columns.work_item, columns.work_items),
        ("location", columns.location, columns.locations),
    ):
        if index is None and names:
            raise MalformedBatch(f"there are names of the column {field}, but not the column")
        _check_range(field, index, len(names))


def _check_range(field: str, values: Int64Column | None, highest: int) -> None:
    if values is not None and not 0 <= values.min() <= values.max() <= highest:
        raise MalformedBatch(f"the column {field} holds {values.min()} to {values.max()}: 0 to {highest} are allowed")


def _present(columns: Columns) -> list[tuple[int, str]]:
    return [
        (ColumnKind.ValueType(kind), field) for kind, field in _FIELDS.items() if getattr(columns, field) is not None
    ]


def _malformed(column: Column, what: str) -> MalformedBatch:
    return MalformedBatch(f"the column {ColumnKind.Name(column.kind)} {what}")
