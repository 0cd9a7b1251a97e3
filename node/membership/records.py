"""Reads members and ballots from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaincode import keys
from chaincode.members.application import next_membership
from chaincode.members.bundle import bundle_digest
from chaincode.members.question import (
    noted_ballots,
    question_key,
)
from chaincode.members.status import is_there
from consortium.errors import UnusableBundle
from consortium.joining.bundle import (
    OpenedBundle,
    open_bundle,
)
from ledger.gateway import Gateway
from ledger.records import find, read, read_all, read_each
from node.membership.errors import NoBallot, NoLongerMember, SeveralApplicants, UnknownMember
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    Ballot,
    BallotSubject,
    Question,
)
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, MEMBER_STATUS_EXCLUDED, MEMBER_STATUS_LEFT, Member

_CARRIED = (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED)


async def read_member(gateway: Gateway, msp_id: str) -> Member:
    """A member, or the one company that applies and never was one. Raises UnknownMember, SeveralApplicants."""
    member = await read(gateway, keys.member(msp_id))
    if member is not None:
        return member
    applicants = await read_applicants(gateway, msp_id)
    if not applicants:
        raise UnknownMember(f"the ledger knows no member or applicant {msp_id}: zunft member list shows all")
    if len(applicants) > 1:
        sponsors = " and ".join(one.sponsor_msp_id for one in applicants)
        raise SeveralApplicants(
            f"{sponsors} have each put in a {msp_id}: zunft ballot list and zunft ballot show tell them apart"
        )
    return applicants[0]


async def read_applicants(gateway: Gateway, msp_id: str = "") -> list[Member]:
    """Applications that are not admitted, of this MSP id or of any; one for each sponsor."""
    return await read_all(gateway, f"application/{msp_id}".rstrip("/"), Member)


async def read_everybody(gateway: Gateway) -> list[Member]:
    """Members, former members, and applicants, without applicants whose MSP id a present member has."""
    members, applicants = await read_all(gateway, "member", Member), await read_applicants(gateway)
    there = {one.msp_id for one in members if is_there(one)}
    return [*members, *(one for one in applicants if one.msp_id not in there)]


async def read_questions(gateway: Gateway, msp_id: str = "") -> list[Question]:
    """Undecided questions about a member, or about any; also those whose ballots have lapsed."""
    found = await read_all(gateway, f"question/{msp_id}".rstrip("/"), Question)
    return [one for one in found if one.subject != BALLOT_SUBJECT_AMENDMENT and not one.is_decided]


def ballot_ids(record: Member, questions: Iterable[Question], now_s: float) -> list[str]:
    """The ids of the open ballots about a member, or about an application."""
    applies = record.status == MEMBER_STATUS_APPLIED
    found = [
        one
        for one in questions
        if one.msp_id == record.msp_id
        and applies == (one.subject == BALLOT_SUBJECT_ADMISSION)
        and one.sponsor_msp_id in ("", record.sponsor_msp_id)
    ]
    deadlines = {one.ballot_id: one.deadline_s for one in found}
    deadlines |= {one.ballot_id: one.deadline_s for one in noted_ballots(record)}
    return [ballot_id for ballot_id, deadline_s in deadlines.items() if deadline_s >= now_s]


async def decides(gateway: Gateway, ballot: Ballot) -> bool:
    """Whether the ballot is the one that is open on its question, or the latest carried one about its member."""
    member = await read(gateway, keys.member(ballot.msp_id))
    if member is not None and member.carried_ballot_id == ballot.ballot_id:
        return True
    if ballot.status != BALLOT_STATUS_OPEN:
        return False
    question = await read(gateway, question_key(ballot))
    if question is None:
        return member is not None and ballot.ballot_id in [one.ballot_id for one in noted_ballots(member)]
    return question.ballot_id == ballot.ballot_id and ballot.membership == _wanted_membership(ballot, member)


def _wanted_membership(ballot: Ballot, member: Member | None) -> int:
    """The membership that a ballot must be about: not an earlier one of a member that came back or was replaced."""
    if ballot.subject == BALLOT_SUBJECT_ADMISSION:
        return next_membership(member)
    return member.membership if member is not None else 0


async def read_bundle(gateway: Gateway, ballot: Ballot) -> OpenedBundle:
    """The bundle that the ballot on an admission names, with its signature checked again. Raises UnusableBundle.

    A ballot of an earlier contract names none: its bundle is the one that was put in last.
    """
    for key in (keys.application_bundle(ballot.msp_id, ballot.opened_by_msp_id), keys.bundle(ballot.msp_id)):
        signed = await read(gateway, key)
        if signed is not None and ballot.bundle_digest in (b"", bundle_digest(signed)):
            return open_bundle(signed.SerializeToString(), f"the bundle of {ballot.msp_id}")
    raise UnusableBundle(f"the bundle of {ballot.msp_id} is not the one that ballot {ballot.ballot_id[:16]} is on")


async def read_applicant(gateway: Gateway, ballot: Ballot) -> Member:
    """The company that the ballot on an admission is about: the application, or the member once it is admitted.

    Raises UnknownMember.
    """
    applicant = await read(gateway, keys.application(ballot.msp_id, ballot.opened_by_msp_id))
    return applicant or await read_member(gateway, ballot.msp_id)


async def admission_of(gateway: Gateway, msp_id: str, now_s: float, sponsor_msp_id: str = "") -> Ballot:
    """The ballot on a company's application, or the one that made it a member; of several the sponsor's.

    Raises UnknownMember, NoLongerMember, NoBallot, SeveralApplicants.
    """
    latest = await _latest_admissions(gateway, msp_id)
    if not latest:
        raise UnknownMember(f"nobody has put in a bundle of {msp_id}: have a sponsor put it in by zunft join propose")
    known, applicants = await read(gateway, keys.member(msp_id)), await read_applicants(gateway, msp_id)
    member = known or Member()
    if is_there(member):
        admitted = [one for one in latest if one.status in _CARRIED]
        return _newest(msp_id, admitted)
    if member.status == MEMBER_STATUS_EXCLUDED:
        raise NoLongerMember(f"{msp_id} was excluded: have the company apply under another MSP id to come back")
    if member.status == MEMBER_STATUS_APPLIED:
        applicants = [*applicants, member]
    sponsors = {one.sponsor_msp_id for one in applicants if sponsor_msp_id in ("", one.sponsor_msp_id)}
    if not sponsors and member.status == MEMBER_STATUS_LEFT:
        raise NoLongerMember(f"{msp_id} has left: have the company apply again by zunft join request to come back")
    found = [one for one in latest if one.opened_by_msp_id in sponsors]
    still_open = [one for one in found if one.status == BALLOT_STATUS_OPEN and one.deadline_s >= now_s]
    if len(still_open) > 1:
        named = " and ".join(f"{one.opened_by_msp_id} (ballot {one.ballot_id[:16]})" for one in still_open)
        raise SeveralApplicants(
            f"companies that both want to be {msp_id} were put in by {named}: compare the fingerprints, zunft ballot "
            "show, and name the right one's --sponsor"
        )
    return _newest(msp_id, still_open or found)


async def _latest_admissions(gateway: Gateway, msp_id: str) -> list[Ballot]:
    """The latest ballot on an admission of this MSP id for each sponsor."""
    latest: dict[str, Ballot] = {}
    for ballot in await ballots_about(gateway, msp_id, BALLOT_SUBJECT_ADMISSION):
        known = latest.get(ballot.opened_by_msp_id, ballot)
        latest[ballot.opened_by_msp_id] = max(known, ballot, key=_age)
    return list(latest.values())


async def newest_ballot(gateway: Gateway, msp_id: str, *subjects: BallotSubject) -> Ballot:
    """The latest ballot about a member, on one of these subjects. Raises NoBallot."""
    return _newest(msp_id, await ballots_about(gateway, msp_id, *subjects))


def _newest(msp_id: str, ballots: Sequence[Ballot]) -> Ballot:
    if not ballots:
        raise NoBallot(f"there is no ballot about {msp_id}: zunft ballot list shows all")
    return max(ballots, key=_age)


async def ballots_about(gateway: Gateway, msp_id: str, *subjects: BallotSubject) -> list[Ballot]:
    """All ballots about a member, on one of these subjects or on any, in the order of their ids."""
    ballots = [one async for one in read_each(gateway, "ballot/", Ballot) if one.msp_id == msp_id]
    return [one for one in ballots if not subjects or one.subject in subjects]


def _age(ballot: Ballot) -> tuple[int, str]:
    return ballot.opened_at_s, ballot.ballot_id


async def find_ballot(gateway: Gateway, prefix: str) -> Ballot:
    """The ballot whose id begins with `prefix`. Raises NoBallot unless there is exactly one."""
    return await find(gateway, "ballot", prefix, Ballot, error=NoBallot, command="zunft ballot list")
