"""Other companies that claim to be the company that applies.

The contract accepts several applicants with one identifier, so that a copied one cannot keep its company out. The
members find out which one is the company, and the first that they admit takes the identifier.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaincode.members.identifiers import distinct_value
from chaincode.members.status import is_there
from chaincode.rights.business import status_name
from consortium.joining.bundle import show_fingerprint
from node.membership.records import ballot_ids
from zunft.v1.ballot_pb2 import Question
from zunft.v1.member_pb2 import LegalIdentifier, Member


def namesakes(
    applicant: Member, everybody: Iterable[Member], questions: Iterable[Question], now_s: float
) -> dict[str, str]:
    """Members and other companies put to the vote that have a mark or the MSP id of the applicant.

    The keys are their MSP ids, with the sponsor's where it is the applicant's MSP id; the values a sentence about each.
    """
    questions = list(questions)
    others = [one for one in everybody if _identity(one) != _identity(applicant)]
    counting = [one for one in others if is_there(one) or ballot_ids(one, questions, now_s)]
    sentences = ((other, _sentence(applicant, other)) for other in counting)
    return {_name(applicant, other): sentence for other, sentence in sentences if sentence}


def _identity(member: Member) -> tuple[str, str]:
    return member.msp_id, member.sponsor_msp_id


def _name(applicant: Member, other: Member) -> str:
    return other.msp_id if other.msp_id != applicant.msp_id else f"{other.msp_id} of {other.sponsor_msp_id}"


def _sentence(applicant: Member, other: Member) -> str:
    """The sentence about the other company; empty where the two have nothing in common."""
    shared = " and ".join(_shared(applicant, other))
    if other.msp_id == applicant.msp_id:
        shown = show_fingerprint(other.roots_fingerprint)
        return (
            f"{other.sponsor_msp_id} has put in {other.msp_id}, too, with the fingerprint {shown}: find out which is "
            "the company before you vote"
        )
    if not shared:
        return ""
    return f"{other.msp_id} ({status_name(other)}) has the same {shared}: find out which is the company before you vote"


def _shared(applicant: Member, other: Member) -> list[str]:
    theirs = set(map(_distinct, other.identifiers))
    same = [f"{one.scheme} {one.value}" for one in applicant.identifiers if _distinct(one) in theirs]
    return [*same, *(["root"] if applicant.roots_fingerprint == other.roots_fingerprint else [])]


def _distinct(identifier: LegalIdentifier) -> tuple[str, str]:
    return identifier.scheme, distinct_value(identifier)
