"""Collects a transaction's reads and writes in a `ReadWriteSet`, from which the signed `NamespaceResults` are made.

Sources: Fabric's documentation "Read-Write set semantics" and "Private data"; the kvrwset messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from ledger.fabric_rules.results import (
    VALIDATION_PARAMETER,
    CollectionResults,
    NamespaceResults,
    Version,
    hash_key,
    serialise,
)


class RangeRead(NamedTuple):
    """A range that was read to its end, and the keys found in it with their versions."""

    start: str
    end: str
    found: list[tuple[str, Version]]


@dataclass(slots=True)
class CollectionSet:
    """The reads and writes of one private collection: versions read by hash, values written (None deletes)."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes | None] = field(default_factory=dict)

    def private_bytes(self) -> bytes:
        """The serialised values for the collection's members; the channel sees only the SHA-256 of these bytes."""
        return serialise(kv_rwset_pb2.KVRWSet(writes=[kv_write(*write) for write in sorted(self.writes.items())]))

    def hashed(self, digests: Digests) -> kv_rwset_pb2.HashedRWSet:
        """The reads and writes as the channel sees them: with hashes of keys and values."""
        reads = [
            kv_rwset_pb2.KVReadHash(key_hash=hash_key(key), version=version_message(version))
            for key, version in sorted(self.reads.items())
        ]
        writes = [hashed_write(key, value, digests) for key, value in sorted(self.writes.items())]
        return kv_rwset_pb2.HashedRWSet(hashed_reads=reads, hashed_writes=writes)


class Digests:
    """Computes SHA-256 of values, once for each object: the same large value goes into several collections."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, bytes]] = {}

    def of(self, value: bytes) -> bytes:
        known = self._known.get(id(value))
        if known is None:
            # The value is kept, so that no other object gets its id.
            known = self._known[id(value)] = value, sha256(value).digest()
        return known[1]


@dataclass(slots=True)
class ReadWriteSet:
    """The reads and writes of one transaction. A written None deletes the key."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    ranges: list[RangeRead] = field(default_factory=list)
    writes: dict[str, bytes | None] = field(default_factory=dict)
    key_policies: dict[str, bytes] = field(default_factory=dict)
    collections: dict[str, CollectionSet] = field(default_factory=dict)

    def collection(self, name: str) -> CollectionSet:
        return self.collections.setdefault(name, CollectionSet())

    def private_bytes(self) -> dict[str, bytes]:
        """The serialised private writes of each collection that has any; equal ones share one object."""
        equal: dict[tuple[tuple[str, int], ...], bytes] = {}
        private = {}
        for name, part in self.collections.items():
            if part.writes:
                content = tuple((key, id(value)) for key, value in sorted(part.writes.items()))
                private[name] = equal.get(content) or equal.setdefault(content, part.private_bytes())
        return private

    def results(self, namespace: str, private: Mapping[str, bytes]) -> NamespaceResults:
        """The results for the endorsers' signatures; all is sorted, so that they sign the same bytes."""
        digests = Digests()
        collections = tuple(
            CollectionResults(name, part.hashed(digests), digests.of(private[name]) if name in private else b"")
            for name, part in sorted(self.collections.items())
        )
        return NamespaceResults(namespace, self._public(), collections)

    def _public(self) -> kv_rwset_pb2.KVRWSet:
        return kv_rwset_pb2.KVRWSet(
            reads=[kv_read(*read) for read in sorted(self.reads.items())],
            range_queries_info=[range_message(read) for read in self.ranges],
            writes=[kv_write(*write) for write in sorted(self.writes.items())],
            metadata_writes=[policy_write(*policy) for policy in sorted(self.key_policies.items())],
        )


def version_message(version: Version | None) -> kv_rwset_pb2.Version | None:
    return None if version is None else kv_rwset_pb2.Version(block_num=version.block, tx_num=version.position)


def kv_read(key: str, version: Version | None) -> kv_rwset_pb2.KVRead:
    return kv_rwset_pb2.KVRead(key=key, version=version_message(version))


def kv_write(key: str, value: bytes | None) -> kv_rwset_pb2.KVWrite:
    return kv_rwset_pb2.KVWrite(key=key, is_delete=value is None, value=value)


def hashed_write(key: str, value: bytes | None, digests: Digests) -> kv_rwset_pb2.KVWriteHash:
    value_hash = None if value is None else digests.of(value)
    return kv_rwset_pb2.KVWriteHash(key_hash=hash_key(key), is_delete=value is None, value_hash=value_hash)


def policy_write(key: str, policy: bytes) -> kv_rwset_pb2.KVMetadataWrite:
    entry = kv_rwset_pb2.KVMetadataEntry(name=VALIDATION_PARAMETER, value=policy)
    return kv_rwset_pb2.KVMetadataWrite(key=key, entries=[entry])


def range_message(read: RangeRead) -> kv_rwset_pb2.RangeQueryInfo:
    reads = kv_rwset_pb2.QueryReads(kv_reads=[kv_read(key, version) for key, version in read.found])
    return kv_rwset_pb2.RangeQueryInfo(start_key=read.start, end_key=read.end, itr_exhausted=True, raw_reads=reads)
