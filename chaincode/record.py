"""Queries of public records by their keys."""

from __future__ import annotations

from chaincode.errors import MalformedRequest, NotFound
from chaincode.transaction_context import TransactionContext
from zunft.v1.record_pb2 import ListKeys, ReadKey, Record, Records

MAX_RECORDS = 1000
MAX_PAGE_BYTES = 1_000_000
# A peer sends rows in one message, however large they are; an earlier contract allowed a ballot of 16 MB.
ROWS_AT_ONCE = 5


async def read(tx: TransactionContext, request: ReadKey) -> Record:
    """record.read: one public record by its key."""
    if not request.key:
        raise MalformedRequest("name the record's key, for example 'member/MakerMSP'")
    [value] = await tx.stub.get_many([request.key])
    if value is None:
        raise NotFound(f"there is no {request.key} on the ledger")
    return Record(key=request.key, value=value)


async def list_records(tx: TransactionContext, request: ListKeys) -> Records:
    """record.list: public records whose key begins with a prefix, in key order, at most 1000 and at most a megabyte.

    An answer has one record at least, whatever its size, so a client that asks for the next ones comes to the end.
    """
    if not request.prefix or not request.prefix.isascii() or not request.prefix.isprintable():
        raise MalformedRequest("give the beginning of the keys, for example 'agreement/'")
    limit = min(request.limit or MAX_RECORDS, MAX_RECORDS)
    start = max(request.prefix, request.after + "\0" if request.after else "")
    found, size = Records(), 0
    while rows := await tx.stub.first_rows(start, request.prefix + "\x7f", ROWS_AT_ONCE):
        for key, value in rows:
            size += len(key) + len(value)
            if len(found.records) == limit or (found.records and size > MAX_PAGE_BYTES):
                found.more = True
                return found
            found.records.add(key=key, value=value)
        start = rows[-1][0] + "\0"
    return found
