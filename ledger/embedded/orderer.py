"""Takes transactions, makes blocks of them, and has each block validated and written to the disk.

There is no timer: a block holds the transactions that arrived while the block before was being written. So few
transactions make small blocks with little delay, and many make large ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from chaincode.limits import MESSAGE_BYTES
from consortium.channel.reader import last_config_number
from ledger.database import StorageError
from ledger.embedded.block import (
    new_block,
    sign_block,
)
from ledger.embedded.config_change import (
    ConfigSubmission,
    block_envelope,
    changed_channel,
)
from ledger.embedded.errors import LedgerStopped
from ledger.embedded.folder import Folder
from ledger.embedded.private_store import StoredWrite
from ledger.embedded.refused import Refused
from ledger.embedded.signatures import (
    PeerIdentity,
    Signatures,
)
from ledger.embedded.transaction import CODE
from ledger.embedded.transient_store import TransientStore
from ledger.embedded.updates import Updates
from ledger.embedded.validator import (
    TransactionVerdict,
    check_envelope,
    validate_block,
)
from ledger.fabric_rules.channel import ChannelRules

log = logging.getLogger(__name__)

# The most private values of one member in one block; the rest of a message is left for the block itself.
MAX_PRIVATE_BYTES = MESSAGE_BYTES - 20_000_000


@dataclass(frozen=True, slots=True)
class TransactionSubmission:
    """A transaction in the queue.

    `envelope` is serialised; `verdict` is the judgement so far, by the configuration of `channel`; `private` are the
    serialised values that its endorsers kept, by collection.
    """

    envelope: bytes
    channel: ChannelRules
    verdict: TransactionVerdict
    private: Mapping[str, bytes]

    @property
    def private_bytes(self) -> int:
        """The bytes of private values for the member that gets the most."""
        return max(map(len, self.private.values()), default=0)


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """A block on the disk and the verdicts on its transactions."""

    block: common_pb2.Block
    verdicts: Sequence[TransactionVerdict]


class Orderer:
    """Makes blocks in one task; `recent` and `wait_above` serve the readers that follow."""

    def __init__(
        self,
        channel: ChannelRules,
        folder: Folder,
        transient: TransientStore,
        signatures: Signatures,
        configured: Callable[[ChannelRules], None],
        signers: Callable[[], Sequence[PeerIdentity]],
    ) -> None:
        """`channel` is the configuration in force; `configured` is called with each later one, before readers see it.

        `signers` gives the peers that sign a block by the configuration that was adopted last.
        """
        self._channel = channel
        self._folder = folder
        self._transient = transient
        self._signatures = signatures
        self._configured = configured
        self._signers = signers
        self._last_config = last_config_number(folder.channel.block(folder.channel.height - 1))
        self._queue: deque[TransactionSubmission | ConfigSubmission] = deque()
        self._arrived = asyncio.Event()
        self._committed = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[str, set[asyncio.Future[tuple[int, int]]]] = {}
        self.failure: StorageError | None = None
        self.recent: deque[CommittedBlock] = deque(maxlen=100)

    def submit(self, submission: TransactionSubmission | ConfigSubmission) -> None:
        """Queues a transaction or a change of the configuration.

        Raises the StorageError that stopped the ledger, if one did.
        """
        if self.failure:
            raise self.failure
        if self._task is None:
            self._task = asyncio.create_task(self._make_blocks(), name="orderer")
        self._queue.append(submission)
        self._arrived.set()

    async def wait_above(self, height: int) -> None:
        """Returns when the channel has more than `height` blocks. Raises the StorageError that stopped the ledger."""
        while self._folder.channel.height <= height:
            if self.failure:
                raise self.failure
            await self._committed.wait()

    async def outcome(self, tx_id: str) -> tuple[int, int]:
        """The transaction's block number and validation code, once its block is on the disk.

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
        """Finishes the blocks of all submitted transactions."""
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
                await self._make_block()
            await self._arrived.wait()

    async def _make_block(self) -> None:
        try:
            committed = await self._next_block()
        except StorageError as error:
            log.critical("the ledger stops: %s", error)
            self.failure = error
        except Exception as error:
            log.exception("the ledger stops")
            self.failure = LedgerStopped(
                f"no more blocks after {type(error).__name__}: {error}; start the ledger again"
            )
        else:
            if committed:
                self._announce(committed)
        if self.failure:
            self._give_up(self.failure)
        waited_for, self._committed = self._committed, asyncio.Event()
        waited_for.set()

    def _give_up(self, failure: StorageError) -> None:
        for waiting in chain.from_iterable(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(failure)
        self._waiting.clear()

    def _announce(self, committed: CommittedBlock) -> None:
        """Gives the outcomes to the callers that wait for them, before readers see the block."""
        self.recent.append(committed)
        for verdict in committed.verdicts:
            self._transient.forget(verdict.tx_id)
            for waiting in self._waiting.pop(verdict.tx_id, ()):
                if not waiting.done():
                    waiting.set_result((committed.block.header.number, verdict.code))

    async def _next_block(self) -> CommittedBlock | None:
        """Makes a block of the oldest in the queue: transactions, or one change of the configuration alone."""
        first = self._queue.popleft()
        if isinstance(first, ConfigSubmission):
            return await self._change_configuration(first)
        batch = cut(first, self._queue, self._channel)
        verdicts = [await self._current_verdict(item) for item in batch]
        updates = validate_block(self._channel, self._folder, verdicts, self._folder.channel.height)
        envelopes = [item.envelope for item in batch]
        return await self._write(envelopes, verdicts, updates, private_writes(batch, verdicts), self._last_config)

    async def _current_verdict(self, item: TransactionSubmission) -> TransactionVerdict:
        """The item's verdict; judged anew if the configuration has changed since."""
        if item.channel is self._channel:
            return item.verdict
        return await check_envelope(self._channel, self._signatures, common_pb2.Envelope.FromString(item.envelope))

    async def _change_configuration(self, change: ConfigSubmission) -> CommittedBlock | None:
        """Makes the block of a change; returns None if another change came first, on which this one does not build."""
        try:
            channel = changed_channel(self._channel, change.signed)
        except Refused as error:
            log.warning("a change of the configuration is dropped: %s", error)
            return None
        self._folder.add_members(channel.members)
        envelope, number = block_envelope(change, channel), self._folder.channel.height
        verdicts, nothing = [TransactionVerdict(channel.channel_id)], Updates(self._folder)
        committed = await self._write([envelope.SerializeToString()], verdicts, nothing, {}, last_config=number)
        self._channel, self._last_config = channel, number
        self._configured(channel)
        return committed

    async def _write(
        self,
        envelopes: Sequence[bytes],
        verdicts: Sequence[TransactionVerdict],
        updates: Updates,
        private: Mapping[str, Sequence[StoredWrite]],
        last_config: int,
    ) -> CommittedBlock:
        channel, codes = self._folder.channel, [verdict.code for verdict in verdicts]
        block = new_block(channel.height, channel.last_hash, envelopes, codes, last_config)
        await sign_block(block, self._signers(), self._signatures)
        self._folder.write(block, verdicts, updates, private)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._folder.commit, tuple(private))
        self._folder.publish(block, verdicts, updates)
        return CommittedBlock(block, verdicts)


def cut(
    first: TransactionSubmission, queue: deque[TransactionSubmission | ConfigSubmission], channel: ChannelRules
) -> list[TransactionSubmission]:
    """Takes the next block's transactions from the queue: at least one, and as many as the limits allow.

    These are the channel's limits of count and bytes, and the size of a message, which must hold the block together
    with any member's private values.
    """
    batch, room, private_room = [first], channel.preferred_block_bytes - len(first.envelope), MAX_PRIVATE_BYTES
    private_room -= first.private_bytes
    while queue and len(batch) < channel.max_block_count:
        following = queue[0]
        if not isinstance(following, TransactionSubmission):
            break
        room, private_room = room - len(following.envelope), private_room - following.private_bytes
        if min(room, private_room) < 0:
            break
        batch.append(following)
        queue.popleft()
    return batch


def private_writes(
    batch: Sequence[TransactionSubmission], verdicts: Sequence[TransactionVerdict]
) -> dict[str, list[StoredWrite]]:
    """The private values of the valid transactions, by the member that holds them."""
    writes: dict[str, list[StoredWrite]] = {}
    for position, (item, verdict) in enumerate(zip(batch, verdicts, strict=True)):
        if verdict.code != CODE.VALID or verdict.action is None:
            continue
        for collection, serialised in item.private.items():
            msp_id = collection.removeprefix("_implicit_org_")
            rows = writes.setdefault(msp_id, [])
            for write in kv_rwset_pb2.KVRWSet.FromString(serialised).writes:
                value = None if write.is_delete else write.value
                rows.append(StoredWrite(position, verdict.action.chaincode_name, collection, write.key, value))
    return writes
