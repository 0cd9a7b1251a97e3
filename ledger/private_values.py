"""Asks the member's own peer, with a query for each value, for private values that did not come with their block.

A peer may get a block before its private data, or may never get the data; or one message cannot hold a block together
with its private data. An answer is believed only if its hash is the written value's hash on the channel.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

from google.protobuf.message import Message

from chaincode import keys
from chaincode.transaction_context import serialise
from ledger.block_reader import (
    BlockTransaction,
    PrivateWrite,
)
from ledger.wire import decode
from zunft.v1.agreement_pb2 import ReadTerms, ShareTerms, TermsReference
from zunft.v1.usage_pb2 import Commitment, ReadHead, ReadRecord, UsageRecord

# Sends a query to the member's own peer.
Ask = Callable[[str, Message], Awaitable[bytes]]

_COMMITMENTS = keys.commitment("").name


def lacking(transaction: BlockTransaction, collection: str) -> tuple[PrivateWrite, ...]:
    """A valid transaction's writes to the collection whose values did not come with it."""
    own = (write for write in transaction.private_writes if write.collection == collection)
    return tuple(write for write in own if transaction.is_valid and write.value_hash and write.value is None)


def possible_keys(transaction: BlockTransaction) -> dict[bytes, str]:
    """The keys that the transaction may have written privately, by their SHA-256; none if its bytes are unreadable."""
    return {sha256(name.encode()).digest(): name for name in _key_names(transaction)}


async def completed(transaction: BlockTransaction, collection: str, ask: Ask) -> BlockTransaction:
    """The transaction with those of its missing values that the peer has by now; the others stay missing."""
    if not lacking(transaction, collection):
        return transaction
    # If a key has two answers, the later one counts: the record's head is this transaction's own.
    answers = {sha256(name.encode()).digest(): (name, value) async for name, value in _answers(transaction, ask)}
    return replace(transaction, private_writes=tuple(_with(write, answers) for write in transaction.private_writes))


def _with(write: PrivateWrite, answers: Mapping[bytes, tuple[str, bytes]]) -> PrivateWrite:
    """The write with its answered key and value if it lacks them and the hash fits, else as it was."""
    key, value = answers.get(write.key_hash, ("", b""))
    fits = write.value is None and write.value_hash == sha256(value).digest()
    return replace(write, key=key, value=value) if fits else write


def _written_commitments(transaction: BlockTransaction) -> Iterator[Commitment]:
    """The commitments that the transaction wrote."""
    for name, value in transaction.writes.items():
        if name.startswith(_COMMITMENTS) and value is not None:
            yield decode(Commitment, value)


def _shared(transaction: BlockTransaction) -> tuple[str, int]:
    """The agreement's id and the terms' version in an agreement.share, which hands terms over."""
    return decode(ShareTerms, transaction.args[0]).agreement_id, decode(TermsReference, transaction.result).version


def _key_names(transaction: BlockTransaction) -> Iterator[str]:
    try:
        for one in _written_commitments(transaction):
            yield keys.record(one.agreement_id, one.sequence).name
            yield keys.head(one.agreement_id).name
            yield keys.claim(one.agreement_id, one.claim_number).name
        if transaction.name == "agreement.share":
            yield keys.terms(*_shared(transaction)).name
    except Exception:  # strangers' bytes: the transaction names no keys then
        return


async def _answers(transaction: BlockTransaction, ask: Ask) -> AsyncIterator[tuple[str, bytes]]:
    """The keys and values that the peer has now, also of later transactions. There are none if it does not answer."""
    for answers in (_of_accounts, _of_records, _of_terms):
        # The peer lacks them, is away, or answers unreadable bytes: the account then waits for them, and says so.
        with suppress(Exception):
            async for key, value in answers(transaction, ask):
                yield key, value


async def _of_accounts(transaction: BlockTransaction, ask: Ask) -> AsyncIterator[tuple[str, bytes]]:
    for one in _written_commitments(transaction):
        answer = await ask("usage.read_head", ReadHead(agreement_id=one.agreement_id))
        yield keys.head(one.agreement_id).name, answer


async def _of_records(transaction: BlockTransaction, ask: Ask) -> AsyncIterator[tuple[str, bytes]]:
    """Each usage record with its head and claim: under the head's key the peer may have a later head by now."""
    for one in _written_commitments(transaction):
        answer = await ask("usage.read_record", ReadRecord(agreement_id=one.agreement_id, sequence=one.sequence))
        yield keys.record(one.agreement_id, one.sequence).name, answer
        record = decode(UsageRecord, answer)
        yield keys.head(one.agreement_id).name, record.head
        yield keys.claim(one.agreement_id, record.claim.number).name, serialise(record.claim)


async def _of_terms(transaction: BlockTransaction, ask: Ask) -> AsyncIterator[tuple[str, bytes]]:
    if transaction.name == "agreement.share":
        agreement_id, version = _shared(transaction)
        answer = await ask("agreement.read_terms", ReadTerms(agreement_id=agreement_id, version=version))
        yield keys.terms(agreement_id, version).name, answer
