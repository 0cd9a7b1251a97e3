"""A limit of acts that a member does alone and for nothing, and that make others' transactions or archives suffer.

The member may do them this number of times within this time; for the rest of it the others are not disturbed.
"""

from __future__ import annotations

from chaincode.checks import format_duration
from chaincode.errors import TooOften
from zunft.v1.account_pb2 import RecentChanges

MOST_CHANGES = 20
WINDOW_S = 3600


def check_not_too_often(changes: RecentChanges, now_s: int, deed: str, most: int = MOST_CHANGES) -> None:
    """Checks that one more change is allowed; `deed` names the member and its change. Raises TooOften."""
    waits_s = changes.since_s + WINDOW_S - now_s
    if changes.count >= most and waits_s > 0:
        raise TooOften(
            f"{deed} {changes.count} times within an hour, and more often would hold up others: "
            f"go on in {format_duration(waits_s)}"
        )


def note_change(changes: RecentChanges, now_s: int) -> None:
    """Counts one more change, in place."""
    if now_s >= changes.since_s + WINDOW_S:
        changes.CopyFrom(RecentChanges(since_s=now_s))
    changes.count += 1
