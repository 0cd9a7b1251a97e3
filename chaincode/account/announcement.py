"""Announcements: a provider alone says in time which batches it has and cannot have charged yet.

To charge a batch takes both parties. While the other party's peer refuses, the account lacks funds, or the provider is
suspended, readings grow older, and the provider cannot help it. The record names no agreement, stands under its owner's
name, and nothing else is read for it. So the other party can neither withhold it nor make it conflict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from chaincode import keys
from chaincode.errors import AlreadyExists, MalformedRequest
from chaincode.limits import MAX_ANNOUNCED
from chaincode.readings.batch import DIGEST_BYTES
from chaincode.transaction_context import TransactionContext, serialise
from zunft.v1.usage_pb2 import Announcement, AnnounceUsage, SignedBatch

# How long a batch may wait after its announcement. So nobody keeps readings back for longer and charges them then.
MAX_WAIT_US = 90 * 86_400 * 10**6


async def announce(tx: TransactionContext, request: AnnounceUsage) -> Announcement:
    """usage.announce: writes the time of the announcement for each batch; an earlier announcement keeps its time."""
    wanted = [keys.announcement(tx.caller.msp_id, digest) for digest in request.batch_digests]
    loaded = await tx.load(*wanted)

    _check_digests(request.batch_digests)
    new = [key for key in wanted if not loaded.has(key)]
    if not new:
        raise AlreadyExists("all of these batches are announced already: there is nothing to do")

    announcement = Announcement(announced_at_us=tx.stub.timestamp_us)

    for key in new:
        tx.put(key, announcement)
    tx.emit("usage.announce", msp_ids=[tx.caller.msp_id])
    return announcement


def aged_until_us(announced_us: int | None, now_us: int) -> int:
    """The time up to which the readings' age counts: the batch's announcement, or MAX_WAIT_US ago if that is later."""
    if announced_us is None:
        return now_us
    return max(min(announced_us, now_us), now_us - MAX_WAIT_US)


def announced_digest(signed: SignedBatch) -> bytes:
    """SHA-256 by which an announcement names a batch; it covers the signature, so that nobody can guess readings."""
    return hashlib.sha256(serialise(signed)).digest()


async def announced_times_us(
    tx: TransactionContext, provider_msp_id: str, batches: Sequence[SignedBatch]
) -> list[int | None]:
    """The times at which their provider announced these batches; None where it did not."""
    wanted = [keys.announcement(provider_msp_id, announced_digest(signed)) for signed in batches]
    loaded = await tx.load(*wanted)
    found = [loaded.find(key) for key in wanted]
    return [one.announced_at_us if one else None for one in found]


def _check_digests(digests: Sequence[bytes]) -> None:
    if not 0 < len(digests) <= MAX_ANNOUNCED:
        raise MalformedRequest(f"a transaction announces 1 to {MAX_ANNOUNCED} batches, not {len(digests)}")
    if any(len(digest) != DIGEST_BYTES for digest in digests):
        raise MalformedRequest(f"a batch's digest has {DIGEST_BYTES} bytes: SHA-256 of the signed batch")
    if len(set(digests)) < len(digests):
        raise MalformedRequest("a batch is named twice: name each once")
