"""An embedded ledger's folder: its files, and the lock that lets one process open it at a time.

channel.db            the data that all members share
private/<MSP ID>.db   the data that one member alone holds
lock                  locked while a process has the ledger open
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

from fabric_protos.common import common_pb2

from chaincode.stub import implicit_collection
from consortium.files import make_private_folder
from ledger.database import DatabaseDamaged, StorageError
from ledger.embedded.channel_store import ChannelStore
from ledger.embedded.errors import FolderInUse, LedgerExists, NoLedger
from ledger.embedded.private_store import (
    PrivateStore,
    StoredWrite,
)
from ledger.embedded.state_cache import StateCache
from ledger.embedded.updates import Updates
from ledger.embedded.validator import TransactionVerdict
from ledger.fabric_rules.results import (
    Version,
    hash_key,
)

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Folder:
    """The open files, and the committed state as `State` describes it.

    A block is written in steps: `write` prepares it, `commit` makes the members' private values and then the block
    durable, `publish` makes it visible to readers.
    """

    def __init__(self, path: Path, opened: ExitStack, channel: ChannelStore, private: dict[str, PrivateStore]) -> None:
        self._path = path
        self._opened = opened
        self.channel = channel
        self.private = private
        self._state = StateCache(channel)
        self.get = self._state.get
        self.range = self._state.range
        self.private_hash = self._state.private_hash
        self.has_transaction = self._state.has_transaction

    @classmethod
    def create(cls, path: Path, genesis: common_pb2.Block, msp_ids: Iterable[str]) -> None:
        """Makes the files. The channel's file comes last: without it the folder counts as empty.

        Raises LedgerExists, FolderInUse, DiskFull.
        """
        make_private_folder(path / "private")
        with locked(path):
            if channel_file(path).exists():
                raise LedgerExists(f"{path} holds a ledger already: open it, or choose another folder")
            for msp_id in msp_ids:
                fresh(private_file(path, msp_id))
                create_private(path, msp_id)
            unfinished = path / "channel.new"
            fresh(unfinished)
            ChannelStore.create(unfinished, genesis).close()
            unfinished.rename(channel_file(path))

    @classmethod
    def open(cls, path: Path) -> Folder:
        """Opens the files that `create` made. Raises NoLedger, FolderInUse, DatabaseDamaged, DatabaseInUse."""
        if not channel_file(path).is_file():
            raise NoLedger(f"{path} holds no ledger: create one there first, or name its folder")
        with ExitStack() as opened:
            opened.enter_context(locked(path))
            channel = opened.enter_context(closing(ChannelStore.open(channel_file(path))))
            private = {}
            for file in sorted((path / "private").glob("*.db")):
                private[file.stem] = opened.enter_context(closing(PrivateStore.open(file)))
                forget_unfinished(private[file.stem], channel.height, file)
            return cls(path, opened.pop_all(), channel, private)

    def add_members(self, msp_ids: Iterable[str]) -> None:
        """Makes files for the members that have none yet. Raises StorageError."""
        for msp_id in msp_ids:
            if msp_id not in self.private:
                create_private(self._path, msp_id)
                store = PrivateStore.open(private_file(self._path, msp_id))
                self.private[msp_id] = self._opened.enter_context(closing(store))

    def private_value(self, collection: str, key: str, version: Version, msp_id: str) -> bytes | None:
        if collection != implicit_collection(msp_id) or msp_id not in self.private:
            return None
        return self.private[msp_id].value(collection, key, version)

    def private_range(self, collection: str, start: str, end: str, msp_id: str) -> list[tuple[str, bytes]]:
        if collection != implicit_collection(msp_id) or msp_id not in self.private:
            return []
        store = self.private[msp_id]
        entries = [(key, self.private_hash(collection, hash_key(key))) for key in store.keys(collection, start, end)]
        found = [(key, store.value(collection, key, entry.version)) for key, entry in entries if entry]
        return [(key, value) for key, value in found if value is not None]

    def write(
        self,
        block: common_pb2.Block,
        verdicts: Sequence[TransactionVerdict],
        updates: Updates,
        private: Mapping[str, Sequence[StoredWrite]],
    ) -> None:
        """Prepares the block and its changes. They are not durable yet; if it fails, nothing is written."""
        self._state.begin(updates)
        try:
            for msp_id, writes in private.items():
                self.private[msp_id].write(block.header.number, writes)
            self.channel.write(block, verdicts, updates)
        except StorageError:
            self.rollback()
            raise

    def commit(self, msp_ids: Iterable[str]) -> None:
        """Returns when the prepared block is on the disk; may run on another thread."""
        try:
            for msp_id in msp_ids:
                self.private[msp_id].commit()
            self.channel.commit()
        except StorageError:
            self.rollback()
            raise

    def publish(self, block: common_pb2.Block, verdicts: Sequence[TransactionVerdict], updates: Updates) -> None:
        self.channel.publish(block)
        self._state.publish(updates, [verdict.tx_id for verdict in verdicts])

    def rollback(self) -> None:
        self.channel.rollback()
        for store in self.private.values():
            store.rollback()

    def close(self) -> None:
        self._opened.close()


def locked(path: Path) -> IO[str]:
    """The locked lock file; the lock ends when the file is closed or the process ends or dies. Raises FolderInUse."""
    file = (path / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise FolderInUse(
            f"{path} is open in process {holder}: wait until it has ended, or share the ledger with"
            " `zunft ledger serve`"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def forget_unfinished(store: PrivateStore, height: int, path: Path) -> None:
    """Removes the rows of a block that was not finished before a crash. Raises DatabaseDamaged."""
    if store.newest_block() > height:
        raise DatabaseDamaged(
            f"{path} is newer than the channel's file: they are from different backups, restore the whole folder"
        )
    store.forget_above(height - 1)


def channel_file(path: Path) -> Path:
    return path / "channel.db"


def private_file(path: Path, msp_id: str) -> Path:
    if not FILE_NAME.fullmatch(msp_id):
        raise StorageError(f"{msp_id!r} cannot name a file: use letters, digits, dot, dash and underscore in MSP IDs")
    return path / "private" / f"{msp_id}.db"


def create_private(path: Path, msp_id: str) -> None:
    """Makes a member's empty file, as a whole or not at all. Raises StorageError."""
    file = private_file(path, msp_id)
    # No MSP id begins with a dot, so it is no other member's file.
    unfinished = file.with_name(f".{msp_id}.new")
    fresh(unfinished)
    PrivateStore.create(unfinished).close()
    unfinished.rename(file)


def fresh(path: Path) -> None:
    """Removes the rest of an interrupted creation: this file and SQLite's own beside it, and no other member's."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
