"""Queries of public records, for clients that know the keys."""

from __future__ import annotations

from chaincode.errors import MalformedRequest, NotFound
from chaincode.transaction import Transaction
from zunft.v1.record_pb2 import ListKeys, ReadKey, Record, Records

MAX_RECORDS = 1000


async def read(tx: Transaction, request: ReadKey) -> Record:
    """record.read: one public record by its key."""
    if not request.key:
        raise MalformedRequest("name the record's key, for example 'member/MakerMSP'")
    [value] = await tx.stub.get_many([request.key])
    if value is None:
        raise NotFound(f"there is no {request.key} on the ledger")
    return Record(key=request.key, value=value)


async def list_records(tx: Transaction, request: ListKeys) -> Records:
    """record.list: public records whose key begins with a prefix, in key order, at most 1000."""
    if not request.prefix or not request.prefix.isascii() or not request.prefix.isprintable():
        raise MalformedRequest("give the beginning of the keys, for example 'agreement/'")
    limit = min(request.limit or MAX_RECORDS, MAX_RECORDS)
    start = max(request.prefix, request.after + "\0" if request.after else "")
    found = Records()
    async for key, value in tx.stub.range(start, request.prefix + "\x7f"):
        if len(found.records) == limit:
            found.more = True
            break
        found.records.add(key=key, value=value)
    return found
