"""Reads public records of the ledger through a gateway: one by its key, or all whose keys begin alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from chaincode.errors import NotFound
from chaincode.keys import Key
from ledger.gateway import Gateway
from zunft.v1.record_pb2 import ListKeys, ReadKey, Record, Records

M = TypeVar("M", bound=Message)


async def require(gateway: Gateway, key: Key[M]) -> M:
    """A record. Raises NotFound, LedgerError."""
    return key.message.FromString(await _value(gateway, key))


async def read(gateway: Gateway, key: Key[M]) -> M | None:
    """A record; None where there is none. Raises LedgerError."""
    with suppress(NotFound):
        return await require(gateway, key)
    return None


async def read_value(gateway: Gateway, key: Key[Any]) -> bytes | None:
    """A record as its bytes; None where there is none. Raises LedgerError."""
    with suppress(NotFound):
        return await _value(gateway, key)
    return None


async def read_all(gateway: Gateway, noun: str, message: type[M]) -> list[M]:
    """All records of a noun, in key order. Raises LedgerError."""
    return [one async for one in read_each(gateway, f"{noun}/", message)]


async def read_each(gateway: Gateway, prefix: str, message: type[M]) -> AsyncIterator[M]:
    """Records whose keys begin with `prefix`, in key order, page after page. Raises LedgerError."""
    async for record in _read_pages(gateway, prefix):
        yield message.FromString(record.value)


async def read_foreign(gateway: Gateway, noun: str, message: type[M]) -> dict[str, M]:
    """Records that two parties alone endorse, by the rest of their keys after the noun. Raises LedgerError.

    Records that cannot be parsed are left out, since the two parties can write anything there.
    """
    found = {}
    async for record in _read_pages(gateway, f"{noun}/"):
        with suppress(DecodeError):
            found[record.key.removeprefix(f"{noun}/")] = message.FromString(record.value)
    return found


async def find(
    gateway: Gateway, noun: str, prefix: str, message: type[M], *, error: Callable[[str], Exception], command: str
) -> M:
    """The one record of a noun whose id begins with `prefix`; `command` lists them all.

    Raises `error` unless there is exactly one, and LedgerError.
    """
    if not prefix:
        raise error(f"no {noun} is named: {command} shows the ids of all")
    # Keys have no other characters, and the contract refuses to list what cannot be one.
    can_be_key = prefix.isascii() and prefix.isprintable()
    found = [one async for one in read_each(gateway, f"{noun}/{prefix}", message)] if can_be_key else []
    if len(found) != 1:
        raise error(f"{len(found)} {noun}s begin with {prefix!r}: {command} shows all")
    return found[0]


async def _value(gateway: Gateway, key: Key[Any]) -> bytes:
    return Record.FromString(await gateway.evaluate("record.read", ReadKey(key=key.name))).value


async def _read_pages(gateway: Gateway, prefix: str) -> AsyncIterator[Record]:
    request, more = ListKeys(prefix=prefix), True
    while more:
        page = Records.FromString(await gateway.evaluate("record.list", request))
        for record in page.records:
            yield record
        more = page.more and bool(page.records)
        request.after = page.records[-1].key if page.records else ""
