"""The interface of the committed state, which the rules read and the files implement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.fabric_rules.results import Version, VersionedValue

# Stands for all keys of a range, in the form of SQLite's LIMIT.
ALL = -1


class CommittedState(Protocol):
    """The ledger's state after its last block."""

    def get(self, key: str) -> VersionedValue | None: ...

    def range(self, start: str, end: str, count: int = ALL) -> Sequence[tuple[str, VersionedValue]]:
        """The first `count` keys with start <= key < end in key order; an empty end means no end."""

    def private_hash(self, collection: str, key_hash: bytes) -> VersionedValue | None:
        """The channel's entry for a private key."""

    def private_value(self, collection: str, key: str, version: Version, msp_id: str) -> bytes | None:
        """The value at that version on the peer of `msp_id`; None if the collection is another member's."""

    def private_range(self, collection: str, start: str, end: str, msp_id: str) -> Sequence[tuple[str, bytes]]: ...

    def has_transaction(self, tx_id: str) -> bool: ...
