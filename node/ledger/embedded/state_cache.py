"""The committed state, what was used lately in memory; the same answer to everybody while a block is being written.

The file shows a new block's state the moment its transaction is committed, on another thread. Readers shall see it only
together with the block, so until `publish` the keys that the block writes are answered from memory.
"""

from __future__ import annotations

from node.ledger.embedded.channel_store import ChannelStore
from node.ledger.embedded.state import Entry
from node.ledger.embedded.updates import Updates

MAX_ENTRIES = 10_000


class StateCache:
    """`begin` before a block is written, `publish` when it is durable."""

    def __init__(self, store: ChannelStore) -> None:
        self._store = store
        self._public: dict[str, Entry | None] = {}
        self._private: dict[tuple[str, bytes], Entry | None] = {}
        self._writing: tuple[str, ...] = ()

    def get(self, key: str) -> Entry | None:
        if key not in self._public:
            self._public[key] = self._store.get(key)
        return self._public[key]

    def private_hash(self, collection: str, key_hash: bytes) -> Entry | None:
        key = collection, key_hash
        if key not in self._private:
            self._private[key] = self._store.private_hash(collection, key_hash)
        return self._private[key]

    def range(self, start: str, end: str) -> list[tuple[str, Entry]]:
        found: dict[str, Entry | None] = dict(self._store.range(start, end))
        found |= {key: self._public[key] for key in self._writing if start <= key and (not end or key < end)}
        return [(key, entry) for key, entry in sorted(found.items()) if entry is not None]

    def begin(self, updates: Updates) -> None:
        """Holds fast what the block is about to change."""
        self._writing = tuple(updates.public)
        for key in updates.public:
            self.get(key)
        for collection, key_hash in updates.private:
            self.private_hash(collection, key_hash)

    def publish(self, updates: Updates) -> None:
        self._writing = ()
        self._public |= updates.public
        self._private |= updates.private
        for _ in range(len(self._public) - MAX_ENTRIES):
            del self._public[next(iter(self._public))]
        for _ in range(len(self._private) - MAX_ENTRIES):
            del self._private[next(iter(self._private))]
