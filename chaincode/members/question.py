"""A question that can be put to the vote: which ballot on it counts, and who may open the next one.

It has a record of its own. Whoever opens ballots thus changes nothing that a vote on another question reads, nor any
other transaction of the member that it is about. An application is a question of each sponsor's, an amendment one of
each member's, so nobody waits for what another has put to the vote.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.checks import format_duration
from chaincode.errors import AnotherBallot, AskedBefore, BallotClosed
from chaincode.keys import Key
from chaincode.transaction import Loaded, Transaction
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    BALLOT_SUBJECT_UNSPECIFIED,
    Asker,
    Ballot,
    Question,
)
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, Member, OpenBallot

# A voter's clock may be 300 s behind, and the next opener's as much ahead: the one votes before the other opens.
LAPSES_AFTER_S = 600


def question_key(ballot: Ballot) -> Key[Question]:
    """Where the question stands that the ballot is on."""
    if ballot.subject == BALLOT_SUBJECT_ADMISSION:
        return keys.question(ballot.msp_id, ballot.subject, ballot.opened_by_msp_id)
    return keys.question(ballot.msp_id or ballot.opened_by_msp_id, ballot.subject)


async def load_question(tx: Transaction, ballot: Ballot, member: Member | None) -> Question:
    """As it stands before the ballot, a proposed or an open one; `member` is what it is about, where there is one."""
    key = question_key(ballot)
    return found_question(await tx.load(key), ballot, member)


def found_question(loaded: Loaded, ballot: Ballot, member: Member | None) -> Question:
    """The record; of a question that was put to the vote by an earlier contract, what that has left of it."""
    return loaded.find(question_key(ballot)) or _of_an_earlier_contract(ballot, member)


def check_may_open(tx: Transaction, question: Question, ballot: Ballot) -> None:
    """Whether the caller may open this ballot now. Raises AnotherBallot, AskedBefore."""
    check_no_other(tx, question, ballot)
    check_asked_long_ago(tx, question, ballot)


def check_no_other(tx: Transaction, question: Question, ballot: Ballot) -> None:
    """Raises AnotherBallot."""
    if question.edition == _edition(ballot) and is_open(question, tx.timestamp_s):
        waits_s = question.deadline_s + LAPSES_AFTER_S - tx.timestamp_s
        raise AnotherBallot(
            f"ballot {question.ballot_id[:16]} on this is open: vote on that one, or wait until it is decided, or has "
            f"lapsed in {format_duration(waits_s)}"
        )


def check_asked_long_ago(tx: Transaction, question: Question, ballot: Ballot) -> None:
    """Nobody opens ballots in vain again and again: those are writes that others wait for. Raises AskedBefore."""
    for one in question.askers if question.edition == _edition(ballot) else ():
        if one.msp_id == tx.caller.msp_id and tx.timestamp_s < one.not_before_s:
            waits = format_duration(one.not_before_s - tx.timestamp_s)
            raise AskedBefore(
                f"{one.msp_id} has put this to the vote already, in vain: wait {waits} before you put it again, or "
                "have another member do it"
            )


def is_open(question: Question, now_s: int) -> bool:
    """Whether there is a ballot on it that is not decided, and has not lapsed for anybody's clock."""
    return bool(question.ballot_id) and not question.is_decided and now_s <= question.deadline_s + LAPSES_AFTER_S


def put_opened(tx: Transaction, before: Question, ballot: Ballot) -> None:
    """The ballot is the one that counts, and its opener waits for a ballot's period unless it is carried."""
    still = before.askers if before.edition == _edition(ballot) else ()
    others = [one for one in still if one.msp_id != ballot.opened_by_msp_id and tx.timestamp_s < one.not_before_s]
    question = Question(
        msp_id=ballot.msp_id or ballot.opened_by_msp_id,
        subject=ballot.subject,
        ballot_id=ballot.ballot_id,
        deadline_s=ballot.deadline_s,
        edition=_edition(ballot),
        sponsor_msp_id=ballot.opened_by_msp_id if ballot.subject == BALLOT_SUBJECT_ADMISSION else "",
        askers=[*others, Asker(msp_id=ballot.opened_by_msp_id, not_before_s=ballot.deadline_s)],
    )
    tx.put(question_key(ballot), question)


def check_counts(question: Question, ballot: Ballot) -> None:
    """Whether votes on this ballot count, or a later one took its place. Raises BallotClosed."""
    if question.ballot_id != ballot.ballot_id:
        raise BallotClosed("a later ballot on the same took its place: vote on that one")


def put_decided(tx: Transaction, question: Question, ballot: Ballot) -> None:
    """Whose question was carried may put another like it at once."""
    question.is_decided = True
    if ballot.status == BALLOT_STATUS_CARRIED:
        others = [one for one in question.askers if one.msp_id != ballot.opened_by_msp_id]
        del question.askers[:]
        question.askers.extend(others)
    tx.put(question_key(ballot), question)


def noted_ballots(member: Member) -> list[OpenBallot]:
    """In the member's record by an earlier contract: those about it that are not decided, or have lapsed."""
    return [*member.open_ballots, *([member.open_ballot] if member.HasField("open_ballot") else [])]


def _edition(ballot: Ballot) -> int:
    """Of what the ballot is about: it is overtaken by another membership, or another version of the charter."""
    return ballot.charter.version if ballot.subject == BALLOT_SUBJECT_AMENDMENT else ballot.membership


def _of_an_earlier_contract(ballot: Ballot, member: Member | None) -> Question:
    """An amendment was noted nowhere; a member's record notes the others, the oldest contract's without a subject."""
    question = Question(msp_id=ballot.msp_id, subject=ballot.subject, edition=_edition(ballot))
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        question.msp_id, question.ballot_id = ballot.opened_by_msp_id, ballot.ballot_id
        question.deadline_s = ballot.deadline_s
    elif member is not None and _may_note(member, ballot):
        noted = [one for one in noted_ballots(member) if one.subject in (ballot.subject, BALLOT_SUBJECT_UNSPECIFIED)]
        for one in [one for one in noted if one.ballot_id == ballot.ballot_id] or noted[-1:]:
            question.ballot_id, question.deadline_s = one.ballot_id, one.deadline_s
    return question


def _may_note(member: Member, ballot: Ballot) -> bool:
    """An application that an earlier contract took has the member's own record, and one sponsor."""
    if ballot.subject != BALLOT_SUBJECT_ADMISSION:
        return True
    return member.status == MEMBER_STATUS_APPLIED and member.sponsor_msp_id == ballot.opened_by_msp_id
