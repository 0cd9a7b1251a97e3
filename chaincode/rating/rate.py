"""Rates readings by a tariff: pure, exact, and the same bill however the readings are batched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from chaincode.errors import QuantityOutOfRange
from chaincode.rating.book import Book
from chaincode.rating.correction import check_correction, columns_of, counts_of
from chaincode.rating.cost import Cost
from chaincode.rating.cumulative import Cumulative, Rated, RatedBatches
from chaincode.rating.limits import check_times, checked_amount
from chaincode.rating.local_time import Span, pieces, spans
from chaincode.rating.measure import Measured, added_up, measure_batches, measured_correction, sums
from chaincode.rating.plan import Plan, plan_of
from chaincode.rating.selection import Readings
from chaincode.readings.columns import (
    Columns,
    MeterReadings,
)
from zunft.v1.tariff_pb2 import RatingState, Tariff
from zunft.v1.usage_pb2 import CorrectionReading


def rate(
    tariff: Tariff, meter_id: str, cumulative: Cumulative, columns: Columns, correction_window_s: int = 0
) -> Rated:
    """The cost of a batch of readings on top of everything that was rated before.

    Every component charges price(measure after) - price(measure before), each line of it rounded to micro-tokens, a
    half away from zero. So the lines of a stream add up to the same bill however it is cut into batches.

    Args:
        tariff: the agreement's tariff.
        meter_id: the meter of the readings; it stands on the lines.
        cumulative: the stream's and the account's state before; it is not changed.
        columns: one or more readings in the order of time, quantities 0 … 10^15 micro-units.
        correction_window_s: periods that ended earlier than this before the newest reading are forgotten; 0 = none.

    Raises:
        InvalidTariff: `check_tariff` does not accept the tariff.
        BackDated: a reading's time lies before that of the one before it.
        MalformedBatch: a time is beyond the limits, or a column that the tariff's bands need is missing.
        QuantityOutOfRange, AmountOutOfRange: a reading or a sum is beyond the limit that the message names.
        ReadingTooLate: the account's period of a reading is closed for good.
        TooCostly: see cost.py.
    """
    after = cumulative.copy()
    batches = [MeterReadings(meter_id, columns)]
    rated = rate_batches(tariff, batches, {meter_id: after.stream}, after.account, correction_window_s)
    return Rated(rated.lines, after, rated.amount_micro)


def rate_batches(
    tariff: Tariff,
    batches: Sequence[MeterReadings],
    streams: Mapping[str, RatingState],
    account: RatingState,
    correction_window_s: int = 0,
) -> RatedBatches:
    """The cost of batches of an account's meters: the same as `rate` finds batch by batch, but much cheaper to compute.

    A meter's batches are charged as one, since cutting them apart would not change the bill, unless one of them closes
    a period in which a later one may lie.

    Args:
        tariff: the agreement's tariff.
        batches: in the order in which they are charged.
        streams: the state of each of their meters' streams; it is changed in place, and worthless after an error.
        account: the account's state; it is changed in place, too.
        correction_window_s: as for `rate`.

    Raises the same errors as `rate`.
    """
    plan = plan_of(tariff)
    book = Book(plan, account, correction_window_s)
    for meter_id, state in streams.items():
        book.open_stream(meter_id, state)
    measured = measure_batches(plan, batches)
    amount_micro = 0
    for numbers in _charged_as_one(batches, correction_window_s):
        meter_id = batches[numbers[0]].meter_id
        together = added_up(plan, [measured[number] for number in numbers])
        amount_micro += book.charge_readings(meter_id, together)
        book.note_newest(meter_id, max(int(batches[number].columns.time_us[-1]) for number in numbers))
    return RatedBatches(book.close(), checked_amount("the bill", amount_micro))


def _charged_as_one(batches: Sequence[MeterReadings], correction_window_s: int) -> Collection[Sequence[int]]:
    """The batches' numbers, in groups of one meter each that can be charged as one batch."""
    if correction_window_s:
        oldest_us = min(int(batch.columns.time_us[0]) for batch in batches)
        newest_us = max(int(batch.columns.time_us[-1]) for batch in batches)
        if newest_us - correction_window_s * 1_000_000 > oldest_us:
            return [[number] for number in range(len(batches))]
    by_meter: dict[str, list[int]] = defaultdict(list)
    for number, batch in enumerate(batches):
        by_meter[batch.meter_id].append(number)
    return by_meter.values()


def rate_correction(
    tariff: Tariff,
    meter_id: str,
    cumulative: Cumulative,
    readings: Sequence[CorrectionReading],
    correction_window_s: int,
) -> Rated:
    """The amount that signed differences to earlier readings cost or give back, at the margin of the measures now.

    A correction changes a period's peak only by readings with reading_count 0, whose quantity is the difference.

    Args:
        tariff: the agreement's tariff.
        meter_id: the meter of the readings that they correct.
        cumulative: the stream's and the account's state before; it is not changed.
        readings: one or more differences in any order, quantities within ±10^15 micro-units.
        correction_window_s: how long before the newest reading a period may have ended; 0 = no limit.

    Raises:
        InvalidTariff: `check_tariff` does not accept the tariff.
        MalformedBatch: there are no readings, or a time is beyond the limits.
        QuantityOutOfRange, AmountOutOfRange: more is taken away than was charged, or a limit is left.
        ReadingTooLate: a reading's period ended before the correction window.
        TooCostly: see cost.py.
    """
    plan = plan_of(tariff)
    in_order = sorted(readings, key=lambda reading: reading.time_us)
    corrected, parts = _corrected(plan, meter_id, in_order)
    counts = counts_of(in_order)
    starts = [span.start for span in parts]
    measures = [measured_correction(part, corrected, counts, starts) for part in plan.metered]

    after = cumulative.copy()
    book = Book(plan, after.account, correction_window_s, correcting=True)
    book.open_stream(meter_id, after.stream)
    book.note_newest(meter_id, 0)
    local_days = [span.local_day for span in parts]
    amount_micro = book.charge_readings(meter_id, Measured(local_days, measures, sums(counts, starts)))
    return Rated(book.close(), after, amount_micro)


def check_batch_cost(tariff: Tariff, columns: Columns) -> None:
    """Checks that rating the batch would not be too much work. Raises MalformedBatch, TooCostly."""
    plan = plan_of(tariff)
    check_times(columns)
    first_us, last_us = int(columns.time_us[0]), int(columns.time_us[-1])
    parts = spans(columns.time_us, pieces(plan.zone, first_us, last_us), plan.finest)
    Cost(plan).add(len(parts), first_us, last_us, len(columns))


def check_correction_cost(tariff: Tariff, meter_id: str, readings: Sequence[CorrectionReading]) -> None:
    """Checks that `rate_correction` would take the readings, and that it would not be too much work.

    Raises the errors of `rate_correction` that depend on the readings alone.
    """
    _corrected(plan_of(tariff), meter_id, sorted(readings, key=lambda reading: reading.time_us))


def _corrected(plan: Plan, meter_id: str, in_order: Sequence[CorrectionReading]) -> tuple[Readings, list[Span]]:
    check_correction(in_order)
    columns = columns_of(in_order)
    check_times(columns)
    corrected = Readings(plan, meter_id, [columns])
    parts = spans(columns.time_us, corrected.pieces, plan.finest)
    Cost(plan).add(len(parts), corrected.first_us, corrected.last_us, len(columns))
    return corrected, parts


def rate_access(tariff: Tariff, cumulative: Cumulative, time_us: int, count: int = 1) -> Rated:
    """The cost of accesses to data, by the components with MEASURE_ACCESSES, which count over the whole account.

    Args:
        tariff: the agreement's tariff.
        cumulative: the account's state before, and any stream's, which stays; neither is changed.
        time_us: the time of the accesses, microseconds since 1970 UTC.
        count: the number of accesses, one or more.

    Raises:
        InvalidTariff: `check_tariff` does not accept the tariff.
        MalformedBatch: the time is beyond the limits.
        QuantityOutOfRange, AmountOutOfRange: a sum is beyond the limit that the message names.
        ReadingTooLate: the account's period is closed for good.
    """
    plan = plan_of(tariff)
    if count < 1:
        raise QuantityOutOfRange(f"{count} accesses cannot be charged: charge one or more")
    columns = Columns(np.array([time_us], dtype=np.int64), np.zeros(1, dtype=np.int64))
    check_times(columns)
    moment = Readings(plan, "", [columns])
    (span,) = spans(columns.time_us, moment.pieces, plan.finest)
    selected = [(part, moment.selected(part)) for part in plan.accessed]

    after = cumulative.copy()
    book = Book(plan, after.account)
    book.open_stream("", after.stream)
    parts = [part for part, mask in selected if mask is None or mask[0]]
    amount_micro = book.charge_accesses(span.local_day, parts, count)
    return Rated(book.close(), after, amount_micro)
