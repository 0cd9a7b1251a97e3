"""The ledger's state, replayed from the blocks; the auditor compares every claim with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from google.protobuf.message import Message

from chaincode.keys import Key
from ledger.block_reader import BlockTransaction
from ledger.fabric_rules.results import NamespaceResults, Version, VersionedValue, validation_parameter
from ledger.printable import printable

M = TypeVar("M", bound=Message)

CHAINCODE = "zunft"
_LONGEST_NAME = 48


# Namespace and key; namespace, collection and the key's SHA-256.
PublicKey = tuple[str, str]
HashedKey = tuple[str, str, bytes]


class World:
    """The state: public keys with their values, private keys with hashes, and the ids of all transactions."""

    def __init__(self) -> None:
        self.public: dict[PublicKey, VersionedValue] = {}
        self.hashed: dict[HashedKey, VersionedValue] = {}
        self.transactions: set[str] = set()

    def find(self, key: Key[M]) -> M | None:
        """The contracts' public record under this key; None if there is none."""
        entry = self.public.get((CHAINCODE, key.name))
        return None if entry is None else key.message.FromString(entry.value)

    def apply(self, results: Iterable[NamespaceResults], version: Version) -> None:
        """Applies a transaction's writes. A key keeps its policy when it is written and loses it when it is deleted."""
        for part in results:
            for write in part.public.writes:
                _put(self.public, (part.namespace, write.key), write.is_delete, write.value, version)
            for change in part.public.metadata_writes:
                _set_policy(self.public, (part.namespace, change.key), change.entries, version)
            for collection in part.collections:
                name = (part.namespace, collection.name)
                for hashed in collection.hashed.hashed_writes:
                    _put(self.hashed, (*name, hashed.key_hash), hashed.is_delete, hashed.value_hash, version)
                for change in collection.hashed.metadata_writes:
                    _set_policy(self.hashed, (*name, change.key_hash), change.entries, version)

    def range(self, namespace: str, start: str, end: str) -> list[tuple[str, Version]]:
        """The keys with start <= key < end and their versions, in key order; an empty end means no end."""
        return sorted(
            (key, entry.version)
            for (space, key), entry in self.public.items()
            if space == namespace and start <= key and (not end or key < end)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A transaction that took effect, with the earlier public values of the keys that it wrote, and the world after."""

    block_number: int
    transaction: BlockTransaction
    old: Mapping[str, bytes]
    world: World
    # Private values of the auditing member that match their hashes on the channel, by key.
    private: Mapping[str, bytes] = field(default_factory=dict)

    def before(self, key: Key[M]) -> M | None:
        """A record before the transaction; only for keys that the transaction wrote. None if there was none."""
        value = self.old.get(key.name)
        return None if value is None else key.message.FromString(value)

    def after(self, key: Key[M]) -> M | None:
        """A record as the transaction wrote it; None if it did not write or deleted it."""
        value = self.transaction.writes.get(key.name)
        return None if value is None else key.message.FromString(value)

    def written(self, noun: str) -> list[str]:
        """The rest of the keys "<noun>/<rest>" that the transaction wrote, in order."""
        return sorted(key.removeprefix(f"{noun}/") for key in self.transaction.writes if key.startswith(f"{noun}/"))

    def __str__(self) -> str:
        return describe(self.block_number, self.transaction)


def describe(block_number: int, transaction: BlockTransaction) -> str:
    """The transaction's name in violations."""
    name = printable(transaction.name, _LONGEST_NAME)
    return f"block {block_number}, {name or 'a transaction'} {printable(transaction.tx_id[:12])}"


_AnyKey = TypeVar("_AnyKey", PublicKey, HashedKey)


def _put(entries: dict[_AnyKey, VersionedValue], key: _AnyKey, is_delete: bool, value: bytes, version: Version) -> None:
    old = entries.pop(key, None)
    if not is_delete:
        entries[key] = VersionedValue(value, version, old.policy if old else None)


def _set_policy(
    entries: dict[_AnyKey, VersionedValue],
    key: _AnyKey,
    metadata: Iterable[kv_rwset_pb2.KVMetadataEntry],
    version: Version,
) -> None:
    if key in entries:
        entries[key] = VersionedValue(entries[key].value, version, validation_parameter(metadata))
