"""How a ballot is opened: a question about a member, or the charter, that nobody else has put to the vote already."""

from __future__ import annotations

from chaincode import keys
from chaincode.business import status_name
from chaincode.electorate import Electorate, ballot_period_s
from chaincode.errors import AnotherBallot, WrongStatus
from chaincode.transaction import Transaction
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    BALLOT_SUBJECT_REINSTATEMENT,
    BALLOT_SUBJECT_SUSPENSION,
    BALLOT_SUBJECT_UNSPECIFIED,
    Ballot,
    BallotSubject,
)
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_APPLIED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_SUSPENDED,
    Member,
    MemberStatus,
    OpenBallot,
)

# In which status a member must be for a ballot to decide this about it.
_ABOUT: dict[BallotSubject, frozenset[MemberStatus]] = {
    BALLOT_SUBJECT_ADMISSION: frozenset({MEMBER_STATUS_APPLIED}),
    BALLOT_SUBJECT_DEPARTURE: frozenset({MEMBER_STATUS_LEAVING}),
    BALLOT_SUBJECT_EXCLUSION: frozenset(
        {
            MEMBER_STATUS_ADMITTED,
            MEMBER_STATUS_ACTIVE,
            MEMBER_STATUS_SUSPENDED,
            MEMBER_STATUS_LEAVING,
            # Again, where the channel's configuration still has it, which no contract can see.
            MEMBER_STATUS_EXCLUDED,
        }
    ),
    BALLOT_SUBJECT_SUSPENSION: frozenset({MEMBER_STATUS_ACTIVE, MEMBER_STATUS_LEAVING}),
    BALLOT_SUBJECT_REINSTATEMENT: frozenset({MEMBER_STATUS_SUSPENDED}),
}


def check_subject(tx: Transaction, subject: BallotSubject, member: Member) -> None:
    """Whether a ballot can be opened on this about the member. Raises WrongStatus, AnotherBallot."""
    check_status(subject, member)
    check_no_other(tx, subject, member)


def check_no_other(tx: Transaction, subject: BallotSubject, member: Member) -> None:
    """On the same question: one on another cannot stand in its way. Raises AnotherBallot."""
    for one in open_ballots(tx, member):
        if one.subject in (subject, BALLOT_SUBJECT_UNSPECIFIED):
            raise AnotherBallot(
                f"ballot {one.ballot_id[:16]} on this about {member.msp_id} is open: vote on that one, or wait until "
                "it is decided"
            )


def is_put_to_vote(tx: Transaction, member: Member) -> bool:
    """Whether a ballot about it is open."""
    return bool(open_ballots(tx, member))


def open_ballots(tx: Transaction, member: Member) -> list[OpenBallot]:
    """Those about it whose deadline has not passed; one that an earlier contract has opened names no subject."""
    noted = [*member.open_ballots, *([member.open_ballot] if member.HasField("open_ballot") else [])]
    return [one for one in noted if tx.timestamp_s <= one.deadline_s]


def new_ballot(tx: Transaction, charter: Charter, electorate: Electorate, ballot: Ballot) -> Ballot:
    """An open ballot on the subject that `ballot` holds. Raises WrongStatus where it could never be carried."""
    voters, needed = electorate.voters(ballot.msp_id), electorate.needed_approvals(charter.voting, ballot)
    if needed > len(voters):
        raise WrongStatus(f"{needed} members must approve, and only {len(voters)} can vote: nobody could carry this")
    opened = Ballot(
        ballot_id=tx.stub.tx_id,
        status=BALLOT_STATUS_OPEN,
        opened_by_msp_id=tx.caller.msp_id,
        opened_at_s=tx.timestamp_s,
        deadline_s=tx.timestamp_s + ballot_period_s(charter.voting),
        voter_msp_ids=voters,
        needed_approvals=needed,
    )
    opened.MergeFrom(ballot)
    return opened


def put_subject(tx: Transaction, member: Member, ballot: Ballot) -> None:
    """The member's record, with the ballot about it; what has lapsed is noted no more."""
    still = [one for one in member.open_ballots if tx.timestamp_s <= one.deadline_s]
    opened = OpenBallot(ballot_id=ballot.ballot_id, deadline_s=ballot.deadline_s, subject=ballot.subject)
    del member.open_ballots[:]
    member.open_ballots.extend([*still, opened])
    tx.put(keys.member(member.msp_id), member)


def check_status(subject: BallotSubject, member: Member) -> None:
    """Whether there is anything to decide on this about the member. Raises WrongStatus."""
    if member.status not in _ABOUT[subject]:
        name = BallotSubject.Name(subject).removeprefix("BALLOT_SUBJECT_").lower()
        raise WrongStatus(f"{member.msp_id} is {status_name(member)}: there is nothing to decide about its {name}")
