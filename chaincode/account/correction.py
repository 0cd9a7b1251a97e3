"""Corrections: signed differences to earlier readings; one party proposes them, and the other one agrees.

Nothing is rewritten: an agreed correction becomes a credit (or a charge) of the next claim.
"""

from __future__ import annotations

import hashlib

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.head import (
    Standing,
    add_open_lines,
    check_funds,
    check_may_move,
    checked_accrual,
    find_stream,
    load_standing,
    own_moves,
    read_disclosure,
    write_head,
)
from chaincode.checks import check_identifier, check_text
from chaincode.errors import (
    AlreadyExists,
    CorrectionMismatch,
    MalformedRequest,
    MeterNotInAgreement,
    NotFound,
    WrongStatus,
)
from chaincode.limits import CORRECTION_BYTES
from chaincode.members.status import check_takes_part
from chaincode.rating import Cumulative, check_correction_cost, rate_correction
from chaincode.recent import note_change
from chaincode.rights.relation import counterparties
from chaincode.transaction_context import TransactionContext, serialise
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import (
    AccountHead,
    AgreeCorrection,
    Correction,
    CorrectUsage,
    DeclineCorrection,
    Disclosure,
    UsageRecord,
)

MAX_PENDING_CORRECTIONS = 100
MAX_CORRECTION_READINGS = 10_000


async def correct(tx: TransactionContext, request: CorrectUsage) -> Message:
    """usage.correct: one party proposes differences to earlier readings; the other agrees or declines."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    _check_correction(standing, disclosure.correction)
    check_may_move(tx, standing)

    head = standing.head_to_move()
    proposed = head.pending_corrections.add()
    proposed.CopyFrom(disclosure.correction)
    proposed.proposed_by_msp_id = tx.caller.msp_id
    note_change(own_moves(tx, standing), tx.timestamp_s)

    return write_head(tx, standing, head, UsageRecord(transaction="usage.correct", correction=proposed))


async def agree(tx: TransactionContext, request: AgreeCorrection) -> Message:
    """usage.agree: the other party agrees; the difference becomes a credit (or a charge) of the next claim."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    provider_key = keys.member(standing.agreement.provider_msp_id)
    provider = (await tx.load(provider_key)).require(provider_key)

    correction = _require_pending(standing.head, request.correction_id)
    tx.check_relation(*counterparties(standing.agreement, correction.proposed_by_msp_id))
    check_takes_part(provider)
    _check_read(correction, disclosure)

    head, lines = apply_correction(standing, correction)

    check_funds(standing, head, max(reading.time_us for reading in correction.readings))

    return write_head(tx, standing, head, UsageRecord(transaction="usage.agree", correction=correction, lines=lines))


async def decline(tx: TransactionContext, request: DeclineCorrection) -> Message:
    """usage.decline: either party removes a pending correction; its own only as often as it may propose any."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    correction = _require_pending(standing.head, request.correction_id)
    _check_read(correction, disclosure)
    is_own = correction.proposed_by_msp_id == tx.caller.msp_id
    if is_own:
        check_may_move(tx, standing)

    head = standing.head_to_move()
    head.pending_corrections.remove(correction)
    if is_own:
        note_change(own_moves(tx, standing), tx.timestamp_s)

    return write_head(tx, standing, head, UsageRecord(transaction="usage.decline", correction=correction))


def digest_of(correction: Correction) -> bytes:
    """SHA-256 of a pending correction with its proposer, which usage.agree and usage.decline must name."""
    return hashlib.sha256(serialise(correction)).digest()


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
    add_open_lines(head.open_correction_lines, rated.lines)
    return head, rated.lines


def _check_correction(standing: Standing, correction: Correction) -> None:
    if correction.ByteSize() > CORRECTION_BYTES:
        raise MalformedRequest(
            f"the correction has {correction.ByteSize()} bytes, {CORRECTION_BYTES} is the most: propose several"
        )
    check_identifier("correction_id", correction.correction_id)
    check_text("reason", correction.reason)
    for reading in correction.readings:
        check_text("step", reading.step)
        check_text("work_item", reading.work_item)
    if correction.meter_id not in standing.terms.meter_ids:
        raise MeterNotInAgreement(f"meter {correction.meter_id[:64]!r} is not part of the agreement")
    if not 0 < len(correction.readings) <= MAX_CORRECTION_READINGS:
        raise MalformedRequest(f"a correction takes 1 to {MAX_CORRECTION_READINGS} readings")
    check_correction_cost(standing.terms.tariff, correction.meter_id, correction.readings)
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


def _check_read(correction: Correction, disclosure: Disclosure) -> None:
    """Checks that it is the correction that the caller has read, and not another one that has taken its name since."""
    if disclosure.correction_digest != digest_of(correction):
        raise CorrectionMismatch(
            f"the correction {correction.correction_id} that is pending is not the one that you name: read it again"
        )
