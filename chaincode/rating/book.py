"""The account's book while a batch is rated: charges components, then adjusts the periods' totals."""

from __future__ import annotations

from collections.abc import Sequence

from chaincode.rating.cumulative import Cumulative, Rated
from chaincode.rating.limits import UNIT_MICRO, checked_amount, checked_measure
from chaincode.rating.lines import LineSums
from chaincode.rating.local_time import period_indices
from chaincode.rating.plan import Part, Plan
from chaincode.rating.price import step
from chaincode.rating.state import WorkingState
from zunft.v1 import tariff_pb2


class Book:
    """Takes charges span by span and ends in the lines and the new cumulative state.

    Raises (in every method):
        QuantityOutOfRange, AmountOutOfRange: a sum would leave its limits.
        ReadingTooLate: a period is closed for good.
    """

    def __init__(self, plan: Plan, meter_id: str, cumulative: Cumulative, *, correcting: bool = False) -> None:
        self._plan = plan
        self._meter_id = meter_id
        self._correcting = correcting
        self._stream = WorkingState(cumulative.stream, plan.periods)
        self._account = WorkingState(cumulative.account, plan.periods)
        self._sums = LineSums()

    def charge_readings(
        self, local_days: Sequence[int], measures_micro: Sequence[Sequence[int]], reading_counts: Sequence[int]
    ) -> None:
        """A meter's readings: what each of the plan's metered components measured in each span."""
        totals = [0] * len(local_days)
        for part, measures in zip(self._plan.metered, measures_micro, strict=True):
            for span in _in_order(measures):
                totals[span] += self._charge(self._stream, self._meter_id, part, local_days[span], measures[span])
        for span in _in_order(reading_counts):
            self._adjust(local_days[span], totals[span], reading_counts[span])

    def charge_accesses(self, local_day: int, parts: Sequence[Part], count: int) -> None:
        """Data accesses, which concern the whole account."""
        total = sum(self._charge(self._account, "", part, local_day, count * UNIT_MICRO) for part in parts)
        self._adjust(local_day, total, count)

    def note_newest(self, newest_us: int, correction_window_s: int) -> None:
        """Closes the periods that ended before the correction window; 0 = none."""
        for state in (self._stream, self._account):
            state.close_periods(newest_us, correction_window_s)

    def close(self) -> Rated:
        """The outcome."""
        lines = self._sums.lines()
        amount_micro = checked_amount("the bill", sum(line.amount_micro for line in lines))
        return Rated(lines, Cumulative(self._stream.result(), self._account.result()), amount_micro)

    def _charge(self, state: WorkingState, meter_id: str, part: Part, local_day: int, measure_micro: int) -> int:
        """Charges one component and returns the amount."""
        if not measure_micro:
            return 0
        period_index = period_indices(local_day)[part.period]
        entry = state.entry(part.name, period_index)
        before_micro = entry.value_micro
        entry.value_micro = checked_measure(part.name, self._advanced(part, before_micro, measure_micro))
        total = 0
        for (tier, unit_price), (quantity, amount) in step(
            part.price, _priced_measure(part, before_micro), _priced_measure(part, entry.value_micro)
        ):
            self._sums.add((meter_id, part.name, tier, period_index, unit_price), quantity, amount)
            total += amount
        return total

    def _advanced(self, part: Part, before_micro: int, measure_micro: int) -> int:
        """A period's peak is the highest of all readings; a correction changes it by a difference."""
        if part.measure == tariff_pb2.MEASURE_PEAK and not self._correcting:
            return max(before_micro, measure_micro)
        return before_micro + measure_micro

    def _adjust(self, local_day: int, total_micro: int, reading_count: int) -> None:
        """Lets discount, minimum and cap work on the total, each on what those before it have made of it."""
        for rule in self._plan.adjustments:
            period_index = period_indices(local_day)[rule.period]
            entry = self._account.entry(rule.name, period_index)
            before = rule.change(entry.value_micro, entry.reading_count)
            entry.value_micro = checked_amount(rule.name, entry.value_micro + total_micro)
            entry.reading_count = checked_measure(rule.name, entry.reading_count + reading_count)
            change_micro = rule.change(entry.value_micro, entry.reading_count) - before
            self._sums.add(("", rule.name, 0, period_index, 0), 0, change_micro)
            total_micro += change_micro


def _in_order(measures: Sequence[int]) -> list[int]:
    """The spans as time goes by; in a correction what is taken away follows after what is added, newest first.

    So the inverse of a correction takes its steps exactly backwards.
    """
    added = [span for span, measure in enumerate(measures) if measure >= 0]
    taken = [span for span, measure in enumerate(measures) if measure < 0]
    return added + taken[::-1]


def _priced_measure(part: Part, value_micro: int) -> int:
    """The number of periods is one as soon as there is a reading."""
    return min(value_micro, UNIT_MICRO) if part.measure == tariff_pb2.MEASURE_PERIODS else value_micro
