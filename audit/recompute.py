"""Recomputes a two-party transaction's head and lines from the signed inputs and the terms alone.

The code is separate from the contracts', so that a mistake there shows here. Only the rating itself is shared.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence

from audit.movement import (
    DecodedBatch,
    Movement,
)
from audit.sealing import part_salt
from chaincode.rating import Cumulative, Rated, add_lines, carry_over, rate, rate_access, rate_correction
from chaincode.readings.columns import Columns
from zunft.v1.access_pb2 import AccessGrant
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line, RatingState
from zunft.v1.usage_pb2 import AccountHead, Claim, StreamHead, UsageRecord

# Applies a transaction to the head, and returns the lines that it adds to the bill.
_Rule = Callable[[AccountHead, Terms, UsageRecord, Movement], list[Line]]


def recompute(
    movement: Movement, record: UsageRecord, before: AccountHead, terms: Terms
) -> tuple[AccountHead, list[Line]]:
    """The head after the transaction, and its lines.

    Raises ContractError if rating refuses the charged readings, KeyError or ValueError if the record does not fit the
    head or the transaction.
    """
    head = _begin(movement, before, terms)
    lines = _RULES[movement.step.transaction.name](head, terms, record, movement)
    head.sequence += 1
    _salt(head, terms, movement)
    return head, lines


def accrued_before(movement: Movement, time_us: int) -> int:
    """The account's amount with only the readings before this moment, in micro-tokens.

    The movement needs batches, head and terms. Raises the errors of `recompute`.
    """
    if movement.before is None or movement.terms is None:
        raise ValueError("head or terms are missing")
    head = _begin(movement, movement.before, movement.terms)
    for one in movement.batches:
        if one.columns is not None and len(one.columns.before(time_us)):
            earlier = one.columns.before(min(time_us, _end_us(movement)))
            _charge(head, movement.terms, one.batch.meter_id, earlier)
    return head.usage_micro + head.correction_micro


def claim_of(movement: Movement, head: AccountHead, terms: Terms) -> Claim:
    """The claim that closes the period up to `head`."""
    previous = movement.previous
    usage_micro, correction_micro = _claimed_before(movement)
    is_whole = not _is_in_two_parts(movement)
    return Claim(
        agreement_id=head.agreement_id,
        number=previous.claim_number + 1,
        up_to_sequence=head.sequence,
        lines=head.open_lines,
        correction_lines=head.open_correction_lines,
        usage_micro=head.usage_micro - usage_micro,
        correction_micro=head.correction_micro - correction_micro,
        terms_version=terms.version,
        salt=terms.salt if is_whole else part_salt(terms.salt, "claim", head.agreement_id, head.sequence),
    )


# --- one rule for each transaction --------------------------------------------------------------------------------


def _submit(head: AccountHead, terms: Terms, _record: UsageRecord, movement: Movement) -> list[Line]:
    lines: list[Line] = []
    for one in movement.batches:
        if one.columns is None:
            raise ValueError("a batch cannot be decoded")
        lines += _charge(head, terms, one.batch.meter_id, one.columns.before(_end_us(movement)))
        _advance(_stream(head, one.batch.meter_id), one)
    lines = add_lines([], lines)
    _set(head.open_lines, add_lines(head.open_lines, lines))
    return lines


def _correct(head: AccountHead, _terms: Terms, record: UsageRecord, movement: Movement) -> list[Line]:
    head.pending_corrections.append(record.correction)
    if record.correction.proposed_by_msp_id != movement.step.transaction.creator.msp_id:
        raise ValueError("the correction names another proposer than the transaction's creator")
    return []


def _agree(head: AccountHead, terms: Terms, record: UsageRecord, movement: Movement) -> list[Line]:
    correction = record.correction
    head.pending_corrections.remove(correction)
    if correction.proposed_by_msp_id == movement.step.transaction.creator.msp_id:
        raise ValueError("the party that proposed the correction agreed to it")
    stream = _stream(head, correction.meter_id)
    state = Cumulative(stream.rating, head.rating)
    window_s = terms.correction_window_s
    rated = rate_correction(terms.tariff, correction.meter_id, state, correction.readings, window_s)
    head.correction_micro += _keep(head, stream, rated)
    _set(head.open_correction_lines, add_lines(head.open_correction_lines, rated.lines))
    return rated.lines


def _decline(head: AccountHead, _terms: Terms, record: UsageRecord, _movement: Movement) -> list[Line]:
    head.pending_corrections.remove(record.correction)
    return []


def _claim(head: AccountHead, terms: Terms, record: UsageRecord, movement: Movement) -> list[Line]:
    if record.claim != claim_of(movement, head, terms):
        raise ValueError("the claim is not what has accrued since the last one")
    del head.open_lines[:]
    del head.open_correction_lines[:]
    return []


def _grant(head: AccountHead, _terms: Terms, record: UsageRecord, _movement: Movement) -> list[Line]:
    head.grants.append(record.grant)
    return []


def _use(head: AccountHead, terms: Terms, record: UsageRecord, movement: Movement) -> list[Line]:
    used = _granted(head, record)
    used.use_count += 1
    owners = {data_set.name: data_set.owner_msp_id for data_set in terms.data_policy.owned}
    if used.granted_to_msp_id != terms.customer_msp_id or owners.get(used.data_set) != terms.provider_msp_id:
        return []
    rated = rate_access(terms.tariff, Cumulative(RatingState(), head.rating), movement.step.transaction.time_us)
    head.rating.CopyFrom(rated.cumulative.account)
    head.usage_micro += rated.amount_micro
    _set(head.open_lines, add_lines(head.open_lines, rated.lines))
    return rated.lines


def _revoke(head: AccountHead, _terms: Terms, record: UsageRecord, movement: Movement) -> list[Line]:
    """Removes the grant from the head. Earlier contracts only marked it there, and could do so again and again."""
    after = movement.head.grants if movement.head else []
    if len(after) < len(head.grants):
        head.grants.remove(_granted(head, record))
    else:
        [revoked] = [grant for grant in head.grants if grant.grant_id == record.grant.grant_id]
        revoked.revoked = True
    return []


_RULES: dict[str, _Rule] = {
    "usage.submit": _submit,
    "usage.correct": _correct,
    "usage.agree": _agree,
    "usage.decline": _decline,
    "usage.claim": _claim,
    "access.grant": _grant,
    "access.use": _use,
    "access.revoke": _revoke,
}


def _granted(head: AccountHead, record: UsageRecord) -> AccessGrant:
    [granted] = [one for one in head.grants if one.grant_id == record.grant.grant_id and not one.revoked]
    return granted


# --- details ------------------------------------------------------------------------------------------------------


def _end_us(movement: Movement) -> int:
    """The time from which readings cost nothing: the end of the agreement's last whole second, in microseconds."""
    ended_s = movement.agreement.terminated_at_s
    return (ended_s + 1) * 1_000_000 if ended_s else 2**63 - 1


def _begin(movement: Movement, before: AccountHead, terms: Terms) -> AccountHead:
    """The head from which the transaction starts, without the lines that one party alone has claimed meanwhile."""
    head = AccountHead()
    head.CopyFrom(before)
    if before.sequence and before.sequence == movement.account.shown.sequence:
        del head.open_lines[:]
        del head.open_correction_lines[:]
    if before.terms_version != terms.version:
        _move_to(terms, movement.earlier_terms, head)
    return head


def _charge(head: AccountHead, terms: Terms, meter_id: str, columns: Columns) -> list[Line]:
    stream = _stream(head, meter_id)
    state = Cumulative(stream.rating, head.rating)
    rated = rate(terms.tariff, meter_id, state, columns, terms.correction_window_s)
    head.usage_micro += _keep(head, stream, rated)
    return rated.lines


def _claimed_before(movement: Movement) -> tuple[int, int]:
    """The claimed usage and corrections: by both parties, or by one that showed a later head."""
    previous, shown = movement.previous, movement.account.shown
    if shown.sequence > previous.claimed_sequence:
        return shown.usage_micro, shown.correction_micro
    return previous.claimed_usage_micro, previous.claimed_correction_micro


def _is_in_two_parts(movement: Movement) -> bool:
    """Whether heads are sealed in two parts: earlier contracts sealed them as a whole; later ones are all in two."""
    heads = (movement.before, movement.head)
    return any(head is not None and bool(head.amounts_salt) for head in heads)


def _salt(head: AccountHead, terms: Terms, movement: Movement) -> None:
    if not _is_in_two_parts(movement):
        head.salt = terms.salt
        return
    head.salt = part_salt(terms.salt, "rest", head.agreement_id, head.sequence)
    head.amounts_salt = part_salt(terms.salt, "amounts", head.agreement_id, head.sequence)


def _move_to(terms: Terms, earlier: Terms | None, head: AccountHead) -> None:
    """Moves the head to amended terms: unchanged components count on, changed ones begin at zero."""
    if earlier is None:
        raise ValueError(f"version {head.terms_version} of the terms is missing")
    for stream in head.streams:
        carried = carry_over(earlier.tariff, terms.tariff, Cumulative(stream.rating, head.rating))
        stream.rating.CopyFrom(carried.stream)
    carried = carry_over(earlier.tariff, terms.tariff, Cumulative(RatingState(), head.rating))
    head.rating.CopyFrom(carried.account)
    head.terms_version = terms.version


def _stream(head: AccountHead, meter_id: str) -> StreamHead:
    if meter_id not in [stream.meter_id for stream in head.streams]:
        head.streams.add(meter_id=meter_id, next_sequence=1)
        head.streams.sort(key=lambda stream: stream.meter_id)
    return next(stream for stream in head.streams if stream.meter_id == meter_id)


def _keep(head: AccountHead, stream: StreamHead, rated: Rated) -> int:
    """Takes over the state after rating and returns the amount."""
    stream.rating.CopyFrom(rated.cumulative.stream)
    head.rating.CopyFrom(rated.cumulative.account)
    return rated.amount_micro


def _advance(stream: StreamHead, one: DecodedBatch) -> None:
    stream.next_sequence += one.batch.reading_count
    stream.last_batch_digest = one.digest
    if one.columns is not None:
        stream.last_time_us = int(one.columns.time_us[-1])


def _set(lines: MutableSequence[Line], new: Sequence[Line]) -> None:
    del lines[:]
    lines.extend(new)
