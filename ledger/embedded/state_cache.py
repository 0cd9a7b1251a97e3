"""Caches the committed state, and gives all readers the same answer while a block is being written.

The file has a new block's state as soon as its transaction is committed, on another thread. Readers shall see it only
together with the block, so until `publish` the keys that the block writes are read from memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.embedded.channel_store import ChannelStore
from ledger.embedded.state import ALL
from ledger.embedded.updates import Updates
from ledger.fabric_rules.results import VersionedValue

MAX_ENTRIES = 10_000


class StateCache:
    """The cached state. Call `begin` before a block is written and `publish` when it is durable."""

    def __init__(self, store: ChannelStore) -> None:
        self._store = store
        self._public: dict[str, VersionedValue | None] = {}
        self._private: dict[tuple[str, bytes], VersionedValue | None] = {}
        self._writing: tuple[str, ...] = ()
        # Transaction ids that are in no block, oldest first.
        self._unused: dict[str, None] = {}

    def get(self, key: str) -> VersionedValue | None:
        if key not in self._public:
            self._public[key] = self._store.get(key)
        return self._public[key]

    def private_hash(self, collection: str, key_hash: bytes) -> VersionedValue | None:
        key = collection, key_hash
        if key not in self._private:
            self._private[key] = self._store.private_hash(collection, key_hash)
        return self._private[key]

    def has_transaction(self, tx_id: str) -> bool:
        """Whether a block has the transaction. Remembers a no, since it is asked three times on a transaction's way."""
        if tx_id in self._unused:
            return False
        found = self._store.transaction(tx_id) is not None
        if not found:
            self._unused[tx_id] = None
            drop_oldest(self._unused)
        return found

    def range(self, start: str, end: str, count: int = ALL) -> list[tuple[str, VersionedValue]]:
        # The block that is being written may have deleted some of the first keys.
        stored = ALL if count == ALL else count + len(self._writing)
        found: dict[str, VersionedValue | None] = dict(self._store.range(start, end, stored))
        found |= {key: self._public[key] for key in self._writing if start <= key and (not end or key < end)}
        rows = [(key, entry) for key, entry in sorted(found.items()) if entry is not None]
        return rows if count == ALL else rows[:count]

    def begin(self, updates: Updates) -> None:
        """Loads the keys that the block is about to change, so that readers get their old values from memory."""
        self._writing = tuple(updates.public)
        for key in updates.public:
            self.get(key)
        for collection, key_hash in updates.private:
            self.private_hash(collection, key_hash)

    def publish(self, updates: Updates, tx_ids: Iterable[str]) -> None:
        self._writing = ()
        for tx_id in tx_ids:
            self._unused.pop(tx_id, None)
        self._public |= updates.public
        self._private |= updates.private
        drop_oldest(self._public)
        drop_oldest(self._private)


def drop_oldest(kept: dict[Any, Any]) -> None:
    for _ in range(len(kept) - MAX_ENTRIES):
        del kept[next(iter(kept))]
