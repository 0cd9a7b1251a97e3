"""A transaction's writes, which are collected while it runs, and sent at its end."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.peer import chaincode_shim_pb2 as shim
from google.protobuf.message import Message

from chaincode.shim.composite_key import check_key
from chaincode.shim.errors import InvalidValue
from chaincode.shim.limits import MAX_BATCH_BYTES, PeerLimits
from chaincode.shim.requests import Requests

_MESSAGE = shim.ChaincodeMessage
_RECORD = shim.WriteRecord


class Writes:
    """The writes, in the order in which contract code made them. `collection` "" is the public state."""

    def __init__(self) -> None:
        self._records: list[shim.WriteRecord] = []

    def put(self, collection: str, key: str, value: bytes) -> None:
        """Adds a write of a value. Raises InvalidKey, InvalidValue."""
        if not value:
            raise InvalidValue(f"the value of key {key!r} is empty: delete the key instead")
        self._add(_RECORD.PUT_STATE, collection, key).value = value

    def delete(self, collection: str, key: str) -> None:
        """Adds a deletion. Raises InvalidKey."""
        self._add(_RECORD.DEL_STATE, collection, key)

    def purge(self, collection: str, key: str) -> None:
        """Adds a deletion from state and history. Raises InvalidKey."""
        self._add(_RECORD.PURGE_PRIVATE_DATA, collection, key)

    def put_metadata(self, collection: str, key: str, name: str, value: bytes) -> None:
        """Adds a write of metadata. Raises InvalidKey."""
        record = self._add(_RECORD.PUT_STATE_METADATA, collection, key)
        record.metadata.CopyFrom(shim.StateMetadata(metakey=name, value=value))

    async def send(self, requests: Requests, limits: PeerLimits) -> None:
        """Sends the writes in as few messages as the peer allows. Raises PeerError, MessageTooLarge, StreamEnded."""
        if limits.writes_per_batch > 1:
            for batch in batches(self._records, limits.writes_per_batch):
                await requests.ask(_MESSAGE.WRITE_BATCH_STATE, shim.WriteBatchState(rec=batch))
        else:
            for record in self._records:
                await requests.ask(*single(record))

    def _add(self, kind: int, collection: str, key: str) -> shim.WriteRecord:
        check_key(key)
        record = _RECORD(type=kind, collection=collection, key=key)
        self._records.append(record)
        return record


def batches(
    records: list[shim.WriteRecord], max_records: int, max_bytes: int = MAX_BATCH_BYTES
) -> Iterator[list[shim.WriteRecord]]:
    """The records in order, cut where a batch would exceed either limit; a larger record is a batch of its own."""
    batch: list[shim.WriteRecord] = []
    size = 0
    for record in records:
        if batch and (len(batch) == max_records or size + record.ByteSize() > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record.ByteSize()
    if batch:
        yield batch


def single(record: shim.WriteRecord) -> tuple[int, Message]:
    """The message that does the same as one record of a batch."""
    place = {"key": record.key, "collection": record.collection}
    match record.type:
        case _RECORD.PUT_STATE:
            return _MESSAGE.PUT_STATE, shim.PutState(value=record.value, **place)
        case _RECORD.DEL_STATE:
            return _MESSAGE.DEL_STATE, shim.DelState(**place)
        case _RECORD.PURGE_PRIVATE_DATA:
            return _MESSAGE.PURGE_PRIVATE_DATA, shim.PurgePrivateState(**place)
        case _:
            return _MESSAGE.PUT_STATE_METADATA, shim.PutStateMetadata(metadata=record.metadata, **place)
