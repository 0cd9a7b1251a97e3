"""One transaction as its handler sees it: typed records in, typed records out.

A handler has four beats: LOAD (`tx.load`, once), CHECK (raise a typed error), COMPUTE (pure), WRITE (`tx.put` …,
`tx.emit`). Nothing is written if it raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from chaincode import keys
from chaincode.errors import MalformedRequest, NotFound, UnsoundRecord
from chaincode.keys import Key
from chaincode.limits import max_bytes
from chaincode.rights.caller import (
    Caller,
    read_caller,
)
from chaincode.rights.relation import (
    RelatedMember,
    Relation,
)
from chaincode.rights.rights import Rights
from chaincode.stub import Stub, implicit_collection
from chaincode.unknown_fields import has_unknown_fields
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.token_pb2 import Posting

M = TypeVar("M", bound=Message)


class Loaded:
    """The records that LOAD brought, by key."""

    def __init__(self, values: dict[str, bytes | None]) -> None:
        self._values = values

    def find(self, key: Key[M]) -> M | None:
        """A fresh copy of the record; None where there is none.

        Raises UnsoundRecord where it is no message: some keys need fewer endorsements than a majority's.
        """
        value = self._values[key.name]
        try:
            return None if value is None else key.message.FromString(value)
        except DecodeError:
            raise UnsoundRecord(
                f"{key.name} cannot be read: the members that endorsed it have to put back what the contract wrote"
            ) from None

    def raw(self, key: Key[Message]) -> bytes | None:
        """The record's exact bytes."""
        return self._values[key.name]

    def require(self, key: Key[M]) -> M:
        """A fresh copy of the record. Raises NotFound, UnsoundRecord."""
        record = self.find(key)
        if record is None:
            raise NotFound(f"there is no {key.name} on the ledger: check its name, or create it first")
        return record

    def has(self, key: Key[M]) -> bool:
        return self._values[key.name] is not None

    def with_more(self, later: Loaded) -> Loaded:
        """These records and those that were loaded after them."""
        return Loaded({**self._values, **later._values})


class TransactionContext:
    """A stub, the caller, the transaction's rights from the table, and the keys that it has written so far."""

    def __init__(self, stub: Stub, rights: Rights) -> None:
        self.stub = stub
        self.rights = rights
        self.caller: Caller = read_caller(stub.creator)
        self._written: list[str] = []

    @property
    def timestamp_s(self) -> int:
        return self.stub.timestamp_us // 1_000_000

    # --- LOAD ---------------------------------------------------------------------------------------------------------

    async def load(self, *wanted: Key[Message]) -> Loaded:
        """Reads the records in one round trip, and the caller's own member record with them.

        Raises Forbidden unless the member's status allows such business.
        """
        own = keys.member(self.caller.msp_id)
        names = sorted({own.name, *(key.name for key in wanted)})
        loaded = Loaded(dict(zip(names, await self.stub.get_many(names), strict=True)))
        self.rights.check_business(self.caller, loaded.find(own))
        return loaded

    async def load_all(self, prefix: str, message: type[M]) -> list[M]:
        """Every record whose key begins with the prefix, in key order; a new or changed one makes the transaction fail.

        A peer ends a range silently at the limit that its owner has set, so another range begins there.
        """
        found: list[M] = []
        start = prefix
        while page := [row async for row in self.stub.range(start, prefix + "\x7f")]:
            found += [message.FromString(value) for _, value in page]
            start = page[-1][0] + "\0"
        return found

    async def read_own(self, key: Key[Message]) -> bytes | None:
        """The exact bytes in the private collection of the caller's member, or of an open agreement; only in queries.

        Raises Forbidden unless the query goes to that member's own peer.
        """
        self.check_relation((Relation.HOLDER, self.stub.msp_id))
        value = await self.stub.get_private(implicit_collection(self.caller.msp_id), key.name)
        return value if value is not None else (await self.stub.get_many([key.name]))[0]

    async def require_own(self, key: Key[Message]) -> bytes:
        value = await self.read_own(key)
        if value is None:
            raise NotFound(f"{self.caller.msp_id} has no {key.name}")
        return value

    # --- CHECK --------------------------------------------------------------------------------------------------------

    def check_relation(self, *related: RelatedMember) -> None:
        """Checks that the caller's member has one of the table's relations; `related` says which members have which.

        Raises Forbidden.
        """
        self.rights.check_relation(self.caller, *related)

    # --- WRITE --------------------------------------------------------------------------------------------------------

    def put(self, key: Key[M], record: M) -> None:
        self.put_bytes(key, serialise(record))

    def put_bytes(self, key: Key[Message], value: bytes) -> None:
        """Writes exactly these bytes; for a record whose digest is fixed already."""
        self.stub.put(key.name, value)
        self._written.append(key.name)

    def delete(self, key: Key[Message]) -> None:
        self.stub.delete(key.name)
        self._written.append(key.name)

    def put_private(self, key: Key[M], value: bytes, msp_ids: Iterable[str]) -> None:
        """Writes the same private value into these members' own collections."""
        for msp_id in msp_ids:
            self.stub.put_private(implicit_collection(msp_id), key.name, value)

    def emit(
        self, name: str, *, msp_ids: Iterable[str], agreement_id: str = "", postings: Sequence[Posting] = ()
    ) -> None:
        """Sets the transaction's event: the written keys, the members that it concerns, and the movements of tokens."""
        event = LedgerEvent(
            keys=sorted(self._written), msp_ids=sorted(set(msp_ids)), agreement_id=agreement_id, postings=postings
        )
        self.stub.set_event(name, serialise(event))


def serialise(message: Message) -> bytes:
    """The one byte form of a message, the same on every endorser."""
    return message.SerializeToString(deterministic=True)


def parse(message: type[M], data: bytes, what: str) -> M:
    """The message in bytes from a client, within its limit and without unknown fields. Raises MalformedRequest."""
    most = max_bytes(message)
    if len(data) > most:
        raise MalformedRequest(f"{what} has {len(data)} bytes, {most} is the most: send less at once")
    try:
        parsed = message.FromString(data)
    except DecodeError as error:
        raise MalformedRequest(f"{what} is not a zunft.v1.{message.DESCRIPTOR.name}") from error
    if has_unknown_fields(parsed):
        raise MalformedRequest(f"{what} has fields that this contract does not know: leave them out")
    return parsed
