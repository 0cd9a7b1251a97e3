"""The opening of a ballot: its question, its voters, the approvals that it needs, its deadline."""

from __future__ import annotations

from chaincode.errors import WrongStatus
from chaincode.members.channel_edit import edit_digest
from chaincode.members.electorate import (
    Electorate,
    ballot_period_s,
)
from chaincode.rights.business import status_name
from chaincode.transaction_context import TransactionContext
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    BALLOT_SUBJECT_REINSTATEMENT,
    BALLOT_SUBJECT_SUSPENSION,
    Ballot,
    BallotSubject,
)
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_SUSPENDED,
    DepartMember,
    Member,
    MemberStatus,
)

# The statuses that a member must have so that a ballot on this subject can decide about it.
_ABOUT: dict[BallotSubject, frozenset[MemberStatus]] = {
    BALLOT_SUBJECT_DEPARTURE: frozenset({MEMBER_STATUS_LEAVING}),
    BALLOT_SUBJECT_EXCLUSION: frozenset(
        {
            MEMBER_STATUS_ADMITTED,
            MEMBER_STATUS_ACTIVE,
            MEMBER_STATUS_SUSPENDED,
            MEMBER_STATUS_LEAVING,
            # Once more, where the channel's configuration still has the member, which no contract can see.
            MEMBER_STATUS_EXCLUDED,
        }
    ),
    BALLOT_SUBJECT_SUSPENSION: frozenset({MEMBER_STATUS_ACTIVE, MEMBER_STATUS_LEAVING}),
    BALLOT_SUBJECT_REINSTATEMENT: frozenset({MEMBER_STATUS_SUSPENDED}),
}


def proposal(tx: TransactionContext, subject: BallotSubject, member: Member) -> Ballot:
    """A ballot about a member before it is opened: its subject, its opener, and the number of the membership."""
    return Ballot(
        subject=subject, msp_id=member.msp_id, membership=member.membership, opened_by_msp_id=tx.caller.msp_id
    )


def new_ballot(tx: TransactionContext, charter: Charter, electorate: Electorate, proposed: Ballot) -> Ballot:
    """The ballot, opened. Raises WrongStatus where it could never be carried."""
    opened = _opened(tx, charter, electorate, proposed)
    needed, voter_count = opened.needed_approvals, len(opened.voter_msp_ids)
    if needed > voter_count:
        raise WrongStatus(
            f"{needed} members must approve, and only {voter_count} can vote: nobody could carry this; have suspended "
            "members reinstated, or the charter's threshold amended"
        )
    return opened


def departure(
    tx: TransactionContext, charter: Charter, electorate: Electorate, proposed: Ballot, request: DepartMember
) -> Ballot:
    """The carried ballot that collects signatures for a leaver's removal. It has the leaver's; nobody can reject it."""
    ballot = _opened(tx, charter, electorate, proposed)
    ballot.status, ballot.decided_at_s = BALLOT_STATUS_CARRIED, tx.timestamp_s
    own = edit_digest(request.update_digests)
    ballot.votes.add(msp_id=tx.caller.msp_id, in_favour=True, cast_at_s=tx.timestamp_s, edit_digest=own)
    return ballot


def _opened(tx: TransactionContext, charter: Charter, electorate: Electorate, proposed: Ballot) -> Ballot:
    opened = Ballot(
        ballot_id=tx.stub.tx_id,
        status=BALLOT_STATUS_OPEN,
        opened_at_s=tx.timestamp_s,
        deadline_s=tx.timestamp_s + ballot_period_s(charter.voting),
        voter_msp_ids=electorate.voters(proposed.msp_id),
        needed_approvals=electorate.needed_approvals(charter.voting, proposed),
    )
    opened.MergeFrom(proposed)
    return opened


def check_status(subject: BallotSubject, member: Member) -> None:
    """Checks that a ballot on this subject can decide anything about the member. Raises WrongStatus."""
    if member.status not in _ABOUT[subject]:
        name = BallotSubject.Name(subject).removeprefix("BALLOT_SUBJECT_").lower()
        raise WrongStatus(f"{member.msp_id} is {status_name(member)}: there is nothing to decide about its {name}")


def check_same_membership(ballot: Ballot, member: Member) -> None:
    """Checks that the member has not left and come back since the ballot was opened. Raises WrongStatus."""
    if ballot.membership != member.membership:
        raise WrongStatus(f"{member.msp_id} has left and come back since the ballot was opened: open another")
