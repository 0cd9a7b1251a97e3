"""The member's view of the ledger: the public records, its own private ones, statements and events.

It is built from blocks alone. Each block's effects and the new height are one database transaction. A node without the
file builds it again from block 0.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog
from google.protobuf.message import DecodeError, Message

from chaincode import keys
from chaincode.account.account import without_claimed_lines
from chaincode.keys import Key
from ledger.block_reader import (
    Block,
    BlockTransaction,
)
from ledger.database import database_errors
from ledger.fabric_rules.identity import (
    InvalidIdentity,
    revoked_serials,
)
from ledger.printable import printable
from ledger.wire import decode
from node.account_state import AccountState
from node.database import REMEDIES, Durability, open_database, remove_other_layout, transaction
from node.errors import LedgerMismatch
from node.read_model.effects import Effects, effects
from node.read_model.missing import Missing
from zunft.v1.agreement_pb2 import Agreement
from zunft.v1.invoice_pb2 import Invoice
from zunft.v1.meter_pb2 import Meter
from zunft.v1.node_pb2 import Alarm, EventCursor, LedgerNotice, MissingValue, StatementEntry
from zunft.v1.usage_pb2 import AccountHead

log = structlog.get_logger()

M = TypeVar("M", bound=Message)

_SCHEMA = """
CREATE TABLE state (height INTEGER NOT NULL, last_hash BLOB NOT NULL);
INSERT INTO state VALUES (0, x'');
CREATE TABLE record (key TEXT NOT NULL, private INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (key, private));
CREATE TABLE entry (
    agreement_id TEXT NOT NULL, sequence INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (agreement_id, sequence)
);
CREATE TABLE batch (digest BLOB PRIMARY KEY, tx_id TEXT NOT NULL, block_number INTEGER NOT NULL);
CREATE TABLE notice (
    block_number INTEGER NOT NULL, position INTEGER NOT NULL, agreement_id TEXT NOT NULL, notice BLOB NOT NULL,
    PRIMARY KEY (block_number, position)
);
CREATE TABLE alarm (
    block_number INTEGER NOT NULL, position INTEGER NOT NULL, alarm BLOB NOT NULL
);
CREATE INDEX alarm_place ON alarm (block_number, position);
CREATE TABLE missing (
    block_number INTEGER NOT NULL, position INTEGER NOT NULL, key_hash BLOB NOT NULL, key TEXT NOT NULL,
    tx_id TEXT NOT NULL, agreement_id TEXT NOT NULL, PRIMARY KEY (block_number, position, key_hash)
);
CREATE INDEX missing_of_agreement ON missing (agreement_id);
CREATE INDEX missing_by_key ON missing (key_hash);
CREATE TABLE revoked (serial_number TEXT PRIMARY KEY)
"""
_SCHEMA_VERSION = 4
# The position of an alarm about a whole block: after all of its transactions.
_WHOLE_BLOCK = 2**32 - 1
# The length of a transaction's id, which is a SHA-256 in hexadecimal.
_LONGEST_ID = 64
_LONGEST_ALARM = 600
_TERMS = keys.terms("", 0).name.split("/")[0] + "/"
# An account's state is unknown without these; without a record only its statement has a gap.
_NEEDED = (_TERMS, keys.head("").name)
# It sorts after all characters that a key can have.
_LAST = "\x7f"
_REMEDIES = replace(REMEDIES, damaged="remove it, and the node builds it again from the ledger")


@dataclass(frozen=True, slots=True)
class Place:
    """The transaction and block that charged a batch."""

    tx_id: str
    block_number: int


class ReadModel:
    """The database of one event loop. Raises DatabaseInUse, DatabaseDamaged or DiskFull; do not change its messages."""

    def __init__(self, path: Path, msp_id: str, connection: sqlite3.Connection) -> None:
        """For `open` only."""
        self.msp_id = msp_id
        self._path = path
        self._connection = connection
        self._missing = Missing(msp_id, connection)
        self._accounts: dict[str, AccountState | None] = {}
        self._meters: dict[str, Meter | None] = {}
        self._agreements: dict[str, Agreement] = {}
        [(height, last_hash)] = self._read("SELECT height, last_hash FROM state")
        self._height: int = height
        self._last_hash: bytes = last_hash
        self._revoked = self._read_revoked()
        self._changed = asyncio.Event()

    @classmethod
    def open(cls, path: Path, msp_id: str) -> Self:
        """The view of member `msp_id` in `path`; empty if it is new, or was made by another version of the node."""
        remove_other_layout(path, _SCHEMA_VERSION, _REMEDIES)
        connection = open_database(
            path, _SCHEMA, version=_SCHEMA_VERSION, durability=Durability.NORMAL, remedies=_REMEDIES
        )
        return cls(path, msp_id, connection)

    def close(self) -> None:
        """Closes the file, so that another process may open it."""
        self._connection.close()

    # --- blocks -------------------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """The number of blocks that are stored, which is the number of the next one."""
        return self._height

    def apply(self, block: Block) -> frozenset[str]:
        """Stores the next block's effects; returns the agreements that it concerns. An earlier block changes nothing.

        Raises LedgerMismatch if the block does not follow the last one.
        """
        if block.number < self._height:
            return frozenset()
        self._check_follows(block)
        with transaction(self._connection, self._path, _REMEDIES):
            found = [self._take_in(one, block.number) for one in block.transactions if one.is_valid]
            self._store_configuration(block)
            self._connection.execute("UPDATE state SET height = ?, last_hash = ?", (block.number + 1, block.hash))
        self._height, self._last_hash = block.number + 1, block.hash
        self._forget(found)
        if block.is_config:
            self._revoked = self._read_revoked()
        return frozenset(one.agreement_id for one in found if one.agreement_id)

    def fill_in(self, transaction_: BlockTransaction, block_number: int) -> frozenset[str]:
        """Stores private values that have come after their block, and returns the agreements that they concern."""
        found = self._effects(transaction_, block_number)
        with transaction(self._connection, self._path, _REMEDIES):
            late = self._missing.take_arrived(transaction_, block_number)
            self._store_private({key: value for key, value in (found.private or {}).items() if key in late})
            self._store_entry(found)
        self._forget([found])
        return frozenset({found.agreement_id} - {""} if late else ())

    def check_height(self, height: int) -> None:
        """Raises LedgerMismatch if the ledger has fewer blocks than are stored here."""
        if height < self._height:
            raise LedgerMismatch(
                f"the ledger has {height} blocks, {self._path} knows {self._height}: "
                "wait until the peer has caught up, connect to the right ledger, or remove the file to build it again"
            )

    async def reached(self, height: int) -> None:
        """Waits until this many blocks are stored."""
        while self._height < height:
            await self._changed.wait()

    async def changed(self) -> None:
        """Waits until a block or a late private value is stored."""
        await self._changed.wait()

    # --- records ------------------------------------------------------------------------------------------------------

    def find_bytes(self, key: Key[M]) -> bytes | None:
        """The record's bytes as they were written; the member's own private record comes before a public one."""
        rows = self._read("SELECT value FROM record WHERE key = ? ORDER BY private DESC LIMIT 1", key.name)
        return bytes(rows[0][0]) if rows else None

    def find(self, key: Key[M]) -> M | None:
        """The record; None where there is none, or where the parties have written other bytes."""
        value = self.find_bytes(key)
        return None if value is None else self._parsed(key.message, value)

    def meter(self, meter_id: str) -> Meter | None:
        """The registered meter, from memory; None if there is none."""
        if meter_id not in self._meters:
            self._meters[meter_id] = self.find(keys.meter(meter_id))
        return self._meters[meter_id]

    def account(self, agreement_id: str) -> AccountState | None:
        """The account's state on the ledger, from memory; None unless it was opened and this member is a party."""
        if agreement_id not in self._accounts:
            self._accounts[agreement_id] = self._build_account(agreement_id)
        return self._accounts[agreement_id]

    def waits_for(self, agreement_id: str) -> list[MissingValue]:
        """Missing private values without which the account cannot go on; terms that are not in force do not count."""
        missing = self.missing(agreement_id)
        agreement = self.find(keys.agreement(agreement_id)) if missing else None
        in_force = keys.terms(agreement_id, agreement.terms.version).name if agreement else ""
        return [one for one in missing if not one.key.startswith(_TERMS) or one.key == in_force]

    def missing(self, agreement_id: str = "") -> list[MissingValue]:
        """Private values that have not come, of one agreement or of all; at most the first thousand."""
        with database_errors(self._path, _REMEDIES):
            return self._missing.values(agreement_id)

    def missing_count(self) -> int:
        """The number of private values that have not come."""
        return self._missing.count

    def missing_places(self) -> list[tuple[int, int]]:
        """The block and position of every transaction of which a private value has not come."""
        with database_errors(self._path, _REMEDIES):
            return self._missing.places()

    def is_revoked(self, serial_number: int) -> bool:
        """Whether the channel's configuration lists this certificate of the member as revoked."""
        return serial_number in self._revoked

    # --- lists --------------------------------------------------------------------------------------------------------

    def statement(self, agreement_id: str, *, after_sequence: int, limit: int) -> list[StatementEntry]:
        """The account's two-party transactions in their order."""
        rows = self._read(
            "SELECT entry FROM entry WHERE agreement_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            agreement_id,
            after_sequence,
            limit,
        )
        return [StatementEntry.FromString(row[0]) for row in rows]

    def own_accounts(self, *, after: str, limit: int) -> list[AccountState]:
        """The accounts of which this member is a party, ordered by agreement_id."""
        prefix = keys.account("").name
        rows = self._read(
            "SELECT key FROM record WHERE key > ? AND key < ? ORDER BY key", prefix + after, prefix + _LAST
        )
        accounts = (self.account(row["key"].removeprefix(prefix)) for row in rows)
        return list(islice(filter(None, accounts), limit))

    def own_invoices(self, *, after: Key[Invoice], agreement_id: str, limit: int) -> list[Invoice]:
        """Invoices that this member issued or received, of one agreement or (empty) of all, by provider and number."""
        prefix = "invoice/"
        rows = self._read("SELECT value FROM record WHERE key > ? AND key < ? ORDER BY key", after.name, prefix + _LAST)
        invoices = (self._parsed(Invoice, row["value"]) for row in rows)
        return list(islice((one for one in invoices if one and self._concerns(one, agreement_id)), limit))

    def notices(self, *, after: EventCursor | None, agreement_id: str, limit: int) -> list[LedgerNotice]:
        """Events after a cursor, of one agreement or (empty) of all."""
        start = (after.block_number, after.transaction_index) if after else (-1, -1)
        rows = self._read(
            "SELECT notice FROM notice WHERE (block_number, position) > (?, ?) AND (? = '' OR agreement_id = ?)"
            " ORDER BY block_number, position LIMIT ?",
            *start,
            agreement_id,
            agreement_id,
            limit,
        )
        return [LedgerNotice.FromString(row[0]) for row in rows]

    def alarms(self, *, after: EventCursor | None, limit: int) -> list[Alarm]:
        """The alarms about the ledger after a place, in the order of the blocks."""
        start = (after.block_number, after.transaction_index) if after else (-1, -1)
        rows = self._read(
            "SELECT alarm FROM alarm WHERE (block_number, position) > (?, ?) ORDER BY block_number, position, rowid"
            " LIMIT ?",
            *start,
            limit,
        )
        return [Alarm.FromString(row[0]) for row in rows]

    def newest_alarms(self, limit: int) -> tuple[int, list[Alarm]]:
        """The number of all alarms, and the newest of them, newest first."""
        [(count,)] = self._read("SELECT count(*) FROM alarm")
        rows = self._read("SELECT alarm FROM alarm ORDER BY rowid DESC LIMIT ?", limit)
        return count, [Alarm.FromString(row[0]) for row in rows]

    def find_batch(self, digest: bytes) -> Place | None:
        """The place at which a batch was charged; None if it was not."""
        rows = self._read("SELECT tx_id, block_number FROM batch WHERE digest = ?", digest)
        return Place(*rows[0]) if rows else None

    # --- inside -------------------------------------------------------------------------------------------------------

    def _parsed(self, kind: type[M], value: bytes) -> M | None:
        try:
            return decode(kind, value)
        except DecodeError:
            return None

    def _concerns(self, invoice: Invoice, agreement_id: str) -> bool:
        is_own = self.msp_id in (invoice.provider_msp_id, invoice.customer_msp_id)
        return is_own and agreement_id in ("", invoice.agreement_id)

    def _check_follows(self, block: Block) -> None:
        if block.number != self._height or (self._height and block.previous_hash != self._last_hash):
            raise LedgerMismatch(
                f"block {block.number} does not follow the {self._height} blocks in {self._path}: "
                f"connect to the right ledger, or remove the file to build it again"
            )

    def _take_in(self, transaction: BlockTransaction, block_number: int) -> Effects:
        """Stores one transaction's effects, so that the next one is judged by the agreements as they are then."""
        one = self._effects(transaction, block_number)
        self._store(one)
        self._missing.note(transaction, block_number, one.agreement_id)
        if one.alarms:
            place = EventCursor(block_number=block_number, transaction_index=transaction.position)
            tx_id, text = printable(transaction.tx_id, _LONGEST_ID), printable("; ".join(one.alarms), _LONGEST_ALARM)
            self._raise_alarm(Alarm(place=place, tx_id=tx_id, time_us=transaction.time_us, text=text))
        return one

    def _agreement(self, agreement_id: str) -> Agreement | None:
        """The agreement, from memory: only its parties are read, and they never change."""
        if agreement_id not in self._agreements:
            found = self.find(keys.agreement(agreement_id))
            if found is None:
                return None
            self._agreements[agreement_id] = found
        return self._agreements[agreement_id]

    def _effects(self, transaction: BlockTransaction, block_number: int) -> Effects:
        return effects(transaction, block_number, self.msp_id, self._agreement)

    def _store(self, one: Effects) -> None:
        execute = self._connection.execute
        for key, value in one.public.items():
            if value is None:
                execute("DELETE FROM record WHERE key = ? AND private = 0", (key,))
            else:
                execute("REPLACE INTO record VALUES (?, 0, ?)", (key, value))
        self._store_private(one.private or {})
        if one.notice:
            cursor, notice = one.notice.cursor, one.notice.SerializeToString()
            place = (cursor.block_number, cursor.transaction_index)
            execute("INSERT INTO notice VALUES (?, ?, ?, ?)", (*place, one.agreement_id, notice))
        self._store_entry(one)

    def _store_private(self, values: Mapping[str, bytes]) -> None:
        self._connection.executemany("REPLACE INTO record VALUES (?, 1, ?)", list(values.items()))

    def _store_entry(self, one: Effects) -> None:
        if one.entry:
            # Two parties that both sign nonsense can charge a batch, or number a transaction, twice.
            self._connection.execute("REPLACE INTO entry VALUES (?, ?, ?)", _entry_row(one.agreement_id, one.entry))
            charged = [(digest, one.entry.tx_id, one.entry.block_number) for digest in one.batch_digests]
            self._connection.executemany("INSERT OR IGNORE INTO batch VALUES (?, ?, ?)", charged)

    def _store_configuration(self, block: Block) -> None:
        """Stores the member's revoked certificates, all of which the newest configuration names.

        If the list cannot be read, the certificates before it stay revoked.
        """
        for text in block.unreadable:
            self._raise_block_alarm(block.number, text)
        if block.members is None or self.msp_id not in block.members:
            return
        try:
            serials = revoked_serials(block.members[self.msp_id].revocation_lists)
        except InvalidIdentity as error:
            self._raise_block_alarm(block.number, f"the list of revoked certificates cannot be read: {error}")
            return
        self._connection.execute("DELETE FROM revoked")
        self._connection.executemany("INSERT INTO revoked VALUES (?)", {(f"{serial:x}",) for _, serial in serials})

    def _raise_block_alarm(self, block_number: int, text: str) -> None:
        place = EventCursor(block_number=block_number, transaction_index=_WHOLE_BLOCK)
        self._raise_alarm(Alarm(place=place, text=f"block {block_number}: {printable(text)}"))

    def _raise_alarm(self, alarm: Alarm) -> None:
        log.warning("the contract did not write this", block=alarm.place.block_number, alarm=alarm.text)
        place = (alarm.place.block_number, alarm.place.transaction_index)
        self._connection.execute("INSERT INTO alarm VALUES (?, ?, ?)", (*place, alarm.SerializeToString()))

    def _read_revoked(self) -> frozenset[int]:
        return frozenset(int(row["serial_number"], 16) for row in self._read("SELECT serial_number FROM revoked"))

    def _forget(self, found: Iterable[Effects]) -> None:
        """Drops changed accounts and meters from memory, and wakes the tasks that wait for a change."""
        for one in found:
            self._accounts.pop(one.agreement_id, None)
            for key in one.public:
                self._meters.pop(key.removeprefix(keys.meter("").name), None)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _build_account(self, agreement_id: str) -> AccountState | None:
        agreement, account = self.find(keys.agreement(agreement_id)), self.find(keys.account(agreement_id))
        commitment = self.find(keys.commitment(agreement_id))
        if not agreement or not account or not commitment:
            return None
        if any(not one.key or one.key.startswith(_NEEDED) for one in self.waits_for(agreement_id)):
            return None
        terms = self.find(keys.terms(agreement_id, agreement.terms.version))
        if not terms or self.msp_id not in (agreement.provider_msp_id, agreement.customer_msp_id):
            return None
        head = self.find(keys.head(agreement_id)) if commitment.sequence else None
        head = head or AccountHead(agreement_id=agreement_id, terms_version=terms.version)
        head = without_claimed_lines(head, account)
        return AccountState(agreement, account, commitment, terms, head)

    def _read(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with database_errors(self._path, _REMEDIES):
            return self._connection.execute(sql, values).fetchall()


def _entry_row(agreement_id: str, entry: StatementEntry) -> tuple[str, int, bytes]:
    return agreement_id, entry.sequence, entry.SerializeToString()
