"""Takes transactions in, cuts blocks, and sees each block through validation to the disk.

No timer: a block holds whatever arrived while the one before was being written. Few transactions make small blocks and
little delay, many make large ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from node.ledger.embedded.block import new_block
from node.ledger.embedded.errors import LedgerStopped, StorageError
from node.ledger.embedded.folder import Folder
from node.ledger.embedded.private_store import PrivateWrite
from node.ledger.embedded.transaction import CODE
from node.ledger.embedded.transient_store import TransientStore
from node.ledger.embedded.validator import Verdict, validate_block
from node.ledger.fabric_rules.channel import Channel

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """A transaction in the queue: its serialised envelope, what is known of it so far, and the private values that its
    endorsers kept, by collection."""

    envelope: bytes
    verdict: Verdict
    private: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Committed:
    """A block on the disk and what became of its transactions."""

    block: common_pb2.Block
    verdicts: Sequence[Verdict]


class Orderer:
    """One task that makes blocks; `newest` and `wait_above` let readers follow."""

    def __init__(self, channel: Channel, folder: Folder, transient: TransientStore) -> None:
        self._channel = channel
        self._folder = folder
        self._transient = transient
        self._queue: deque[Submission] = deque()
        self._arrived = asyncio.Event()
        self._committed = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[str, set[asyncio.Future[tuple[int, int]]]] = {}
        self.failure: StorageError | None = None
        self.recent: deque[Committed] = deque(maxlen=100)

    def submit(self, submission: Submission) -> None:
        """Queues a transaction. Raises the StorageError that stopped the ledger, if one did."""
        if self.failure:
            raise self.failure
        if self._task is None:
            self._task = asyncio.create_task(self._make_blocks(), name="orderer")
        self._queue.append(submission)
        self._arrived.set()

    async def wait_above(self, height: int) -> None:
        """Returns when the channel is higher. Raises the StorageError that stopped the ledger."""
        while self._folder.channel.height <= height:
            if self.failure:
                raise self.failure
            await self._committed.wait()

    async def outcome(self, tx_id: str) -> tuple[int, int]:
        """Block number and validation code, once the transaction is in a block that is on the disk.

        Raises the StorageError that stopped the ledger.
        """
        found = None if tx_id in self._transient else self._folder.channel.transaction(tx_id)
        if found is not None:
            return found
        if self.failure:
            raise self.failure
        waiting: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        others = self._waiting.setdefault(tx_id, set())
        others.add(waiting)
        try:
            return await waiting
        finally:
            others.discard(waiting)
            if not others and self._waiting.get(tx_id) is others:
                del self._waiting[tx_id]

    async def close(self) -> None:
        """Finishes the blocks of what was submitted."""
        while self._queue and not self.failure:
            await self.wait_above(self._folder.channel.height)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._threads.shutdown()

    async def _make_blocks(self) -> None:
        while self.failure is None:
            self._arrived.clear()
            while self._queue and self.failure is None:
                await self._make_block(cut(self._queue, self._channel))
            await self._arrived.wait()

    async def _make_block(self, batch: Sequence[Submission]) -> None:
        verdicts = [item.verdict for item in batch]
        try:
            block = await self._write(batch, verdicts)
        except StorageError as error:
            log.critical("the ledger stops: %s", error)
            self.failure = error
        except Exception as error:
            log.exception("the ledger stops")
            self.failure = LedgerStopped(
                f"no more blocks after {type(error).__name__}: {error}; start the ledger again"
            )
        else:
            self._tell(Committed(block, verdicts))
        if self.failure:
            self._give_up(self.failure)
        committed, self._committed = self._committed, asyncio.Event()
        committed.set()

    def _give_up(self, failure: StorageError) -> None:
        for waiting in chain.from_iterable(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(failure)
        self._waiting.clear()

    def _tell(self, committed: Committed) -> None:
        """Those who wait for their transaction's outcome get it first."""
        self.recent.append(committed)
        for verdict in committed.verdicts:
            self._transient.forget(verdict.tx_id)
            for waiting in self._waiting.pop(verdict.tx_id, ()):
                if not waiting.done():
                    waiting.set_result((committed.block.header.number, verdict.code))

    async def _write(self, batch: Sequence[Submission], verdicts: Sequence[Verdict]) -> common_pb2.Block:
        channel = self._folder.channel
        number = channel.height
        updates = validate_block(self._channel, self._folder, verdicts, number)
        envelopes = [item.envelope for item in batch]
        block = new_block(number, channel.last_hash, envelopes, [verdict.code for verdict in verdicts])
        private = private_writes(batch, verdicts)
        self._folder.write(block, verdicts, updates, private)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._folder.commit, tuple(private))
        self._folder.publish(block, verdicts, updates)
        return block


def cut(queue: deque[Submission], channel: Channel) -> list[Submission]:
    """The next block's transactions: as many as wait, within the channel's limits of count and bytes, at least one."""
    batch = [queue.popleft()]
    room = channel.preferred_block_bytes - len(batch[0].envelope)
    while queue and len(batch) < channel.max_block_count and len(queue[0].envelope) <= room:
        batch.append(queue.popleft())
        room -= len(batch[-1].envelope)
    return batch


def private_writes(batch: Sequence[Submission], verdicts: Sequence[Verdict]) -> dict[str, list[PrivateWrite]]:
    """Private values of the valid transactions, by the member that holds them."""
    writes: dict[str, list[PrivateWrite]] = {}
    for position, (item, verdict) in enumerate(zip(batch, verdicts, strict=True)):
        if verdict.code != CODE.VALID or verdict.action is None:
            continue
        for collection, serialised in item.private.items():
            msp_id = collection.removeprefix("_implicit_org_")
            rows = writes.setdefault(msp_id, [])
            for write in kv_rwset_pb2.KVRWSet.FromString(serialised).writes:
                value = None if write.is_delete else write.value
                rows.append(PrivateWrite(position, verdict.action.chaincode_name, collection, write.key, value))
    return writes
