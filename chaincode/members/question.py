"""A question that can be put to the vote: the ballot on it that counts, and the members that must wait to ask again.

It has a record of its own. So opening a ballot changes no record that a vote on another question reads, or any other
transaction of the member in question. Each sponsor's application is a question of its own, and so is each member's
amendment, so nobody waits for another one's ballot.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.checks import format_duration
from chaincode.errors import AnotherBallot, AskedBefore, BallotClosed
from chaincode.keys import Key
from chaincode.transaction_context import Loaded, TransactionContext
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

# A voter's clock may be 300 s behind, and the next opener's 300 s ahead; the vote still has to come first.
LAPSES_AFTER_S = 600


def question_key(ballot: Ballot) -> Key[Question]:
    """The key of the question that the ballot is on."""
    if ballot.subject == BALLOT_SUBJECT_ADMISSION:
        return keys.question(ballot.msp_id, ballot.subject, ballot.opened_by_msp_id)
    return keys.question(ballot.msp_id or ballot.opened_by_msp_id, ballot.subject)


async def load_question(tx: TransactionContext, ballot: Ballot, member: Member | None) -> Question:
    """The question of a proposed or an open ballot; `member` is the member that it is about, where there is one."""
    key = question_key(ballot)
    return found_question(await tx.load(key), ballot, member)


def found_question(loaded: Loaded, ballot: Ballot, member: Member | None) -> Question:
    """The question's record, or one made from the notes of an earlier contract."""
    return loaded.find(question_key(ballot)) or _of_an_earlier_contract(ballot, member)


def check_may_open(tx: TransactionContext, question: Question, ballot: Ballot) -> None:
    """Checks that the caller may open this ballot now. Raises AnotherBallot, AskedBefore."""
    check_no_other(tx, question, ballot)
    check_asked_long_ago(tx, question, ballot)


def check_no_other(tx: TransactionContext, question: Question, ballot: Ballot) -> None:
    """Checks that no other ballot on the question is open. Raises AnotherBallot."""
    if question.edition == _edition(ballot) and is_open(question, tx.timestamp_s):
        waits_s = question.deadline_s + LAPSES_AFTER_S - tx.timestamp_s
        raise AnotherBallot(
            f"ballot {question.ballot_id[:16]} on this is open: vote on that one, or wait until it is decided, or has "
            f"lapsed in {format_duration(waits_s)}"
        )


def check_asked_long_ago(tx: TransactionContext, question: Question, ballot: Ballot) -> None:
    """Checks that the caller has not put the question to the vote in vain of late. Raises AskedBefore.

    Each ballot is a write for which others wait.
    """
    for one in question.askers if question.edition == _edition(ballot) else ():
        if one.msp_id == tx.caller.msp_id and tx.timestamp_s < one.not_before_s:
            waits = format_duration(one.not_before_s - tx.timestamp_s)
            raise AskedBefore(
                f"{one.msp_id} has put this to the vote already, in vain: wait {waits} before you put it again, or "
                "have another member do it"
            )


def is_open(question: Question, now_s: int) -> bool:
    """Whether there is a ballot on it that is not decided, and has not lapsed by anybody's clock."""
    return bool(question.ballot_id) and not question.is_decided and now_s <= question.deadline_s + LAPSES_AFTER_S


def put_opened(tx: TransactionContext, before: Question, ballot: Ballot) -> None:
    """Notes that this ballot counts, and that its opener waits for a ballot's period unless it is carried."""
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
    """Checks that votes on this ballot count, and that no later one took its place. Raises BallotClosed."""
    if question.ballot_id != ballot.ballot_id:
        raise BallotClosed("a later ballot on the same took its place: vote on that one")


def put_decided(tx: TransactionContext, question: Question, ballot: Ballot) -> None:
    """Notes that the question is decided; if it is carried, its opener may ask such a question again at once."""
    question.is_decided = True
    if ballot.status == BALLOT_STATUS_CARRIED:
        others = [one for one in question.askers if one.msp_id != ballot.opened_by_msp_id]
        del question.askers[:]
        question.askers.extend(others)
    tx.put(question_key(ballot), question)


def noted_ballots(member: Member) -> list[OpenBallot]:
    """The ballots about the member that an earlier contract noted in its record: undecided ones and lapsed ones."""
    return [*member.open_ballots, *([member.open_ballot] if member.HasField("open_ballot") else [])]


def _edition(ballot: Ballot) -> int:
    """The edition of the ballot's subject: the number of the membership, or the version of the charter."""
    return ballot.charter.version if ballot.subject == BALLOT_SUBJECT_AMENDMENT else ballot.membership


def _of_an_earlier_contract(ballot: Ballot, member: Member | None) -> Question:
    """The question, made from the notes of an earlier contract.

    They are in the member's record, those of the oldest contract without a subject; for an amendment there are none.
    """
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
    """Whether the record may have a note on this ballot; an earlier contract's application has one sponsor."""
    if ballot.subject != BALLOT_SUBJECT_ADMISSION:
        return True
    return member.status == MEMBER_STATUS_APPLIED and member.sponsor_msp_id == ballot.opened_by_msp_id
