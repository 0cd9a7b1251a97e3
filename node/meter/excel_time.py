"""Reads a spreadsheet's dates as numbers: days since its begin, with the local time of day as a fraction.

Source: ECMA-376, Part 1, 18.17.4 (dates and times), for both begins; the second is that of old Macintosh files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from node.written_time import WrittenTime

# Before March 1900 a spreadsheet counts a day that did not exist; from then on its day 0 is this one.
EXCEL_BEGINS: Mapping[str, datetime] = {
    "excel": datetime(1899, 12, 30),  # noqa: DTZ001  # on the wall
    "excel_1904": datetime(1904, 1, 1),  # noqa: DTZ001  # on the wall
}
_DAYS = re.compile(r"([0-9]{5})(?:[.,]([0-9]{1,20}))?")


def is_excel_time(text: str) -> bool:
    """Whether the text may be a day of our time, which has five digits up to the year 2173."""
    return _DAYS.fullmatch(text) is not None


def excel_time(form: str, text: str) -> WrittenTime:
    """The time of a number, to the millisecond as in a spreadsheet: 46083.3333333333 is 08:00. Raises ValueError."""
    match = _DAYS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no count of days like 46083.5")
    digits = match[2] or ""
    milliseconds = Fraction(int(digits or 0), 10 ** len(digits)) * 86_400_000
    since = timedelta(days=int(match[1]), milliseconds=int(milliseconds + Fraction(1, 2)))
    return WrittenTime(EXCEL_BEGINS[form] + since, is_date=False)
