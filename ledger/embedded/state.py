"""What the ledger knows after its last block: the seam between the rules and the files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ledger.fabric_rules.results import Version

# Of a range: every key of it, as SQLite's LIMIT says it.
ALL = -1


class Entry(NamedTuple):
    """A key's value (of a private key: its SHA-256), where it was written, and its key-level policy."""

    value: bytes
    version: Version
    policy: bytes | None


class State(Protocol):
    """The committed state."""

    def get(self, key: str) -> Entry | None: ...

    def range(self, start: str, end: str, count: int = ALL) -> Sequence[tuple[str, Entry]]:
        """The first `count` keys with start <= key < end in key order; an empty end means no end."""

    def private_hash(self, collection: str, key_hash: bytes) -> Entry | None:
        """What the channel knows of a private key."""

    def private_value(self, collection: str, key: str, version: Version, msp_id: str) -> bytes | None:
        """What the peer of `msp_id` holds of that version: nothing where the collection is another member's."""

    def private_range(self, collection: str, start: str, end: str, msp_id: str) -> Sequence[tuple[str, bytes]]: ...

    def has_transaction(self, tx_id: str) -> bool: ...
