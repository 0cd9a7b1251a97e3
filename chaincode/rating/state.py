"""The state that rating keeps between batches, while it changes."""

from __future__ import annotations

from collections.abc import Mapping

from chaincode.errors import ReadingTooLate
from chaincode.rating.local_time import period_end_us
from zunft.v1.tariff_pb2 import ComponentState, RatingState


class WorkingState:
    """A RatingState by component and period; a change here changes the message that it is made from, too."""

    def __init__(self, state: RatingState, periods: Mapping[str, int]) -> None:
        self._state = state
        self._periods = periods
        self._newest_us, self._closed_before_us = state.newest_time_us, state.closed_before_us
        # In the order of the message.
        self._entries = {(entry.name, entry.period_index): entry for entry in state.components}

    def entry(self, name: str, period_index: int) -> ComponentState:
        """The component's (or adjustment's) entry for a period, to be changed in place.

        Raises:
            ReadingTooLate: the period is closed for good.
        """
        key = (name, period_index)
        if self._closed_before_us:
            self._check_open(*key)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = self._state.components.add(name=name, period_index=period_index)
        return entry

    def close_periods(self, newest_us: int, correction_window_s: int) -> None:
        """Notes the newest reading, and the time before which no correction can reach any period; 0 = no limit."""
        self._newest_us = max(newest_us, self._newest_us)
        if correction_window_s:
            self._closed_before_us = max(self._newest_us - correction_window_s * 1_000_000, self._closed_before_us)

    def tidy(self) -> None:
        """Leaves the message complete and sorted, without entries that are zero or closed."""
        kept = [key for key in sorted(self._entries) if self._is_kept(self._entries[key])]
        if kept != [*self._entries]:
            entries = RatingState(components=[self._entries[key] for key in kept]).components
            del self._state.components[:]
            self._state.components.extend(entries)
        self._state.newest_time_us = self._newest_us
        self._state.closed_before_us = self._closed_before_us

    def _is_kept(self, entry: ComponentState) -> bool:
        return bool(entry.value_micro or entry.reading_count) and not self._is_closed(entry.name, entry.period_index)

    def _is_closed(self, name: str, period_index: int) -> bool:
        if name not in self._periods:
            return True
        if not self._closed_before_us:
            return False
        end_us = period_end_us(self._periods[name], period_index)
        return end_us is not None and end_us <= self._closed_before_us

    def _check_open(self, name: str, period_index: int) -> None:
        if self._is_closed(name, period_index):
            raise ReadingTooLate(
                f"{name!r}: the reading's period ended longer ago than the agreement's correction window, and nothing "
                "can be booked to it any more: settle it outside the ledger"
            )
