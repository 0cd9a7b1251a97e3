"""The meter at the machine, which turns readings into signed batches without a gap, each chained to the one before.

Its folder holds `state.json`, one private key per version, and `outbox/`: the batches that the node has not
acknowledged yet. A batch is in the outbox before anybody sees it. So a meter that is killed at any moment continues
without a gap, and never signs two batches with the same sequence. One process at a time may use the folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from google.protobuf.message import DecodeError

from chaincode.errors import MalformedBatch
from chaincode.limits import BATCH_BYTES
from chaincode.meter import possession_message
from chaincode.readings.batch import (
    MAX_BATCH_READINGS,
    MAX_NAME_BYTES,
    batch_digest,
    decode_batch,
    encode_batch,
    sign_batch,
)
from chaincode.readings.columns import Columns
from chaincode.readings.stream import StreamPosition
from consortium.files import make_private_folder, replace_private
from node.errors import BatchTooLarge, KeyNotPrepared, MeterFolderDamaged, MeterFolderTaken, ReadingBackDated
from node.meter.ownership import Ownership, own
from node.meter.reading import Reading, to_columns
from node.meter.selection import chosen
from zunft.v1 import node_pb2
from zunft.v1.meter_pb2 import RegisterMeter, RotateMeterKey
from zunft.v1.usage_pb2 import SignedBatch

# The contract's limit, which is the smallest on a batch's way: nodes' and peers' messages may be larger.
BATCH_BYTES_MAX = BATCH_BYTES
# The largest message that a node's API takes, and that earlier versions took, too.
NODE_BYTES_MAX = 16_000_000
# The bytes of one reading in eight columns of 64 bits.
_READING_BYTES = 8 * 8


@dataclass(frozen=True, slots=True)
class _Memory:
    """All that the meter remembers between two batches."""

    meter_id: str
    agreement_id: str
    key_version: int = 1
    position: StreamPosition = field(default_factory=StreamPosition)


class SigningMeter:
    """One meter under one agreement. It is not for concurrent use, and one process has its folder."""

    def __init__(
        self,
        folder: Path,
        ownership: Ownership,
        memory: _Memory,
        key: ec.EllipticCurvePrivateKey,
        outbox: Iterable[tuple[Path, SignedBatch]],
    ) -> None:
        """For `create` and `open` only."""
        self._folder = folder
        # Files of the batches that are not acknowledged, by digest: after a long outage there are many.
        self._outbox = {batch_digest(signed.batch): path for path, signed in outbox}
        self._ownership = ownership
        self._memory = memory
        self._key = key
        self._buffer: list[Reading] = []
        self._last_time_us = memory.position.last_time_us
        # No batch has readings from both before and after this time; 0 cuts no batch.
        self.cut_at_us = 0

    @classmethod
    def create(cls, folder: Path, *, meter_id: str, agreement_id: str) -> Self:
        """A new meter with a new key. Raises MeterFolderTaken if the folder holds one already, MeterFolderInUse."""
        if _state_path(folder).exists():
            raise MeterFolderTaken(f"{folder} holds a meter already: open it, or choose another folder")
        make_private_folder(_outbox(folder))
        ownership = own(folder)
        memory = _Memory(meter_id, agreement_id)
        key = _make_key(folder, memory.key_version)
        _write_memory(folder, memory)
        return cls(folder, ownership, memory, key, ())

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The meter that `create` made, at its last place. Raises MeterFolderDamaged, MeterFolderInUse."""
        ownership = _own(folder)
        outbox = _read_outbox(folder)
        memory = _after_outbox(_read_memory(folder), outbox)
        meter = cls(folder, ownership, memory, _read_key(folder, memory.key_version), outbox)
        meter._recut(outbox)
        return meter

    # --- readings -----------------------------------------------------------------------------------------------------

    def record(self, reading: Reading) -> None:
        """Adds a reading to the next batch, which is in memory until `flush`. Raises ReadingBackDated."""
        self._check_time(reading.time_us)
        self._buffer.append(reading)
        self._last_time_us = reading.time_us

    @property
    def has_recorded(self) -> bool:
        """Whether readings wait to be sealed."""
        return bool(self._buffer)

    def flush(self) -> SignedBatch | None:
        """Seals the recorded readings as the stream's next batch, as many as fit; returns None if there are none."""
        if not self._buffer:
            return None
        columns = next(self.pieces(to_columns(self._buffer[:MAX_BATCH_READINGS]), MAX_BATCH_READINGS))
        signed = self._seal(columns)
        self._buffer = self._buffer[len(columns) :]
        return signed

    def pieces(self, columns: Columns, readings: int) -> Iterator[Columns]:
        """The same readings in pieces of at most `readings`, each small enough for a batch that can be delivered."""
        middle = int(np.searchsorted(columns.time_us, self.cut_at_us))
        for side in (range(middle), range(middle, len(columns))):
            for start in side[::readings]:
                yield from self._halved(chosen(columns, slice(start, min(start + readings, side.stop))))

    def seal(self, columns: Columns) -> SignedBatch:
        """Seals columns, up to 100,000 readings, as the stream's next batch; call `flush` before it.

        Raises MalformedBatch, BatchTooLarge, and ReadingBackDated if the first reading lies before the last one sealed.
        """
        self._check_time(int(columns.time_us[0]))
        return self._seal(columns)

    def unacknowledged(self) -> list[SignedBatch]:
        """The batches to send, oldest first: those that the node may not have, and the last until it is charged."""
        return [signed for _, signed in _read_outbox(self._folder)]

    def acknowledge(self, digest: bytes) -> None:
        """Deletes the batch of this digest, which the node has stored; does nothing if it is deleted already."""
        path = self._outbox.pop(digest, None)
        if path:
            path.unlink(missing_ok=True)

    def resume_at(self, position: node_pb2.StreamPosition) -> None:
        """Continues at the node's `position` after it refused a batch for good; unacknowledged batches are dropped.

        Their readings need a correction that both parties sign. Take `position` from the refused batch's
        BatchProgress, or from the account's balance.
        """
        for digest in list(self._outbox):
            self.acknowledge(digest)
        self._last_time_us = position.last_time_us
        there = StreamPosition(position.next_sequence, position.last_batch_digest, position.last_time_us)
        self._store(replace(self._memory, position=there))

    # --- keys ---------------------------------------------------------------------------------------------------------

    def registration(self, *, label: str, location: str) -> RegisterMeter:
        """The request that puts the meter and its key on the ledger."""
        public_key = self.public_key
        return RegisterMeter(
            meter_id=self.meter_id,
            label=label,
            location=location,
            public_key=public_key,
            possession_signature=_prove_possession(self._key, self.meter_id, public_key),
        )

    def prepare_key(self) -> RotateMeterKey:
        """Makes the next key, unless it exists, and the request that puts it on the ledger.

        Batches that are under way have to be on the ledger first, because it accepts the newest key only.
        """
        version = self._memory.key_version + 1
        exists = _key_path(self._folder, version).exists()
        key = _read_key(self._folder, version) if exists else _make_key(self._folder, version)
        public_key = _public_bytes(key)
        return RotateMeterKey(
            meter_id=self.meter_id,
            public_key=public_key,
            possession_signature=_prove_possession(key, self.meter_id, public_key),
        )

    def use_prepared_key(self) -> None:
        """Signs with the prepared key from now on, since the ledger has it. Raises KeyNotPrepared."""
        version = self._memory.key_version + 1
        if not _key_path(self._folder, version).exists():
            raise KeyNotPrepared(f"meter {self.meter_id} has no key of version {version}: prepare the key first")
        self._key = _read_key(self._folder, version)
        self._store(replace(self._memory, key_version=version))

    @property
    def meter_id(self) -> str:
        return self._memory.meter_id

    @property
    def agreement_id(self) -> str:
        return self._memory.agreement_id

    @property
    def next_sequence(self) -> int:
        """The sequence of the first reading of the next batch."""
        return self._memory.position.next_sequence

    @property
    def last_time_us(self) -> int:
        """The time of the last reading taken; 0 before the first."""
        return self._last_time_us

    @property
    def public_key(self) -> bytes:
        """The meter's public key as DER SubjectPublicKeyInfo."""
        return _public_bytes(self._key)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _halved(self, columns: Columns) -> Iterator[Columns]:
        if len(columns) == 1 or _is_small(columns) or len(self._encode(columns)) <= BATCH_BYTES_MAX:
            yield columns
            return
        middle = len(columns) // 2
        yield from self._halved(chosen(columns, slice(0, middle)))
        yield from self._halved(chosen(columns, slice(middle, None)))

    def _encode(self, columns: Columns) -> bytes:
        memory = self._memory
        return encode_batch(
            meter_id=memory.meter_id,
            agreement_id=memory.agreement_id,
            key_version=memory.key_version,
            first_sequence=memory.position.next_sequence,
            previous_digest=memory.position.last_batch_digest,
            columns=columns,
        )

    def _seal(self, columns: Columns) -> SignedBatch:
        data = self._encode(columns)
        if len(data) > BATCH_BYTES_MAX:
            raise BatchTooLarge(
                f"{len(columns)} readings make a batch of {len(data)} bytes, and {BATCH_BYTES_MAX} can be delivered: "
                f"seal about {len(columns) * BATCH_BYTES_MAX // len(data)} at a time"
            )
        signed = sign_batch(data, self._key)
        path = _outbox(self._folder) / f"{self.next_sequence:020d}"
        replace_private(path, signed.SerializeToString())
        after = _after(self._memory, data, columns)
        self._outbox[after.position.last_batch_digest] = path
        self._store(after)
        self._last_time_us = max(self._last_time_us, after.position.last_time_us)
        return signed

    def _recut(self, outbox: Sequence[tuple[Path, SignedBatch]]) -> None:
        """Signs the readings of batches that are too large for any node again, in smaller ones; keeps the old files."""
        stuck = [number for number, (_, signed) in enumerate(outbox) if len(signed.batch) > NODE_BYTES_MAX]
        if not stuck:
            return
        decoded = [decode_batch(signed.batch) for _, signed in outbox[stuck[0] :]]
        first, columns = decoded[0]
        for path, _ in outbox[stuck[0] :]:
            path.rename(path.with_name(f"{path.name}.too-large"))
        self._outbox = {batch_digest(signed.batch): path for path, signed in outbox[: stuck[0]]}
        there = StreamPosition(first.first_sequence, first.previous_digest, int(columns.time_us[0]))
        self._store(replace(self._memory, position=there))
        for _, readings in decoded:
            for piece in self.pieces(readings, MAX_BATCH_READINGS):
                self._seal(piece)

    def _check_time(self, time_us: int) -> None:
        if time_us < self._last_time_us:
            late_s = (self._last_time_us - time_us) / 1_000_000
            raise ReadingBackDated(f"the reading lies {late_s:.3f} s before the last one: check the meter's clock")

    def _store(self, memory: _Memory) -> None:
        _write_memory(self._folder, memory)
        self._memory = memory


def _is_small(columns: Columns) -> bool:
    """Whether the columns fit a batch in any encoding, by an estimate that needs no encoding."""
    names = len(columns.steps) + len(columns.work_items) + len(columns.locations)
    return len(columns) * _READING_BYTES + names * (MAX_NAME_BYTES + 8) < BATCH_BYTES_MAX - 2_000


def _after(memory: _Memory, data: bytes, columns: Columns) -> _Memory:
    """The memory after the batch `data` is in the outbox."""
    next_sequence = memory.position.next_sequence + len(columns)
    return replace(memory, position=StreamPosition(next_sequence, batch_digest(data), int(columns.time_us[-1])))


def _after_outbox(memory: _Memory, outbox: Sequence[tuple[Path, SignedBatch]]) -> _Memory:
    """The memory, moved past a batch that was stored just before the meter was killed."""
    if not outbox:
        return memory
    path, signed = outbox[-1]
    try:
        batch, columns = decode_batch(signed.batch)
    except MalformedBatch as error:
        raise MeterFolderDamaged(f"{path} is not a batch ({error}): restore the meter's folder") from None
    return _after(memory, signed.batch, columns) if batch.first_sequence == memory.position.next_sequence else memory


# --- files ------------------------------------------------------------------------------------------------------------


def _own(folder: Path) -> Ownership:
    try:
        return own(folder)
    except OSError as error:
        raise MeterFolderDamaged(
            f"{folder} cannot be used ({error.strerror}): restore it, or its permissions"
        ) from error


def _state_path(folder: Path) -> Path:
    return folder / "state.json"


def _key_path(folder: Path, version: int) -> Path:
    return folder / f"key-{version}.pem"


def _outbox(folder: Path) -> Path:
    return folder / "outbox"


def _write_memory(folder: Path, memory: _Memory) -> None:
    fields = {
        "meter_id": memory.meter_id,
        "agreement_id": memory.agreement_id,
        "key_version": memory.key_version,
        "next_sequence": memory.position.next_sequence,
        "last_digest": memory.position.last_batch_digest.hex(),
        "last_time_us": memory.position.last_time_us,
    }
    replace_private(_state_path(folder), json.dumps(fields, indent=2).encode())


def _read_memory(folder: Path) -> _Memory:
    path = _state_path(folder)
    try:
        fields = json.loads(path.read_bytes())
        digest = bytes.fromhex(fields.pop("last_digest"))
        position = StreamPosition(fields.pop("next_sequence"), digest, fields.pop("last_time_us"))
        return _Memory(**fields, position=position)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise MeterFolderDamaged(f"{path} cannot be read ({error}): restore it, or create the meter again") from None


def _read_outbox(folder: Path) -> list[tuple[Path, SignedBatch]]:
    """The batches in the outbox by sequence; a half-written file has another name and is left out."""
    paths = sorted(path for path in _outbox(folder).glob("*") if path.name.isdigit())
    try:
        return [(path, SignedBatch.FromString(path.read_bytes())) for path in paths]
    except (OSError, DecodeError) as error:
        raise MeterFolderDamaged(f"{folder} holds a batch that cannot be read ({error}): restore it") from None


def _make_key(folder: Path, version: int) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    replace_private(_key_path(folder, version), data)
    return key


def _read_key(folder: Path, version: int) -> ec.EllipticCurvePrivateKey:
    path = _key_path(folder, version)
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise MeterFolderDamaged(f"{path} is not a readable private key: restore it, or rotate the key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise MeterFolderDamaged(f"{path} is not an EC key: restore it, or rotate the key")
    return key


def _public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _prove_possession(key: ec.EllipticCurvePrivateKey, meter_id: str, public_key: bytes) -> bytes:
    return key.sign(possession_message(meter_id, public_key), ec.ECDSA(SHA256()))
