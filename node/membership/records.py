"""What the ledger says of members and ballots."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from google.protobuf.message import Message

from chaincode import keys
from chaincode.bundle import bundle_digest
from chaincode.errors import NotFound
from chaincode.keys import Key
from network.bundle import OpenedBundle, open_bundle
from network.errors import UnusableBundle
from node.ledger.gateway import Gateway
from node.membership.errors import NoBallot, NoLongerMember, UnknownMember
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_ADMISSION, Ballot, BallotSubject
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED, MEMBER_STATUS_LEFT, Member, OpenBallot
from zunft.v1.record_pb2 import ListKeys, ReadKey, Record, Records

M = TypeVar("M", bound=Message)


async def read(gateway: Gateway, key: Key[M]) -> M | None:
    """A public record; None where there is none. Raises LedgerError."""
    try:
        answer = await gateway.evaluate("record.read", ReadKey(key=key.name))
    except NotFound:
        return None
    return key.message.FromString(Record.FromString(answer).value)


async def read_each(gateway: Gateway, prefix: str, message: type[M]) -> AsyncIterator[M]:
    """Public records whose key begins so, in key order, page after page. Raises LedgerError."""
    request, more = ListKeys(prefix=prefix), True
    while more:
        page = Records.FromString(await gateway.evaluate("record.list", request))
        for record in page.records:
            yield message.FromString(record.value)
        more = page.more and bool(page.records)
        request.after = page.records[-1].key if page.records else ""


async def read_all(gateway: Gateway, noun: str, message: type[M]) -> list[M]:
    """All public records of a noun, in key order. Raises LedgerError."""
    return [one async for one in read_each(gateway, f"{noun}/", message)]


async def read_member(gateway: Gateway, msp_id: str) -> Member:
    """Raises UnknownMember."""
    member = await read(gateway, keys.member(msp_id))
    if member is None:
        raise UnknownMember(f"the ledger knows no member or applicant {msp_id}: zunft member list")
    return member


async def read_opened_bundle(gateway: Gateway, msp_id: str) -> OpenedBundle:
    """The applicant's latest that was put in, its signature checked again. Raises UnknownMember, UnusableBundle."""
    signed = await read(gateway, keys.bundle(msp_id))
    if signed is None:
        raise UnknownMember(f"nobody has put in a bundle of {msp_id}: zunft join propose")
    return open_bundle(signed.SerializeToString(), f"the bundle of {msp_id}")


def ballot_ids(member: Member) -> list[str]:
    """Of its carried ballot, and of those about it that are open or have lapsed."""
    carried = [member.carried_ballot_id] if member.carried_ballot_id else []
    return [*carried, *(one.ballot_id for one in opened_ballots(member))]


def opened_ballots(member: Member) -> list[OpenBallot]:
    """Those about it that are not decided, some of which may have lapsed; by an earlier contract there is one."""
    return [*member.open_ballots, *([member.open_ballot] if member.HasField("open_ballot") else [])]


async def read_bundle(gateway: Gateway, ballot: Ballot) -> OpenedBundle:
    """The one that the ballot on an admission is on, and no other. Raises UnusableBundle.

    A ballot that an earlier contract has opened names none: there it is the one that was put in last.
    """
    signed = await read(gateway, keys.bundle(ballot.msp_id))
    if signed is None or ballot.bundle_digest not in (b"", bundle_digest(signed)):
        raise UnusableBundle(f"the bundle of {ballot.msp_id} is not the one that ballot {ballot.ballot_id[:16]} is on")
    return open_bundle(signed.SerializeToString(), f"the bundle of {ballot.msp_id}")


async def newest_admission(gateway: Gateway, msp_id: str) -> Ballot:
    """On a company's latest application. Raises UnknownMember, NoLongerMember, NoBallot."""
    member = await read_member(gateway, msp_id)
    if member.status == MEMBER_STATUS_EXCLUDED:
        raise NoLongerMember(f"{msp_id} was excluded: to come back the company applies under another MSP id")
    if member.status == MEMBER_STATUS_LEFT:
        raise NoLongerMember(f"{msp_id} has left: to come back it applies again, zunft join request")
    return await newest_ballot(gateway, msp_id, BALLOT_SUBJECT_ADMISSION)


async def newest_ballot(gateway: Gateway, msp_id: str, *subjects: BallotSubject) -> Ballot:
    """The latest about a member, on one of these subjects. Raises NoBallot."""
    ballots = [one async for one in read_each(gateway, "ballot/", Ballot) if one.msp_id == msp_id]
    wanted = [one for one in ballots if not subjects or one.subject in subjects]
    if not wanted:
        raise NoBallot(f"there is no ballot about {msp_id}: zunft ballot list shows all")
    return max(wanted, key=lambda one: (one.opened_at_s, one.ballot_id))


async def find_ballot(gateway: Gateway, prefix: str) -> Ballot:
    """By the beginning of its id. Raises NoBallot."""
    if not prefix:
        raise NoBallot("no ballot is named: zunft ballot list shows the ids of all")
    found = [one async for one in read_each(gateway, f"ballot/{prefix}", Ballot)]
    if len(found) != 1:
        raise NoBallot(f"{len(found)} ballots begin with {prefix!r}: zunft ballot list shows all")
    return found[0]
