"""Usage: it is rated from signed batches, and debited.

Exactly the two parties endorse it: the account's commitment has a key-level policy with their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.announcement import aged_until_us, announced_times_us
from chaincode.account.cut_off import is_too_late
from chaincode.account.head import (
    Standing,
    add_open_lines,
    check_funds,
    checked_accrual,
    find_streams,
    load_standing,
    read_disclosure,
    write_head,
)
from chaincode.account.withdrawal import holds_from_us
from chaincode.checks import format_duration
from chaincode.errors import (
    BackDated,
    BrokenChain,
    Gap,
    MalformedBatch,
    MalformedRequest,
    MeterNotInAgreement,
    MeterRevoked,
    Overlap,
    ReadingInFuture,
    ReadingTooLate,
    Replay,
    WrongAgreement,
    WrongSignature,
)
from chaincode.limits import BATCH_BYTES
from chaincode.rating import rate_batches
from chaincode.readings.batch import (
    batch_digest,
    decode_parsed,
    parse_batch,
    verify_batch,
)
from chaincode.readings.columns import (
    Columns,
    MeterReadings,
)
from chaincode.readings.stream import StreamPosition
from chaincode.transaction_context import TransactionContext
from zunft.v1.agreement_pb2 import Agreement
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, Meter
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import (
    AccountHead,
    ReadHead,
    ReadRecord,
    SignedBatch,
    StreamHead,
    SubmitUsage,
    UsageBatch,
    UsageRecord,
)

NEVER_US = 2**63 - 1
# How far a meter's clock may run ahead of the submitter's.
MAX_CLOCK_SKEW_US = 300 * 10**6
MAX_BATCHES = 1000
# In all batches together, so that nobody fills the other party's memory with a few compressed bytes.
MAX_TRANSACTION_READINGS = 2_000_000


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch as it was sent, parsed and hashed; nothing of it is checked."""

    signed: SignedBatch
    batch: UsageBatch
    digest: bytes

    @classmethod
    def of(cls, signed: SignedBatch) -> Self:
        """Parses and hashes a batch of any size. Raises MalformedBatch."""
        return cls(signed, parse_batch(signed.batch), batch_digest(signed.batch))


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch that its meter signed, decoded."""

    signed: SignedBatch
    batch: UsageBatch
    digest: bytes
    columns: Columns

    @property
    def meter_id(self) -> str:
        return self.batch.meter_id

    @property
    def position_after(self) -> StreamPosition:
        """The position at which the stream continues after this batch."""
        next_sequence = self.batch.first_sequence + self.batch.reading_count
        return StreamPosition(next_sequence, self.digest, int(self.columns.time_us[-1]))


async def submit(tx: TransactionContext, request: SubmitUsage) -> Message:
    """usage.submit: rates batches of the agreement's meters and debits the account, all or nothing.

    Each batch must be signed by its meter's key in force and continue its stream without gap. Raises one error class
    per check, InsufficientFunds if the account does not cover the debit.
    """
    disclosure = read_disclosure(tx)
    sent = [SentBatch.of(checked_size(signed)) for signed in disclosure.batches]
    meters = {one.batch.meter_id: keys.meter(one.batch.meter_id) for one in sent}
    standing, loaded = await load_standing(tx, request.agreement_id, disclosure, *meters.values())

    registered = {meter_id: loaded.require(key) for meter_id, key in sorted(meters.items())}
    batches = check_batches(standing, registered, sent)
    check_streams(standing, batches, tx.stub.timestamp_us, await load_announced(tx, standing, batches))

    head, lines = charge(standing, batches)

    check_covered(standing, batches, head)

    record = UsageRecord(transaction="usage.submit", batches=disclosure.batches, lines=lines)
    return write_head(tx, standing, head, record)


async def load_announced(
    tx: TransactionContext, standing: Standing, batches: Sequence[CheckedBatch]
) -> dict[bytes, int]:
    """Does LOAD of announcements, only for batches older than the cut-off: their times by the batch's digest."""
    late = [one for one in batches if is_beyond_cut_off(standing, one.columns, tx.stub.timestamp_us)]
    if not late:
        return {}
    times_us = await announced_times_us(tx, standing.agreement.provider_msp_id, [one.signed for one in late])
    return {one.digest: time_us for one, time_us in zip(late, times_us, strict=True) if time_us is not None}


# --- CHECK: batches ------------------------------------------------------------------------------------------------


def check_batches(standing: Standing, meters: Mapping[str, Meter], sent: Sequence[SentBatch]) -> list[CheckedBatch]:
    """The batches, decoded, if each is as its meter signed it; `meters` are the registered ones by their id."""
    if not 0 < len(sent) <= MAX_BATCHES:
        raise MalformedRequest(f"a transaction takes 1 to {MAX_BATCHES} batches, not {len(sent)}")
    readings = sum(one.batch.reading_count for one in sent)
    if readings > MAX_TRANSACTION_READINGS:
        raise MalformedRequest(
            f"a transaction takes up to {MAX_TRANSACTION_READINGS} readings, not {readings}: send several"
        )
    for each in sent:
        check_signed(standing, meters, each)
    return _decoded(sent)


def check_streams(
    standing: Standing, batches: Sequence[CheckedBatch], now_us: int, announced_us: Mapping[bytes, int]
) -> None:
    """Checks that each batch continues its stream and is in time; `announced_us` has announcements by batch digest."""
    meter_ids = {one.meter_id for one in batches}
    positions = {one.meter_id: StreamPosition.of(one) for one in standing.head.streams if one.meter_id in meter_ids}
    for one in batches:
        position = positions.get(one.meter_id, StreamPosition())
        check_chain(position, one.batch)
        check_times(standing, position.last_time_us, one.columns, now_us, announced_us.get(one.digest))
        positions[one.meter_id] = one.position_after


def checked_size(signed: SignedBatch) -> SignedBatch:
    """The batch, if it is small enough to be parsed. Raises MalformedBatch."""
    if len(signed.batch) > BATCH_BYTES:
        raise MalformedBatch(
            f"the batch has {len(signed.batch)} bytes, {BATCH_BYTES} is the most: seal fewer readings at once"
        )
    return signed


def check_batch(standing: Standing, meters: Mapping[str, Meter], sent: SentBatch) -> CheckedBatch:
    """The batch, decoded, if the agreement's meter signed it; its place in the stream is not checked."""
    checked_size(sent.signed)
    check_signed(standing, meters, sent)
    [checked] = _decoded([sent])
    return checked


def check_signed(standing: Standing, meters: Mapping[str, Meter], sent: SentBatch) -> None:
    """Checks that the agreement's meter signed exactly these bytes; no column is decoded before that is certain."""
    header = sent.batch
    if header.agreement_id != standing.agreement.agreement_id:
        raise WrongAgreement(f"the batch is for agreement {header.agreement_id[:64]!r}")
    if header.meter_id not in standing.meter_ids:
        raise MeterNotInAgreement(f"meter {header.meter_id} is not part of the agreement: amend it first")
    meter = meters[header.meter_id]
    if meter.provider_msp_id != standing.agreement.provider_msp_id:
        raise MeterNotInAgreement(f"meter {header.meter_id} is {meter.provider_msp_id}'s, not the provider's")
    if meter.status != METER_STATUS_ACTIVE:
        raise MeterRevoked(f"meter {header.meter_id} was revoked: register a new one")
    in_force = meter.keys[-1]
    if header.key_version != in_force.version:
        raise WrongSignature(f"the batch is signed with key {header.key_version}, in force is {in_force.version}")
    verify_batch(sent.signed, in_force.public_key)


def check_chain(position: StreamPosition, batch: UsageBatch) -> None:
    """Checks that the batch is the very next of its stream: no replay, no overlap, no gap, no other past."""
    expected, last = position.next_sequence, batch.first_sequence + batch.reading_count - 1
    if last < expected:
        raise Replay(f"readings {batch.first_sequence} to {last} of {batch.meter_id} are charged already")
    if batch.first_sequence < expected:
        raise Overlap(f"readings before {expected} of {batch.meter_id} are charged already: begin there")
    if batch.first_sequence > expected:
        raise Gap(f"readings {expected} to {batch.first_sequence - 1} of {batch.meter_id} are missing: send them first")
    if batch.previous_digest != position.last_batch_digest:
        raise BrokenChain(f"the batch does not follow the last charged one of {batch.meter_id}")


def check_times(
    standing: Standing, last_time_us: int, columns: Columns, now_us: int, announced_us: int | None = None
) -> None:
    """Checks that time never goes back, is not in the future, and is within the agreement's limits.

    The age of announced readings counts up to the announcement, for 90 days, since a later delay may not be the
    provider's fault.
    """
    first_us, final_us = int(columns.time_us[0]), int(columns.time_us[-1])
    if first_us < last_time_us or (columns.time_us[1:] < columns.time_us[:-1]).any():
        raise BackDated("a reading is older than the one before it: propose a correction for late readings")
    if final_us > now_us + MAX_CLOCK_SKEW_US:
        raise ReadingInFuture("a reading lies in the future: check the clocks of meter and node")
    if is_beyond_cut_off(standing, columns, aged_until_us(announced_us, now_us)):
        agreed = format_duration(standing.terms.late_cut_off_s)
        raise ReadingTooLate(f"a reading is older than the agreed {agreed}: propose a correction")
    if first_us >= end_us(standing.agreement):
        raise ReadingTooLate("all of these readings lie after the end of the agreement")


def is_beyond_cut_off(standing: Standing, columns: Columns, then_us: int) -> bool:
    """Whether any reading was older than agreed at that time."""
    return is_too_late(columns.time_us, standing.terms.late_cut_off_s, standing.earlier, then_us)


def check_covered(standing: Standing, batches: Sequence[CheckedBatch], head: AccountHead) -> None:
    """Checks that the funds cover the head after the batches. Raises InsufficientFunds.

    Readings from before a notice may draw on its amount, and those after it may not, even where one batch has both.
    """
    earlier, latest_us = _before_notice(standing, batches), max(int(one.columns.time_us[-1]) for one in batches)
    if earlier:
        there, _ = charge(standing, earlier)
        check_funds(standing, there, int(earlier[-1].columns.time_us[-1]))
        standing = replace(standing, head=there)
    check_funds(standing, head, latest_us)


# --- COMPUTE ----------------------------------------------------------------------------------------------------------


def charge(standing: Standing, batches: Sequence[CheckedBatch]) -> tuple[AccountHead, list[Line]]:
    """The head after the batches, and the lines that they add to the bill.

    A batch is signed as a whole. If the agreement ends within it, the readings after the end cost nothing, as if the
    meter had cut the batch there, and the stream goes on after them.
    """
    head = standing.head_to_move()
    streams = find_streams(head, [one.meter_id for one in batches])
    rated = rate_batches(
        standing.terms.tariff,
        [MeterReadings(one.meter_id, one.columns.before(end_us(standing.agreement))) for one in batches],
        {one.meter_id: streams[one.meter_id].rating for one in batches},
        head.rating,
        standing.terms.correction_window_s,
    )
    head.usage_micro = checked_accrual(head.usage_micro + rated.amount_micro)
    for one in batches:
        _advance(streams[one.meter_id], one)
    add_open_lines(head.open_lines, rated.lines)
    return head, rated.lines


def end_us(agreement: Agreement) -> int:
    """The time from which on readings are not charged any more."""
    return (agreement.terminated_at_s + 1) * 10**6 if agreement.terminated_at_s else NEVER_US


# --- queries -------------------------------------------------------------------------------------------------------


async def read_head(tx: TransactionContext, request: ReadHead) -> bytes:
    """usage.read_head: the AccountHead, as the asking party archived it; empty before the first transaction."""
    return await tx.read_own(keys.head(request.agreement_id)) or b""


async def read_record(tx: TransactionContext, request: ReadRecord) -> bytes:
    """usage.read_record: the UsageRecord of one two-party transaction. Raises NotFound."""
    return await tx.require_own(keys.record(request.agreement_id, request.sequence))


# --- details ----------------------------------------------------------------------------------------------------------


def _before_notice(standing: Standing, batches: Sequence[CheckedBatch]) -> list[CheckedBatch]:
    """The parts of the batches that lie before a notice, if other parts lie after it; else none."""
    if not standing.account.HasField("notice"):
        return []
    holds_us = holds_from_us(standing.account, standing.agreement)
    earlier = [replace(one, columns=one.columns.before(holds_us)) for one in batches]
    is_split = any(len(part.columns) < len(one.columns) for part, one in zip(earlier, batches, strict=True))
    return [part for part in earlier if len(part.columns)] if is_split else []


def _decoded(sent: Sequence[SentBatch]) -> list[CheckedBatch]:
    columns = decode_parsed([one.batch for one in sent])
    return [
        CheckedBatch(one.signed, one.batch, one.digest, decoded) for one, decoded in zip(sent, columns, strict=True)
    ]


def _advance(stream: StreamHead, checked: CheckedBatch) -> None:
    stream.next_sequence += checked.batch.reading_count
    stream.last_batch_digest = checked.digest
    stream.last_time_us = int(checked.columns.time_us[-1])
