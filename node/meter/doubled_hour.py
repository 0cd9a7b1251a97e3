"""Finds the rows of a file that lie in the second of the two equal hours when the clocks go back.

The second hour begins where the file's times step back. Where they never do, and the rows are whole multiples of that
hour apart, two equal times mean the two hours: 01:00, 02:00, 02:00, 03:00.
"""

from __future__ import annotations

import numpy as np

from chaincode.readings.columns import Int64Column


def resolve(first_us: Int64Column, second_us: Int64Column) -> Int64Column:
    """One moment for each row, of the two that it may mean."""
    times_us = first_us.copy()
    for start, end in _runs(first_us, second_us):
        later = _second_begins(first_us, second_us, start, end)
        times_us[later:end] = second_us[later:end]
    return times_us


def _runs(first_us: Int64Column, second_us: Int64Column) -> list[tuple[int, int]]:
    """The runs [start, end) of rows that follow each other within one doubled hour."""
    doubled = np.flatnonzero(second_us > first_us)
    if not len(doubled):
        return []
    width_us = second_us[doubled] - first_us[doubled]
    apart = (np.diff(doubled) > 1) | (np.abs(np.diff(first_us[doubled])) >= width_us[:-1])
    starts = [0, *(np.flatnonzero(apart) + 1).tolist()]
    return [
        (int(doubled[start]), int(doubled[end - 1]) + 1)
        for start, end in zip(starts, [*starts[1:], len(doubled)], strict=True)
    ]


def _second_begins(first_us: Int64Column, second_us: Int64Column, start: int, end: int) -> int:
    """The run's first row that lies in the second hour; `end` if none does."""
    steps_us = np.diff(first_us[start:end])
    back = np.flatnonzero(steps_us < 0)
    if len(back):
        return start + int(back[0]) + 1
    is_pair = end - start == 2 and steps_us[0] == 0
    return start + 1 if is_pair and _in_whole_steps(first_us, second_us, start) else end


def _in_whole_steps(first_us: Int64Column, second_us: Int64Column, start: int) -> bool:
    """Whether the rows before and after the pair, where there are any, lie whole steps of the doubled hour away."""
    width_us = int(second_us[start] - first_us[start])
    before_us = int(first_us[start] - second_us[start - 1]) if start else width_us
    after_us = int(first_us[start + 2] - second_us[start + 1]) if start + 2 < len(first_us) else width_us
    return before_us > 0 and after_us > 0 and before_us % width_us == 0 and after_us % width_us == 0
