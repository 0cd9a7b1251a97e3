"""Ballots: questions put to the members' admins, decided by the charter's thresholds, for everybody to see.

What a ballot decides takes effect with the vote that decides it. Where the channel's configuration has to change, too,
a vote in favour carries the admin's signature over that change, so that whoever casts the last one can hand it in.
"""

from __future__ import annotations

from google.protobuf.message import Message

from chaincode import keys
from chaincode.business import status_name
from chaincode.channel_edit import check_config_signatures, check_edit
from chaincode.checks import check_named
from chaincode.electorate import Electorate, ballot_period_s
from chaincode.errors import AnotherBallot, BallotClosed, MalformedRequest, VotedAlready, WrongStatus
from chaincode.keys import Key
from chaincode.relation import Relation, Stand
from chaincode.token import credited, move
from chaincode.transaction import Loaded, Transaction
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_STATUS_REJECTED,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    BALLOT_SUBJECT_REINSTATEMENT,
    BALLOT_SUBJECT_SUSPENSION,
    Ballot,
    BallotStatus,
    BallotSubject,
    CastVote,
    ExecuteBallot,
    RenewBallot,
)
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_APPLIED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    MEMBER_STATUS_SUSPENDED,
    Member,
    MemberStatus,
    OpenBallot,
)
from zunft.v1.token_pb2 import Posting

# In which status a member must be for a ballot to decide this about it.
_ABOUT: dict[BallotSubject, frozenset[MemberStatus]] = {
    BALLOT_SUBJECT_ADMISSION: frozenset({MEMBER_STATUS_APPLIED}),
    BALLOT_SUBJECT_DEPARTURE: frozenset({MEMBER_STATUS_LEAVING}),
    BALLOT_SUBJECT_EXCLUSION: frozenset(
        {MEMBER_STATUS_ADMITTED, MEMBER_STATUS_ACTIVE, MEMBER_STATUS_SUSPENDED, MEMBER_STATUS_LEAVING}
    ),
    BALLOT_SUBJECT_SUSPENSION: frozenset({MEMBER_STATUS_ACTIVE, MEMBER_STATUS_LEAVING}),
    BALLOT_SUBJECT_REINSTATEMENT: frozenset({MEMBER_STATUS_SUSPENDED}),
}
_STATUS_AFTER = {
    BALLOT_SUBJECT_ADMISSION: MEMBER_STATUS_ADMITTED,
    BALLOT_SUBJECT_DEPARTURE: MEMBER_STATUS_LEAVING,
    BALLOT_SUBJECT_EXCLUSION: MEMBER_STATUS_EXCLUDED,
    BALLOT_SUBJECT_SUSPENSION: MEMBER_STATUS_SUSPENDED,
}


async def vote(tx: Transaction, request: CastVote) -> Ballot:
    """ballot.vote: one vote of each member, before the deadline; the last one needed decides."""
    key, about = keys.ballot(request.ballot_id), _keys_about(request.msp_id)
    loaded = await tx.load(keys.CHARTER, key, *about)
    ballot = loaded.require(key)

    _check_about(ballot, request.msp_id)
    tx.check_relation(*_voters(tx, ballot, request))
    _check_takes_vote(tx, ballot, request)
    _check_still_the_question(loaded, ballot)
    _check_signed(tx, ballot, request)

    undecided = ballot.status == BALLOT_STATUS_OPEN
    ballot.votes.add(
        msp_id=tx.caller.msp_id,
        in_favour=request.in_favour,
        cast_at_s=tx.timestamp_s,
        config_signatures=request.config_signatures,
    )
    ballot.status = count(ballot)
    decided = undecided and ballot.status != BALLOT_STATUS_OPEN
    if decided:
        ballot.decided_at_s = tx.timestamp_s

    postings = _take_effect(tx, loaded, ballot) if decided else []
    return write(tx, "ballot.vote", ballot, postings)


async def renew(tx: Transaction, request: RenewBallot) -> Ballot:
    """ballot.renew: another edit in place of one that was computed from an older configuration.

    A vote in favour goes with the old edit, because its signature is over that: it has to be cast again. A vote against
    is not about the bytes and stays. What is carried stays carried, only its signatures are collected anew.
    """
    key = keys.ballot(request.ballot_id)
    loaded = await tx.load(key)
    ballot = loaded.require(key)

    check_edit(request.edit)
    if not ballot.HasField("edit"):
        raise WrongStatus("this ballot changes nothing in the channel's configuration")
    if ballot.status != BALLOT_STATUS_CARRIED:
        _check_open(tx, ballot)
    if request.edit.base_sequence <= ballot.edit.base_sequence:
        raise WrongStatus(
            f"the ballot's edit is of configuration {ballot.edit.base_sequence}: renew it only with one of a later"
        )

    against = [one for one in ballot.votes if not one.in_favour]
    del ballot.votes[:]
    ballot.votes.extend(against)
    ballot.edit.CopyFrom(request.edit)
    ballot.renewal_count += 1

    return write(tx, "ballot.renew", ballot)


async def execute(tx: Transaction, request: ExecuteBallot) -> Ballot:
    """ballot.execute: the channel's configuration is changed as a carried departure or exclusion demands.

    Whose departure it is has left from now on, and gets its deposit back. The contract cannot see the configuration;
    whoever sends this cannot decide anything that the members have not decided already.
    """
    key, about = keys.ballot(request.ballot_id), _keys_about(request.msp_id)
    loaded = await tx.load(key, *about)
    ballot = loaded.require(key)

    _check_about(ballot, request.msp_id)
    if ballot.subject not in (BALLOT_SUBJECT_DEPARTURE, BALLOT_SUBJECT_EXCLUSION):
        raise WrongStatus("only departures and exclusions are executed; an applicant activates itself: member.activate")
    member = loaded.require(keys.member(ballot.msp_id))
    check_executable(ballot, member)
    leaves = ballot.subject == BALLOT_SUBJECT_DEPARTURE
    if leaves and member.status != MEMBER_STATUS_LEAVING:
        raise WrongStatus(f"{member.msp_id} is {status_name(member)}: it cannot leave like that")

    ballot.status = BALLOT_STATUS_EXECUTED
    member.carried_ballot_id = ""
    member.left_at_s = tx.timestamp_s
    if leaves:
        member.status = MEMBER_STATUS_LEFT

    postings = _return_deposit(tx, loaded, member)
    tx.put(keys.member(member.msp_id), member)
    return write(tx, "ballot.execute", ballot, postings)


# --- for the transactions that open a ballot -------------------------------------------------------------------------


def check_subject(tx: Transaction, subject: BallotSubject, member: Member) -> None:
    """Whether a ballot can be opened on this about the member. Raises WrongStatus, AnotherBallot."""
    _check_status(subject, member)
    check_no_other(tx, member)


def check_no_other(tx: Transaction, member: Member) -> None:
    """Raises AnotherBallot."""
    if is_put_to_vote(tx, member):
        raise AnotherBallot(
            f"ballot {member.open_ballot.ballot_id[:16]} about {member.msp_id} is open: wait until it is decided"
        )


def is_put_to_vote(tx: Transaction, member: Member) -> bool:
    """Whether a ballot about it is open."""
    return member.HasField("open_ballot") and tx.timestamp_s <= member.open_ballot.deadline_s


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
    """The member's record, with the ballot about it."""
    member.open_ballot.CopyFrom(OpenBallot(ballot_id=ballot.ballot_id, deadline_s=ballot.deadline_s))
    tx.put(keys.member(member.msp_id), member)


def check_executable(ballot: Ballot, member: Member) -> None:
    """Carried and not overtaken, with the signatures that its edit needs. Raises WrongStatus."""
    if ballot.ballot_id != member.carried_ballot_id:
        raise WrongStatus("the ballot is not carried, or is executed already, or a later one took its place")
    if _in_favour(ballot) < ballot.needed_approvals:
        raise WrongStatus(f"{_in_favour(ballot)} of {ballot.needed_approvals} approvals are there: vote first")


def write(tx: Transaction, name: str, ballot: Ballot, postings: list[Posting] | None = None) -> Ballot:
    tx.put(keys.ballot(ballot.ballot_id), ballot)
    concerned = [ballot.msp_id] if ballot.msp_id else []
    tx.emit(name, msp_ids=[tx.caller.msp_id, *concerned], postings=postings or [])
    return ballot


# --- CHECK ----------------------------------------------------------------------------------------------------------


def _check_about(ballot: Ballot, named_msp_id: str) -> None:
    check_named(named_msp_id or "nobody", ballot.msp_id or "nobody")


def _voters(tx: Transaction, ballot: Ballot, request: CastVote) -> list[Stand]:
    """Where only signatures are missing, members that joined meanwhile may sign, too."""
    voters = list(ballot.voter_msp_ids)
    if _only_signs(ballot, request) and tx.caller.msp_id != ballot.msp_id:
        voters.append(tx.caller.msp_id)
    return [(Relation.VOTER, msp_id) for msp_id in voters]


def _check_takes_vote(tx: Transaction, ballot: Ballot, request: CastVote) -> None:
    """Where only signatures are missing, there is no deadline any more."""
    msp_id = tx.caller.msp_id
    if msp_id in [one.msp_id for one in ballot.votes]:
        raise VotedAlready(f"{msp_id} has voted already: each member has one vote")
    if not _only_signs(ballot, request):
        _check_open(tx, ballot)


def _only_signs(ballot: Ballot, request: CastVote) -> bool:
    """Whether the vote decides nothing any more, and its signatures are asked for."""
    return ballot.status == BALLOT_STATUS_CARRIED and ballot.HasField("edit") and request.in_favour


def _check_open(tx: Transaction, ballot: Ballot) -> None:
    if ballot.status != BALLOT_STATUS_OPEN:
        status = BallotStatus.Name(ballot.status).removeprefix("BALLOT_STATUS_").lower()
        raise BallotClosed(f"the ballot is {status}")
    if tx.timestamp_s > ballot.deadline_s:
        raise BallotClosed(f"the deadline passed {tx.timestamp_s - ballot.deadline_s} s ago: open another ballot")


def _check_still_the_question(loaded: Loaded, ballot: Ballot) -> None:
    """While the ballot was open something else may have changed what it is about."""
    if ballot.status != BALLOT_STATUS_OPEN:
        return
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        check_next_version(loaded.require(keys.CHARTER), ballot.charter)
    else:
        _check_status(ballot.subject, loaded.require(keys.member(ballot.msp_id)))


def check_next_version(charter: Charter, proposed: Charter) -> None:
    """Raises WrongStatus."""
    if proposed.version != charter.version + 1:
        raise WrongStatus(f"the charter is at version {charter.version}: propose version {charter.version + 1}")


def _check_status(subject: BallotSubject, member: Member) -> None:
    """Whose exclusion is carried can be put to the vote again as long as the channel's configuration still has it."""
    removable = subject == BALLOT_SUBJECT_EXCLUSION and member.carried_ballot_id
    excluded = member.status == MEMBER_STATUS_EXCLUDED
    if not (removable if excluded else member.status in _ABOUT[subject]):
        name = BallotSubject.Name(subject).removeprefix("BALLOT_SUBJECT_").lower()
        raise WrongStatus(f"{member.msp_id} is {status_name(member)}: there is nothing to decide about its {name}")


def _check_signed(tx: Transaction, ballot: Ballot, request: CastVote) -> None:
    if ballot.HasField("edit") and request.in_favour:
        check_config_signatures(tx, ballot.edit, request.config_signatures)
    elif request.config_signatures:
        raise MalformedRequest("this vote needs no signature of a configuration update")


# --- COMPUTE --------------------------------------------------------------------------------------------------------


def count(ballot: Ballot) -> BallotStatus:
    """The status after the latest vote; what is carried stays so."""
    if ballot.status == BALLOT_STATUS_OPEN:
        against = len(ballot.votes) - _in_favour(ballot)
        if _in_favour(ballot) >= ballot.needed_approvals:
            return BALLOT_STATUS_CARRIED
        if len(ballot.voter_msp_ids) - against < ballot.needed_approvals:
            return BALLOT_STATUS_REJECTED
    return ballot.status


def _in_favour(ballot: Ballot) -> int:
    return sum(one.in_favour for one in ballot.votes)


# --- WRITE ----------------------------------------------------------------------------------------------------------


def _take_effect(tx: Transaction, loaded: Loaded, ballot: Ballot) -> list[Posting]:
    """What the deciding vote changes besides the ballot."""
    carried = ballot.status == BALLOT_STATUS_CARRIED
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        if carried:
            tx.put(keys.CHARTER, ballot.charter)
        return []
    member = loaded.require(keys.member(ballot.msp_id))
    member.ClearField("open_ballot")
    postings: list[Posting] = []
    if carried:
        member.status = _status_after(ballot.subject, member)
        if ballot.HasField("edit"):
            member.carried_ballot_id = ballot.ballot_id
    if member.status == MEMBER_STATUS_EXCLUDED:
        postings = _return_deposit(tx, loaded, member)
    tx.put(keys.member(member.msp_id), member)
    return postings


def _status_after(subject: BallotSubject, member: Member) -> MemberStatus:
    if subject == BALLOT_SUBJECT_REINSTATEMENT:
        return MEMBER_STATUS_LEAVING if member.depart_not_before_s else MEMBER_STATUS_ACTIVE
    return _STATUS_AFTER[subject]


def _return_deposit(tx: Transaction, loaded: Loaded, member: Member) -> list[Posting]:
    """Into the balance, from which the issuer redeems for who is gone."""
    balance_key = keys.balance(member.msp_id)
    amount_micro, member.deposit_micro = member.deposit_micro, 0
    if not amount_micro:
        return []
    tx.put(balance_key, credited(loaded, member.msp_id, amount_micro))
    return [move(deposit_account(member.msp_id), balance_key.name, amount_micro)]


def deposit_account(msp_id: str) -> str:
    return f"deposit/{msp_id}"


def _keys_about(msp_id: str) -> tuple[Key[Message], ...]:
    """What a decision about a member may change; an amendment is about none."""
    return (keys.member(msp_id), keys.balance(msp_id)) if msp_id else ()
