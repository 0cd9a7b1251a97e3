"""Who else says that it is the company that applies.

The contract lets applicants name the same, as whoever copies a company's identifier shall not keep it out: the members
find out which one it is, and the first that they admit takes the name.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaincode.business import status_name
from chaincode.identifiers import distinct_value
from chaincode.membership import is_there
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, LegalIdentifier, Member


def namesakes(applicant: Member, everybody: Iterable[Member], now_s: float) -> dict[str, str]:
    """Members, and companies that are put to the vote, with a mark of the applicant's; a sentence about each."""
    others = [one for one in everybody if one.msp_id != applicant.msp_id and _counts(one, now_s)]
    return {other.msp_id: _sentence(other, shared) for other in others if (shared := _shared(applicant, other))}


def _counts(member: Member, now_s: float) -> bool:
    deadlines = [one.deadline_s for one in (*member.open_ballots, member.open_ballot)]
    return is_there(member) or (member.status == MEMBER_STATUS_APPLIED and max(deadlines) >= now_s)


def _shared(applicant: Member, other: Member) -> list[str]:
    theirs = set(map(_distinct, other.identifiers))
    same = [f"{one.scheme} {one.value}" for one in applicant.identifiers if _distinct(one) in theirs]
    return [*same, *(["root"] if applicant.roots_fingerprint == other.roots_fingerprint else [])]


def _distinct(identifier: LegalIdentifier) -> tuple[str, str]:
    return identifier.scheme, distinct_value(identifier)


def _sentence(other: Member, shared: list[str]) -> str:
    same = " and ".join(shared)
    return f"{other.msp_id} ({status_name(other)}) has the same {same}: find out which is the company before you vote"
