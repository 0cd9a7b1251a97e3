"""The account's book while batches are rated: it charges components, then adjusts the periods' totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaincode.rating.limits import UNIT_MICRO, checked_amount, checked_count, checked_measure
from chaincode.rating.lines import LineSums
from chaincode.rating.local_time import period_indices
from chaincode.rating.measure import Measured
from chaincode.rating.plan import Part, Plan
from chaincode.rating.price import step
from chaincode.rating.state import WorkingState
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Line, RatingState


class Book:
    """The charges of an account: they come batch by batch, change the states of account and streams, and end in lines.

    Raises (in every method):
        QuantityOutOfRange, AmountOutOfRange: a sum would leave its limits.
        ReadingTooLate: a period is closed for good.
    """

    def __init__(
        self, plan: Plan, account: RatingState, correction_window_s: int = 0, *, correcting: bool = False
    ) -> None:
        self._plan = plan
        self._correction_window_s = correction_window_s
        self._correcting = correcting
        self._account = WorkingState(account, plan.periods)
        self._streams: dict[str, WorkingState] = {}
        self._lines = LineSums()

    def open_stream(self, meter_id: str, state: RatingState) -> None:
        """Takes the state of a meter's stream; this comes before the meter's first charge."""
        self._streams[meter_id] = WorkingState(state, self._plan.periods)

    def charge_readings(self, meter_id: str, measured: Measured) -> int:
        """Charges a meter's batch and returns its amount in micro-tokens."""
        stream, local_days, sums = self._streams[meter_id], measured.local_days, LineSums()
        totals = [0] * len(local_days)
        for part, measures in zip(self._plan.metered, measured.measures_micro, strict=True):
            for span in self._in_order(measures):
                if measures[span]:
                    totals[span] += self._charge(sums, stream, meter_id, part, local_days[span], measures[span])
        for span in self._in_order(measured.reading_counts):
            self._adjust(sums, local_days[span], totals[span], measured.reading_counts[span])
        return self._lines.include(sums)

    def charge_accesses(self, local_day: int, parts: Sequence[Part], count: int) -> int:
        """Charges data accesses, which concern the whole account, and returns their amount in micro-tokens."""
        sums = LineSums()
        measure_micro = count * UNIT_MICRO
        total = sum(self._charge(sums, self._account, "", part, local_day, measure_micro) for part in parts)
        self._adjust(sums, local_day, total, count)
        return self._lines.include(sums)

    def note_newest(self, meter_id: str, newest_us: int) -> None:
        """Takes note of the meter's newest reading, and closes the periods that ended before the correction window."""
        for state in (self._streams[meter_id], self._account):
            state.close_periods(newest_us, self._correction_window_s)

    def close(self) -> list[Line]:
        """Brings the states into the form in which they are kept, and returns the lines."""
        for state in (*self._streams.values(), self._account):
            state.tidy()
        return self._lines.lines()

    def _charge(
        self, sums: LineSums, state: WorkingState, meter_id: str, part: Part, local_day: int, measure_micro: int
    ) -> int:
        """Charges one component and returns the amount."""
        period_index = period_indices(local_day)[part.period]
        entry = state.entry(part.name, period_index)
        before_micro = entry.value_micro
        after_micro = checked_measure(part.name, self._advanced(part, before_micro, measure_micro))
        entry.value_micro = after_micro
        total = 0
        for (tier, unit_price), (quantity, amount) in step(
            part.price, _priced_measure(part, before_micro), _priced_measure(part, after_micro)
        ):
            sums.add((meter_id, part.name, tier, period_index, unit_price), quantity, amount)
            total += amount
        return total

    def _advanced(self, part: Part, before_micro: int, measure_micro: int) -> int:
        """The measure after; a period's peak is the highest of all readings, and a correction adds to it."""
        if part.measure == tariff_pb2.MEASURE_PEAK and not self._correcting:
            return max(before_micro, measure_micro)
        return before_micro + measure_micro

    def _adjust(self, sums: LineSums, local_day: int, total_micro: int, reading_count: int) -> None:
        """Applies discount, minimum and cap to the total, each to the result of those before it."""
        for rule in self._plan.adjustments:
            period_index = period_indices(local_day)[rule.period]
            entry = self._account.entry(rule.name, period_index)
            before = rule.change(entry.value_micro, entry.reading_count)
            entry.value_micro = checked_amount(rule.name, entry.value_micro + total_micro)
            entry.reading_count = checked_count(rule.name, entry.reading_count + reading_count)
            change_micro = rule.change(entry.value_micro, entry.reading_count) - before
            sums.add(("", rule.name, 0, period_index, 0), 0, change_micro)
            total_micro += change_micro

    def _in_order(self, measures: Sequence[int]) -> Iterable[int]:
        """The spans in the order of time; in a correction all additions come first, then the deductions, newest first.

        So the inverse of a correction takes its steps exactly backwards.
        """
        if not self._correcting:
            return range(len(measures))
        added = [span for span, measure in enumerate(measures) if measure >= 0]
        taken = [span for span, measure in enumerate(measures) if measure < 0]
        return added + taken[::-1]


def _priced_measure(part: Part, value_micro: int) -> int:
    """The measure that has a price; the number of periods is one as soon as there is a reading."""
    return min(value_micro, UNIT_MICRO) if part.measure == tariff_pb2.MEASURE_PERIODS else value_micro
