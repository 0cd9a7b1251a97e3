"""Answers of many rows, which the peer sends in portions."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from google.protobuf.message import Message

from chaincode.shim.requests import Requests

Row = TypeVar("Row")
KeyValue = tuple[str, bytes]

_MESSAGE = shim.ChaincodeMessage


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One committed change of a key. `value` is None where the key was deleted."""

    tx_id: str
    timestamp_us: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the bookmark of the next page; "" after the last one."""

    rows: list[KeyValue]
    bookmark: str


class Rows(AsyncIterator[Row], Generic[Row]):
    """Rows in the peer's order; asks for the first portion when iterated.

    A caller that stops early may close it (`contextlib.aclosing`); the peer closes it at the transaction's end.
    """

    def __init__(self, requests: Requests, kind: int, query: Message, decode: Callable[[bytes], Row]) -> None:
        self._requests = requests
        self._next: tuple[int, Message] | None = (kind, query)
        self._decode = decode
        self._rows: deque[Row] = deque()
        self._open_id = ""

    def __aiter__(self) -> Rows[Row]:
        return self

    async def __anext__(self) -> Row:
        """The next row. Raises PeerError, StreamEnded."""
        while not self._rows:
            if self._next is None:
                raise StopAsyncIteration
            await self._fetch(*self._next)
        return self._rows.popleft()

    async def aclose(self) -> None:
        """Lets the peer forget the rows that were not read."""
        self._next = None
        self._rows.clear()
        if self._open_id:
            query = shim.QueryStateClose(id=self._open_id)
            self._open_id = ""
            await self._requests.ask(_MESSAGE.QUERY_STATE_CLOSE, query)

    async def _fetch(self, kind: int, query: Message) -> None:
        self._next = None
        answer = shim.QueryResponse.FromString(await self._requests.ask(kind, query))
        self._rows.extend(self._decode(result.resultBytes) for result in answer.results)
        self._open_id = answer.id if answer.has_more else ""
        if answer.has_more:
            self._next = _MESSAGE.QUERY_STATE_NEXT, shim.QueryStateNext(id=answer.id)


async def fetch_page(requests: Requests, kind: int, query: Message) -> Page:
    """One page, which the peer sends in one message. Raises PeerError, StreamEnded."""
    answer = shim.QueryResponse.FromString(await requests.ask(kind, query))
    metadata = shim.QueryResponseMetadata.FromString(answer.metadata)
    return Page([decode_key_value(result.resultBytes) for result in answer.results], metadata.bookmark)


def paging(page_size: int, bookmark: str) -> bytes:
    """The part of a query that asks for one page."""
    return bytes(shim.QueryMetadata(pageSize=page_size, bookmark=bookmark).SerializeToString())


def decode_key_value(data: bytes) -> KeyValue:
    """The key and the value in the bytes of a ledger.queryresult.KV."""
    row = kv_query_result_pb2.KV.FromString(data)
    return row.key, row.value


def decode_history(data: bytes) -> HistoryEntry:
    """The change in the bytes of a ledger.queryresult.KeyModification."""
    row = kv_query_result_pb2.KeyModification.FromString(data)
    return HistoryEntry(row.tx_id, row.timestamp.ToMicroseconds(), None if row.is_delete else row.value)
