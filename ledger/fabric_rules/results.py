"""A transaction's reads and writes as the channel sees them: public keys and values, and hashes of private ones.

Sources: Fabric's documentation "Read-Write set semantics" and "Private data"; the kvrwset messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from ledger.wire import decode

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"


class Version(NamedTuple):
    """The place where a value was written: block number and position of the transaction in it."""

    block: int
    position: int


class VersionedValue(NamedTuple):
    """A key's value (of a private key: its SHA-256), the version at which it was written, and the key's own policy."""

    value: bytes
    version: Version
    policy: bytes | None


class CollectionResults(NamedTuple):
    """The channel's view of one collection's reads and writes."""

    name: str
    hashed: kv_rwset_pb2.HashedRWSet
    private_hash: bytes


class NamespaceResults(NamedTuple):
    """The read-write set of one namespace."""

    namespace: str
    public: kv_rwset_pb2.KVRWSet
    collections: tuple[CollectionResults, ...]

    def serialise(self) -> bytes:
        """The read-write set as a serialised TxReadWriteSet."""
        hashed = [
            rwset_pb2.CollectionHashedReadWriteSet(
                collection_name=part.name, hashed_rwset=serialise(part.hashed), pvt_rwset_hash=part.private_hash
            )
            for part in self.collections
        ]
        only = rwset_pb2.NsReadWriteSet(
            namespace=self.namespace, rwset=serialise(self.public), collection_hashed_rwset=hashed
        )
        return serialise(rwset_pb2.TxReadWriteSet(data_model=rwset_pb2.TxReadWriteSet.KV, ns_rwset=[only]))


def parse_results(serialised: bytes) -> list[NamespaceResults]:
    """The read-write sets in a serialised TxReadWriteSet, one per namespace. Raises DecodeError."""
    parsed = decode(rwset_pb2.TxReadWriteSet, serialised)
    return [
        NamespaceResults(
            part.namespace,
            decode(kv_rwset_pb2.KVRWSet, part.rwset),
            tuple(
                CollectionResults(
                    inner.collection_name,
                    decode(kv_rwset_pb2.HashedRWSet, inner.hashed_rwset),
                    inner.pvt_rwset_hash,
                )
                for inner in part.collection_hashed_rwset
            ),
        )
        for part in parsed.ns_rwset
    ]


def validation_parameter(entries: Iterable[kv_rwset_pb2.KVMetadataEntry]) -> bytes | None:
    """The key-level policy among a key's metadata, serialised; None if there is none."""
    return next((bytes(entry.value) for entry in entries if entry.name == VALIDATION_PARAMETER), None)


def version_of(message: kv_rwset_pb2.KVRead | kv_rwset_pb2.KVReadHash) -> Version | None:
    """The version that was read; None if there was no value."""
    if not message.HasField("version"):
        return None
    return Version(message.version.block_num, message.version.tx_num)


def hash_key(key: str) -> bytes:
    return sha256(key.encode()).digest()


def serialise(message: rwset_pb2.TxReadWriteSet | kv_rwset_pb2.KVRWSet) -> bytes:
    serialised: bytes = message.SerializeToString(deterministic=True)
    return serialised
