"""Collects the changes of a block's valid transactions, and finds conflicts between them and the next one's reads.

Source: Fabric's documentation "Read-Write set semantics" (versions, phantoms). A key-level policy stays when its key is
written again and goes when its key is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from ledger.embedded.state import CommittedState
from ledger.embedded.transaction import CODE
from ledger.fabric_rules.results import NamespaceResults, Version, VersionedValue, validation_parameter, version_of


class Updates:
    """A block's changes: `public` by key, `private` by collection and key hash; None stands for a deleted key."""

    def __init__(self, state: CommittedState) -> None:
        self.public: dict[str, VersionedValue | None] = {}
        self.private: dict[tuple[str, bytes], VersionedValue | None] = {}
        self._state = state

    def conflict(self, results: NamespaceResults) -> int:
        """The code of a transaction with these reads: VALID, MVCC_READ_CONFLICT or PHANTOM_READ_CONFLICT."""
        if not all(self._is_current(read) for read in results.public.reads):
            return int(CODE.MVCC_READ_CONFLICT)
        if not all(self._is_unchanged(read) for read in results.public.range_queries_info):
            return int(CODE.PHANTOM_READ_CONFLICT)
        for part in results.collections:
            if not all(self._is_current_hash(part.name, read) for read in part.hashed.hashed_reads):
                return int(CODE.MVCC_READ_CONFLICT)
        return int(CODE.VALID)

    def apply(self, results: NamespaceResults, block: int, position: int) -> None:
        version = Version(block, position)
        for write in results.public.writes:
            entry = self._get(write.key)
            policy = entry.policy if entry else None
            self.public[write.key] = None if write.is_delete else VersionedValue(write.value, version, policy)
        for change in results.public.metadata_writes:
            self.public[change.key] = with_policy(self._get(change.key), change.entries, version)
        for part in results.collections:
            self._apply_hashed(part.name, part.hashed, version)

    def _apply_hashed(self, collection: str, hashed: kv_rwset_pb2.HashedRWSet, version: Version) -> None:
        for write in hashed.hashed_writes:
            entry = self._get_hash(collection, write.key_hash)
            policy = entry.policy if entry else None
            kept = None if write.is_delete else VersionedValue(write.value_hash, version, policy)
            self.private[collection, write.key_hash] = kept
        for change in hashed.metadata_writes:
            entry = self._get_hash(collection, change.key_hash)
            self.private[collection, change.key_hash] = with_policy(entry, change.entries, version)

    def _get(self, key: str) -> VersionedValue | None:
        return self.public[key] if key in self.public else self._state.get(key)

    def _get_hash(self, collection: str, key_hash: bytes) -> VersionedValue | None:
        if (collection, key_hash) in self.private:
            return self.private[collection, key_hash]
        return self._state.private_hash(collection, key_hash)

    def _is_current(self, read: kv_rwset_pb2.KVRead) -> bool:
        if read.key in self.public:
            return False
        entry = self._state.get(read.key)
        return version_of(read) == (entry and entry.version)

    def _is_current_hash(self, collection: str, read: kv_rwset_pb2.KVReadHash) -> bool:
        if (collection, read.key_hash) in self.private:
            return False
        entry = self._state.private_hash(collection, read.key_hash)
        return version_of(read) == (entry and entry.version)

    def _is_unchanged(self, read: kv_rwset_pb2.RangeQueryInfo) -> bool:
        """Whether the range holds the same keys in the same versions, with the changes earlier in the block."""
        if not read.itr_exhausted or read.HasField("reads_merkle_hashes"):
            return False  # this ledger's simulations read ranges to the end and list what they found
        merged = dict(self._state.range(read.start_key, read.end_key)) | {
            key: entry
            for key, entry in self.public.items()
            if read.start_key <= key and (not read.end_key or key < read.end_key)
        }
        now = [(key, entry.version) for key, entry in sorted(merged.items()) if entry is not None]
        return now == [(found.key, version_of(found)) for found in read.raw_reads.kv_reads]


def with_policy(
    entry: VersionedValue | None, entries: Iterable[kv_rwset_pb2.KVMetadataEntry], version: Version
) -> VersionedValue | None:
    """The entry with the policy among these metadata entries; None for a key without a value, which keeps no policy."""
    return entry and VersionedValue(entry.value, version, validation_parameter(entries))
