"""The cut-off: the age that a reading may have when it is charged, or had when its batch was announced.

The longest cut-off that was in force since the reading was taken counts, so no amendment makes a reading too late that
was in time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chaincode.errors import TermsMismatch
from zunft.v1.agreement_pb2 import Agreement, Terms

Times = np.ndarray[tuple[int], np.dtype[np.int64]]


class CutOff(NamedTuple):
    """The cut-off of superseded terms, for readings before `until_us`; 0 s is no limit."""

    until_us: int
    seconds: int


def is_too_late(time_us: Times, in_force_s: int, earlier: Sequence[CutOff], then_us: int) -> bool:
    """Whether a reading was older at that time than every cut-off that held since it was taken.

    `time_us` are in order; `in_force_s` is the cut-off of the terms in force.
    """
    if not in_force_s or int(time_us[0]) >= then_us - in_force_s * 10**6:
        return False
    late = time_us[time_us < then_us - in_force_s * 10**6]
    for one in earlier:
        still_counts = late < one.until_us
        if one.seconds:
            still_counts &= late >= then_us - one.seconds * 10**6
        late = late[~still_counts]
    return bool(len(late))


def earlier_cut_offs(agreement: Agreement, terms: Sequence[bytes]) -> tuple[CutOff, ...]:
    """The cut-offs of superseded terms, which are given serialised.

    Raises TermsMismatch for terms that never were in force, and for terms that come twice.
    """
    if not terms:
        return ()
    until_s = {reference.digest: reference.until_s for reference in agreement.superseded}
    found = []
    for data in terms:
        ended_s = until_s.pop(hashlib.sha256(data).digest(), None)
        if ended_s is None:
            raise TermsMismatch(
                f"the disclosed earlier terms were never in force in {agreement.agreement_id}, or come twice: disclose "
                "each superseded version once"
            )
        found.append(CutOff(ended_s * 10**6, Terms.FromString(data).late_cut_off_s))
    return tuple(found)
