"""Durations as people write them in files: 14 days, 12 hours, 90 min, 30 s."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9}) ?(s|min|hours?|h|days?|d)")
_UNIT_S = {"s": 1, "min": 60, "h": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400}


def parse_duration_s(text: str) -> int:
    """The duration in seconds. Raises ValueError, whose text says how to write one."""
    match = _DURATION.fullmatch(text)
    if match is None and text != "0":
        raise ValueError(f"{text!r} is no duration: write it like 14 days, 12 hours, 90 min or 30 s")
    return int(match[1]) * _UNIT_S[match[2]] if match else 0
