"""Usage: signed batches are rated and debited; corrections and claims.

All of it is endorsed by exactly the two parties, whose key-level policy the account's commitment carries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, MutableSequence, Sequence
from dataclasses import dataclass

import numpy as np
from google.protobuf.message import DecodeError, Message

from chaincode import keys
from chaincode.batch import batch_digest, decode_batch, verify_batch
from chaincode.checks import check_identifier, check_text
from chaincode.columns import Columns
from chaincode.errors import (
    AlreadyExists,
    BackDated,
    BrokenChain,
    Gap,
    MalformedBatch,
    MalformedRequest,
    MeterNotInAgreement,
    MeterRevoked,
    NotFound,
    Overlap,
    ReadingInFuture,
    ReadingTooLate,
    Replay,
    WrongAgreement,
    WrongSignature,
    WrongStatus,
)
from chaincode.head import (
    Standing,
    check_funds,
    checked_accrual,
    find_stream,
    load_standing,
    read_disclosure,
    write_head,
)
from chaincode.invoice import is_invoiced
from chaincode.rating import Cumulative, add_lines, rate, rate_correction
from chaincode.transaction import Transaction, serialise
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, Meter
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import (
    AccountHead,
    AgreeCorrection,
    Claim,
    ClaimUsage,
    Correction,
    CorrectUsage,
    DeclineCorrection,
    ReadClaim,
    ReadHead,
    ReadRecord,
    SignedBatch,
    StreamHead,
    SubmitUsage,
    UsageBatch,
    UsageRecord,
)

# How far a meter's clock may run ahead of the submitter's.
MAX_CLOCK_SKEW_US = 300 * 10**6
MAX_BATCHES = 1000
MAX_PENDING_CORRECTIONS = 100
MAX_CORRECTION_READINGS = 10_000


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch that is what its meter signed, and that continues its stream."""

    batch: UsageBatch
    digest: bytes
    columns: Columns


async def submit(tx: Transaction, request: SubmitUsage) -> Message:
    """usage.submit: rates batches of the agreement's meters and debits the account, all or nothing.

    Each batch must be signed by its meter's key in force and continue its stream without gap. Raises one error class
    per check, InsufficientFunds if the account does not cover the debit.
    """
    disclosure = read_disclosure(tx)
    meters = [keys.meter(meter_id) for meter_id in sorted(set(_meter_ids(disclosure.batches)))]
    standing, loaded = await load_standing(tx, request.agreement_id, disclosure, *meters)

    registered = {key.name: loaded.require(key) for key in meters}
    batches = check_batches(standing, registered, disclosure.batches, tx.stub.timestamp_us)

    head, lines = charge(standing, batches)

    check_funds(standing, head)

    record = UsageRecord(transaction="usage.submit", batches=disclosure.batches, lines=lines)
    return write_head(tx, standing, head, record)


async def correct(tx: Transaction, request: CorrectUsage) -> Message:
    """usage.correct: one party proposes differences to earlier readings; the other agrees or declines."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    _check_correction(standing, disclosure.correction)

    head = standing.head_to_move()
    proposed = head.pending_corrections.add()
    proposed.CopyFrom(disclosure.correction)
    proposed.proposed_by_msp_id = tx.caller.msp_id

    return write_head(tx, standing, head, UsageRecord(transaction="usage.correct", correction=proposed))


async def agree(tx: Transaction, request: AgreeCorrection) -> Message:
    """usage.agree: the other party agrees; the difference becomes a credit (or a charge) of the next claim."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    correction = _require_pending(standing.head, request.correction_id)
    if correction.proposed_by_msp_id == tx.caller.msp_id:
        raise WrongStatus("the other party has to agree; you proposed it")

    head, lines = apply_correction(standing, correction)

    check_funds(standing, head)

    return write_head(tx, standing, head, UsageRecord(transaction="usage.agree", correction=correction, lines=lines))


async def decline(tx: Transaction, request: DeclineCorrection) -> Message:
    """usage.decline: either party takes a pending correction away."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    correction = _require_pending(standing.head, request.correction_id)

    head = standing.head_to_move()
    head.pending_corrections.remove(correction)

    return write_head(tx, standing, head, UsageRecord(transaction="usage.decline", correction=correction))


async def claim(tx: Transaction, request: ClaimUsage) -> Message:
    """usage.claim: closes a period; the amounts become public, so that account.settle can pay them."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    if standing.commitment.claimed_sequence == standing.commitment.sequence:
        raise WrongStatus("there is nothing new to claim")
    if not is_invoiced(standing.account, standing.commitment):
        raise WrongStatus("the previous claim is not settled yet: account.settle")

    head, period = close_period(standing)

    _write_claim(standing, head, period)
    return write_head(tx, standing, head, UsageRecord(transaction="usage.claim", claim=period))


# --- CHECK: batches ------------------------------------------------------------------------------------------------


def check_batches(
    standing: Standing, meters: dict[str, Meter], signed: Sequence[SignedBatch], now_us: int
) -> list[CheckedBatch]:
    """The batches, each checked and decoded, in the order in which they are charged."""
    if not 0 < len(signed) <= MAX_BATCHES:
        raise MalformedRequest(f"a transaction takes 1 to {MAX_BATCHES} batches, not {len(signed)}")
    heads = standing.head_to_move()
    checked = []
    for one in signed:
        batch = check_batch(standing, meters, one)
        stream = find_stream(heads, batch.batch.meter_id)
        check_chain(stream, batch.batch)
        check_times(standing, stream.last_time_us, batch.columns, now_us)
        _advance(stream, batch)
        checked.append(batch)
    return checked


def check_batch(standing: Standing, meters: dict[str, Meter], signed: SignedBatch) -> CheckedBatch:
    """Whether the agreement's meter signed exactly these bytes; the signature comes before any decoding."""
    header = UsageBatch.FromString(signed.batch)
    if header.agreement_id != standing.agreement.agreement_id:
        raise WrongAgreement(f"the batch is for agreement {header.agreement_id[:64]!r}")
    if header.meter_id not in standing.terms.meter_ids:
        raise MeterNotInAgreement(f"meter {header.meter_id} is not part of the agreement: amend it first")
    meter = meters[keys.meter(header.meter_id).name]
    if meter.provider_msp_id != standing.agreement.provider_msp_id:
        raise MeterNotInAgreement(f"meter {header.meter_id} is {meter.provider_msp_id}'s, not the provider's")
    if meter.status != METER_STATUS_ACTIVE:
        raise MeterRevoked(f"meter {header.meter_id} was revoked: register a new one")
    in_force = meter.keys[-1]
    if header.key_version != in_force.version:
        raise WrongSignature(f"the batch is signed with key {header.key_version}, in force is {in_force.version}")
    verify_batch(signed, in_force.public_key)
    batch, columns = decode_batch(signed.batch)
    return CheckedBatch(batch, batch_digest(signed.batch), columns)


def check_chain(stream: StreamHead, batch: UsageBatch) -> None:
    """Whether the batch is the very next of its stream: no replay, no overlap, no gap, no other past."""
    expected, last = stream.next_sequence, batch.first_sequence + batch.reading_count - 1
    if last < expected:
        raise Replay(f"readings {batch.first_sequence} to {last} of {batch.meter_id} are charged already")
    if batch.first_sequence < expected:
        raise Overlap(f"readings before {expected} of {batch.meter_id} are charged already: begin there")
    if batch.first_sequence > expected:
        raise Gap(f"readings {expected} to {batch.first_sequence - 1} of {batch.meter_id} are missing: send them first")
    if batch.previous_digest != stream.last_batch_digest:
        raise BrokenChain(f"the batch does not follow the last charged one of {batch.meter_id}")


def check_times(standing: Standing, last_time_us: int, columns: Columns, now_us: int) -> None:
    """Whether time never goes back, is not in the future, and is within the agreement's limits."""
    first_us, final_us = int(columns.time_us[0]), int(columns.time_us[-1])
    if first_us < last_time_us or bool(np.any(columns.time_us[1:] < columns.time_us[:-1])):
        raise BackDated("a reading lies before the one before it: use usage.correct for late readings")
    if final_us > now_us + MAX_CLOCK_SKEW_US:
        raise ReadingInFuture("a reading lies in the future: check the clocks of meter and node")
    cut_off_s = standing.terms.late_cut_off_s
    if cut_off_s and first_us < now_us - cut_off_s * 10**6:
        raise ReadingTooLate(f"a reading is older than the agreed {cut_off_s} s: use usage.correct")
    ended_s = standing.agreement.terminated_at_s
    if ended_s and final_us >= (ended_s + 1) * 10**6:
        raise ReadingTooLate("a reading lies after the end of the agreement")


# --- COMPUTE ----------------------------------------------------------------------------------------------------------


def charge(standing: Standing, batches: Iterable[CheckedBatch]) -> tuple[AccountHead, list[Line]]:
    """The head after the batches, and the lines that they add to the bill."""
    head, tariff = standing.head_to_move(), standing.terms.tariff
    lines: list[Line] = []
    for checked in batches:
        stream = find_stream(head, checked.batch.meter_id)
        rated = rate(
            tariff,
            stream.meter_id,
            Cumulative(stream.rating, head.rating),
            checked.columns,
            standing.terms.correction_window_s,
        )
        stream.rating.CopyFrom(rated.cumulative.stream)
        head.rating.CopyFrom(rated.cumulative.account)
        head.usage_micro = checked_accrual(head.usage_micro + rated.amount_micro)
        lines.extend(rated.lines)
        _advance(stream, checked)
    lines = add_lines([], lines)
    _replace(head.open_lines, add_lines(head.open_lines, lines))
    return head, lines


def apply_correction(standing: Standing, correction: Correction) -> tuple[AccountHead, list[Line]]:
    """The head after an agreed correction, and its lines."""
    head = standing.head_to_move()
    head.pending_corrections.remove(correction)
    stream = find_stream(head, correction.meter_id)
    rated = rate_correction(
        standing.terms.tariff,
        correction.meter_id,
        Cumulative(stream.rating, head.rating),
        correction.readings,
        standing.terms.correction_window_s,
    )
    stream.rating.CopyFrom(rated.cumulative.stream)
    head.rating.CopyFrom(rated.cumulative.account)
    head.correction_micro = checked_accrual(head.correction_micro + rated.amount_micro)
    _replace(head.open_correction_lines, add_lines(head.open_correction_lines, rated.lines))
    return head, rated.lines


def close_period(standing: Standing) -> tuple[AccountHead, Claim]:
    """The head with no open lines, and the claim that has them."""
    head, commitment = standing.head_to_move(), standing.commitment
    period = Claim(
        agreement_id=head.agreement_id,
        number=commitment.claim_number + 1,
        up_to_sequence=head.sequence,
        lines=head.open_lines,
        correction_lines=head.open_correction_lines,
        usage_micro=head.usage_micro - commitment.claimed_usage_micro,
        correction_micro=head.correction_micro - commitment.claimed_correction_micro,
        terms_version=standing.terms.version,
        salt=standing.terms.salt,
    )
    del head.open_lines[:]
    del head.open_correction_lines[:]
    return head, period


# --- queries -------------------------------------------------------------------------------------------------------


async def read_head(tx: Transaction, request: ReadHead) -> bytes:
    """usage.read_head: the AccountHead, as the asking party archived it; empty before the first transaction."""
    return await tx.read_own(keys.head(request.agreement_id)) or b""


async def read_record(tx: Transaction, request: ReadRecord) -> bytes:
    """usage.read_record: the UsageRecord of one two-party transaction. Raises NotFound."""
    return await tx.require_own(keys.record(request.agreement_id, request.sequence))


async def read_claim(tx: Transaction, request: ReadClaim) -> bytes:
    """usage.read_claim: the Claim behind an invoice. Raises NotFound."""
    return await tx.require_own(keys.claim(request.agreement_id, request.number))


# --- details ----------------------------------------------------------------------------------------------------------


def _meter_ids(signed: Iterable[SignedBatch]) -> list[str]:
    try:
        return [UsageBatch.FromString(one.batch).meter_id for one in signed]
    except DecodeError as error:
        raise MalformedBatch("a batch is not a zunft.v1.UsageBatch") from error


def _advance(stream: StreamHead, checked: CheckedBatch) -> None:
    stream.next_sequence += checked.batch.reading_count
    stream.last_batch_digest = checked.digest
    stream.last_time_us = int(checked.columns.time_us[-1])


def _check_correction(standing: Standing, correction: Correction) -> None:
    check_identifier("correction_id", correction.correction_id)
    check_text("reason", correction.reason)
    if correction.meter_id not in standing.terms.meter_ids:
        raise MeterNotInAgreement(f"meter {correction.meter_id[:64]!r} is not part of the agreement")
    if not 0 < len(correction.readings) <= MAX_CORRECTION_READINGS:
        raise MalformedRequest(f"a correction takes 1 to {MAX_CORRECTION_READINGS} readings")
    pending = standing.head.pending_corrections
    if correction.correction_id in [one.correction_id for one in pending]:
        raise AlreadyExists(f"correction {correction.correction_id} is pending already")
    waiting = sum(len(one.readings) for one in pending)
    if len(pending) >= MAX_PENDING_CORRECTIONS or waiting + len(correction.readings) > MAX_CORRECTION_READINGS:
        # Every transaction discloses the head with all of them: one party must not be able to make it too large.
        raise WrongStatus("too many corrections are pending: agree to some or decline them")


def _require_pending(head: AccountHead, correction_id: str) -> Correction:
    for correction in head.pending_corrections:
        if correction.correction_id == correction_id:
            return correction
    raise NotFound(f"no correction {correction_id[:64]!r} is pending")


def _write_claim(standing: Standing, head: AccountHead, period: Claim) -> None:
    commitment = standing.commitment
    commitment.claimed_usage_micro = head.usage_micro
    commitment.claimed_correction_micro = head.correction_micro
    commitment.claimed_sequence = head.sequence + 1
    commitment.claim_number = period.number
    commitment.claim_digest = hashlib.sha256(serialise(period)).digest()


def _replace(lines: MutableSequence[Line], new: Sequence[Line]) -> None:
    del lines[:]
    lines.extend(new)
