"""The ledger as contract code sees it. There are two implementations: the embedded ledger's and Fabric's shim.

Reads are answered from the state as of the transaction's start; writes take effect at commit and are not read back
(Fabric's semantics).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Protocol


class Stub(Protocol):
    """One transaction's view of the ledger."""

    @property
    def tx_id(self) -> str:
        """Hex SHA-256 of nonce and creator."""

    @property
    def timestamp_us(self) -> int:
        """The proposal's time, microseconds since 1970 UTC; set by the client, the same for every endorser."""

    @property
    def args(self) -> Sequence[bytes]:
        """The transaction's name, then its arguments."""

    @property
    def transient(self) -> Mapping[str, bytes]:
        """The data that only the endorsers see."""

    @property
    def creator(self) -> bytes:
        """The caller: a serialised msp.SerializedIdentity."""

    @property
    def msp_id(self) -> str:
        """The member whose peer runs this code."""

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of the keys, None where there is none; one round trip where Fabric allows."""

    def range(self, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
        """The keys and values with start <= key < end, in key order; protected against phantoms."""

    async def first_rows(self, start: str, end: str, count: int) -> list[tuple[str, bytes]]:
        """The first `count` rows of a range, in one message. Only in queries: a peer refuses writes after it."""

    def put(self, key: str, value: bytes) -> None:
        """Writes the value at commit; an empty value is refused."""

    def delete(self, key: str) -> None:
        """Deletes the key at commit."""

    def set_key_policy(self, key: str, msp_ids: Iterable[str]) -> None:
        """Makes each write of `key` from this transaction on need an endorsement by a peer of each of these members."""

    async def get_private(self, collection: str, key: str) -> bytes | None:
        """The private value. Only in queries: in a transaction the endorsers' read sets would differ."""

    def private_range(self, collection: str, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
        """Private keys and values with start <= key < end, in key order. Only in queries."""

    async def get_private_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of a private value, which every member has."""

    def put_private(self, collection: str, key: str, value: bytes) -> None:
        """Writes to a private collection at commit; the channel sees hashes."""

    def set_event(self, name: str, payload: bytes) -> None:
        """Sets the transaction's one event."""


def implicit_collection(msp_id: str) -> str:
    """The name of a member's own private collection, which every Fabric channel has without a definition."""
    return f"_implicit_org_{msp_id}"
