"""A stub that runs contract code against the committed state and records its reads and writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from fabric_protos.peer import chaincode_event_pb2

from consortium.channel.policies import signed_by_peers
from ledger.embedded.proposal import ParsedProposal
from ledger.embedded.rwset import (
    RangeRead,
    ReadWriteSet,
)
from ledger.embedded.state import CommittedState
from ledger.errors import LedgerError
from ledger.fabric_rules.channel import is_implicit
from ledger.fabric_rules.results import hash_key


class StubError(LedgerError):
    """Contract code made a call of its stub that Fabric refuses, too."""


class Simulation:
    """One run of a proposal on the peer of `msp_id`; satisfies chaincode.stub.Stub.

    Reads come from the committed state and never from the run's own writes. A call that Fabric's shim refuses raises
    StubError at once. A write that only a peer refuses is noted in `fault` and fails the run at its end, since the peer
    gets it no sooner.
    """

    def __init__(
        self, proposal: ParsedProposal, state: CommittedState, msp_id: str, collections: Iterable[str], query: bool
    ) -> None:
        self.results = ReadWriteSet()
        self.event: chaincode_event_pb2.ChaincodeEvent | None = None
        self.fault: str | None = None
        self._proposal = proposal
        self._state = state
        self._msp_id = msp_id
        self._collections = frozenset(collections)
        self._query = query

    @property
    def tx_id(self) -> str:
        return self._proposal.tx_id

    @property
    def timestamp_us(self) -> int:
        return self._proposal.timestamp_us

    @property
    def args(self) -> Sequence[bytes]:
        return self._proposal.args

    @property
    def transient(self) -> Mapping[str, bytes]:
        return self._proposal.transient

    @property
    def creator(self) -> bytes:
        return self._proposal.creator

    @property
    def msp_id(self) -> str:
        return self._msp_id

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self._read(key) for key in keys]

    def _read(self, key: str) -> bytes | None:
        _check_key(key)
        entry = self._state.get(key)
        self.results.reads[key] = entry and entry.version
        # Whoever writes by hand can write nothing; Fabric's peers answer that as they do where there is no key.
        return (entry.value or None) if entry else None

    async def range(self, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
        found = self._state.range(start, end)
        self.results.ranges.append(RangeRead(start, end, [(key, entry.version) for key, entry in found]))
        for key, entry in found:
            yield key, entry.value

    async def first_rows(self, start: str, end: str, count: int) -> list[tuple[str, bytes]]:
        if not self._query:
            raise StubError("a part of a range can be read in queries only: read all of it")
        return [(key, entry.value) for key, entry in self._state.range(start, end, count)]

    def put(self, key: str, value: bytes) -> None:
        _check_write(key, value)
        self.results.writes[key] = value

    def delete(self, key: str) -> None:
        _check_key(key)
        self.results.writes[key] = None

    def set_key_policy(self, key: str, msp_ids: Iterable[str]) -> None:
        _check_key(key)
        self.results.key_policies[key] = signed_by_peers(sorted(set(msp_ids))).SerializeToString()

    async def get_private(self, collection: str, key: str) -> bytes | None:
        _check_key(key)
        self._check_private_query(collection)
        entry = self._state.private_hash(collection, hash_key(key))
        if entry is None:
            return None
        value = self._state.private_value(collection, key, entry.version, self._msp_id)
        if value is None:
            raise StubError(f"private data matching public hash version is not available to {self._msp_id}")
        return value

    async def private_range(self, collection: str, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
        self._check_private_query(collection)
        for key, value in self._state.private_range(collection, start, end, self._msp_id):
            yield key, value

    async def get_private_hash(self, collection: str, key: str) -> bytes | None:
        _check_key(key)
        self._check_collection(collection)
        entry = self._state.private_hash(collection, hash_key(key))
        self.results.collection(collection).reads[key] = entry and entry.version
        return entry and entry.value

    def put_private(self, collection: str, key: str, value: bytes) -> None:
        if collection not in self._collections:
            self.fault = self.fault or f"collection [{collection}] could not be found"
        _check_write(key, value)
        self.results.collection(collection).writes[key] = value

    def set_event(self, name: str, payload: bytes) -> None:
        self.event = chaincode_event_pb2.ChaincodeEvent(
            chaincode_id=self._proposal.chaincode_name, tx_id=self.tx_id, event_name=name, payload=payload
        )

    def _check_collection(self, collection: str) -> None:
        if collection not in self._collections or not is_implicit(collection):
            raise StubError(f"collection [{collection}] could not be found")

    def _check_private_query(self, collection: str) -> None:
        """Raises StubError outside of queries: only the member has the values, so endorsers' results would differ."""
        self._check_collection(collection)
        if not self._query:
            raise StubError(
                "private values can be read in queries only: pass them as transient data and compare hashes"
            )


def _check_key(key: str) -> None:
    if not key:
        raise StubError("a key is empty: give it at least one character")


def _check_write(key: str, value: bytes) -> None:
    _check_key(key)
    if not value:
        raise StubError(f"the value of key {key!r} is empty; delete the key instead")
