"""Ballots: questions to the members' admins, decided by the charter's thresholds, with a public result.

A decision takes effect with the vote that decides it. Where the channel's configuration has to change, too, a vote in
favour has the admin's signatures over that change, so that the member with the last vote can submit the change. A vote
is on the question and stays; signatures are beside it, and are made again where the configuration has changed.
"""

from __future__ import annotations

from google.protobuf.message import Message

from chaincode import keys
from chaincode.checks import check_named, format_duration
from chaincode.errors import BallotClosed, MalformedRequest, VotedAlready, WrongStatus
from chaincode.keys import Key
from chaincode.members.application import (
    Application,
    check_next_membership,
    put_admitted,
)
from chaincode.members.channel_edit import (
    changes_channel,
    check_config_signatures,
    edit_digest,
    put_signatures,
)
from chaincode.members.deciding_vote import check_carried as check_carried_now
from chaincode.members.electorate import (
    Electorate,
    load_electorate,
    put_electorate,
)
from chaincode.members.opening import (
    check_same_membership,
    check_status,
)
from chaincode.members.question import (
    check_counts,
    load_question,
    noted_ballots,
    put_decided,
)
from chaincode.members.status import (
    ABSENT,
    note_suspension,
)
from chaincode.rights.relation import (
    RelatedMember,
    Relation,
)
from chaincode.transaction_context import Loaded, TransactionContext
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
    EditSignatures,
    ExecuteBallot,
    SignBallot,
    Vote,
)
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    MEMBER_STATUS_SUSPENDED,
    Member,
    MemberStatus,
)

_STATUS_AFTER = {
    BALLOT_SUBJECT_DEPARTURE: MEMBER_STATUS_LEFT,
    BALLOT_SUBJECT_EXCLUSION: MEMBER_STATUS_EXCLUDED,
    BALLOT_SUBJECT_SUSPENSION: MEMBER_STATUS_SUSPENDED,
}


async def vote(tx: TransactionContext, request: CastVote) -> Ballot:
    """ballot.vote: each member casts one vote before the deadline; the last one that is needed decides.

    It reads no record that a minority could change again and again to block the vote.
    """
    key, about = keys.ballot(request.ballot_id), _keys_about(request.msp_id)
    loaded = await tx.load(keys.CHARTER, key, *about)
    electorate = await load_electorate(tx)
    ballot = loaded.require(key)
    member = _about(loaded, request.msp_id)
    question = await load_question(tx, ballot, member)

    _check_about(ballot, request.msp_id)
    tx.check_relation(*_voters(tx, ballot, request))
    _check_takes_vote(tx, member, ballot, request)
    if ballot.status == BALLOT_STATUS_OPEN:
        check_counts(question, ballot)
        _check_still_the_question(loaded, member, ballot)
    _check_signed(tx, ballot, request)
    application = await check_carried_now(tx, loaded, member, ballot) if _carries(ballot, request) else None

    undecided = ballot.status == BALLOT_STATUS_OPEN
    ballot.votes.append(_vote(tx, ballot, request))
    ballot.status = count(ballot)
    decided = undecided and ballot.status != BALLOT_STATUS_OPEN
    if decided:
        ballot.decided_at_s = tx.timestamp_s

    if decided:
        put_decided(tx, question, ballot)
        _take_effect(tx, electorate, member, application, ballot)
    if request.update_digests:
        put_signatures(tx, ballot.ballot_id, request)
    return write(tx, "ballot.vote", ballot)


async def sign(tx: TransactionContext, request: SignBallot) -> EditSignatures:
    """ballot.sign: replaces a member's own signatures by new ones over the change as it is now.

    The channel's configuration may have changed since the vote, or the certificate that signed may not count any more.
    Signing decides nothing: while the ballot is open, only members in favour sign, and afterwards any member. A member
    that has left signs, too, as long as it is in the channel: until then Fabric counts it, for its own removal and for
    others'.
    """
    key, about = keys.ballot(request.ballot_id), _keys_about(request.msp_id)
    loaded = await tx.load(key, *about)
    ballot = loaded.require(key)

    _check_about(ballot, request.msp_id)
    tx.check_relation(*_signers(tx, ballot))
    _check_takes_signatures(tx, _about(loaded, ballot.msp_id), ballot)
    check_config_signatures(tx, request)

    signed = put_signatures(tx, ballot.ballot_id, request)
    tx.emit("ballot.sign", msp_ids=[tx.caller.msp_id, ballot.msp_id])
    return signed


async def execute(tx: TransactionContext, request: ExecuteBallot) -> Ballot:
    """ballot.execute: notes the block in which the channel's configuration was changed as a carried ballot demands.

    Nodes and audits look at that block. The contract cannot see the configuration, so nothing depends on this note,
    except in ballots for which an earlier contract left the effect to this transaction.
    """
    key, about = keys.ballot(request.ballot_id), _keys_about(request.msp_id)
    loaded = await tx.load(key, *about)
    electorate = await load_electorate(tx)
    ballot = loaded.require(key)

    _check_about(ballot, request.msp_id)
    if ballot.subject not in (BALLOT_SUBJECT_DEPARTURE, BALLOT_SUBJECT_EXCLUSION):
        raise WrongStatus("only departures and exclusions are executed; an applicant becomes active by itself")
    member = loaded.require(keys.member(ballot.msp_id))
    check_carried(ballot, member)
    if ballot.status == BALLOT_STATUS_EXECUTED:
        raise WrongStatus(f"block {ballot.config_block_number} is noted already: look there")

    ballot.status = BALLOT_STATUS_EXECUTED
    ballot.executed_by_msp_id = tx.caller.msp_id
    ballot.config_block_number = request.config_block_number

    if member.status in (MEMBER_STATUS_LEAVING, MEMBER_STATUS_SUSPENDED):
        # An earlier contract took the deciding vote, and left the departure to this transaction.
        put_status(tx, electorate, member, MEMBER_STATUS_LEFT)
    elif not member.left_at_s:
        # An earlier contract noted only here the time when an excluded member went.
        member.left_at_s = tx.timestamp_s
        tx.put(keys.member(member.msp_id), member)
    return write(tx, "ballot.execute", ballot)


# --- for the other transactions that have to do with ballots ---------------------------------------------------------


def check_carried(ballot: Ballot, member: Member | None) -> None:
    """Checks that the ballot is carried and that no later one has taken its place. Raises WrongStatus."""
    if member is None or ballot.ballot_id != member.carried_ballot_id:
        raise WrongStatus("the ballot is not carried, or a later one took its place")


def write(tx: TransactionContext, name: str, ballot: Ballot) -> Ballot:
    tx.put(keys.ballot(ballot.ballot_id), ballot)
    concerned = [ballot.msp_id] if ballot.msp_id else []
    tx.emit(name, msp_ids=[tx.caller.msp_id, *concerned])
    return ballot


def put_status(tx: TransactionContext, electorate: Electorate, member: Member, status: MemberStatus) -> None:
    """Changes the member's status in all records; one that goes keeps its deposit until token.redeem pays it out."""
    if status in ABSENT and member.status not in ABSENT:
        member.left_at_s = tx.timestamp_s
    note_suspension(member, status, tx.timestamp_s)
    member.status = status
    tx.put(keys.member(member.msp_id), member)
    put_electorate(tx, electorate, member)


# --- CHECK ----------------------------------------------------------------------------------------------------------


def _check_about(ballot: Ballot, named_msp_id: str) -> None:
    check_named(named_msp_id or "nobody", ballot.msp_id or "nobody")


def _voters(tx: TransactionContext, ballot: Ballot, request: CastVote) -> list[RelatedMember]:
    """The members that may vote; where only signatures are missing, members that joined later may sign, too."""
    voters = list(ballot.voter_msp_ids)
    if _only_signs(ballot, request) and tx.caller.msp_id != ballot.msp_id:
        voters.append(tx.caller.msp_id)
    return [(Relation.VOTER, msp_id) for msp_id in voters]


def _signers(tx: TransactionContext, ballot: Ballot) -> list[RelatedMember]:
    """The members that may sign: those in favour; once it is carried, the others, too, but not the one concerned."""
    signers = [one.msp_id for one in ballot.votes if one.in_favour]
    if _is_carried(ballot) and tx.caller.msp_id != ballot.msp_id:
        signers.append(tx.caller.msp_id)
    return [(Relation.VOTER, msp_id) for msp_id in signers]


def _check_takes_vote(tx: TransactionContext, member: Member | None, ballot: Ballot, request: CastVote) -> None:
    """Checks that the ballot still takes this vote; where only signatures are missing, there is no deadline.

    Raises VotedAlready, WrongStatus, BallotClosed.
    """
    msp_id = tx.caller.msp_id
    if msp_id in [one.msp_id for one in ballot.votes]:
        raise VotedAlready(f"{msp_id} has voted already: each member has one vote")
    if _only_signs(ballot, request):
        check_carried(ballot, member)
    else:
        _check_open(tx, ballot)


def _check_takes_signatures(tx: TransactionContext, member: Member | None, ballot: Ballot) -> None:
    if not changes_channel(ballot.subject):
        raise WrongStatus("this ballot changes nothing in the channel's configuration: there is nothing to sign")
    if _is_carried(ballot):
        check_carried(ballot, member)
    else:
        _check_open(tx, ballot)


def _only_signs(ballot: Ballot, request: CastVote) -> bool:
    """Whether the vote decides nothing any more, and only its signatures are needed."""
    return _is_carried(ballot) and changes_channel(ballot.subject) and request.in_favour


def _is_carried(ballot: Ballot) -> bool:
    """Whether the ballot is carried, with or without a note that the configuration was changed."""
    return ballot.status in (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED)


def _check_open(tx: TransactionContext, ballot: Ballot) -> None:
    if ballot.status != BALLOT_STATUS_OPEN:
        status = BallotStatus.Name(ballot.status).removeprefix("BALLOT_STATUS_").lower()
        raise BallotClosed(f"the ballot is {status}")
    if tx.timestamp_s > ballot.deadline_s:
        raise BallotClosed(
            f"the deadline passed {format_duration(tx.timestamp_s - ballot.deadline_s)} ago: open another ballot"
        )


def _check_still_the_question(loaded: Loaded, member: Member | None, ballot: Ballot) -> None:
    """Checks that the ballot's question is still the same, as other transactions may have changed its subject.

    Raises NotFound, AlreadyExists, WrongStatus.
    """
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        check_next_version(loaded.require(keys.CHARTER), ballot.charter)
    elif ballot.subject == BALLOT_SUBJECT_ADMISSION:
        check_next_membership(ballot, member)
    else:
        known = loaded.require(keys.member(ballot.msp_id))
        check_same_membership(ballot, known)
        # A member cannot escape an open ballot on its exclusion by its own departure.
        if (ballot.subject, known.status) != (BALLOT_SUBJECT_EXCLUSION, MEMBER_STATUS_LEFT):
            check_status(ballot.subject, known)


def check_next_version(charter: Charter, proposed: Charter) -> None:
    """Checks that the proposed charter is the next version. Raises WrongStatus."""
    if proposed.version != charter.version + 1:
        raise WrongStatus(f"the charter is at version {charter.version}: propose version {charter.version + 1}")


def _check_signed(tx: TransactionContext, ballot: Ballot, request: CastVote) -> None:
    if changes_channel(ballot.subject) and request.in_favour:
        check_config_signatures(tx, request)
    elif request.config_signatures or request.update_digests:
        raise MalformedRequest("this vote needs no signature of a configuration update")


# --- COMPUTE --------------------------------------------------------------------------------------------------------


def count(ballot: Ballot) -> BallotStatus:
    """The status after the latest vote; a decided ballot keeps its status."""
    if ballot.status == BALLOT_STATUS_OPEN:
        against = len(ballot.votes) - _in_favour(ballot)
        if _in_favour(ballot) >= ballot.needed_approvals:
            return BALLOT_STATUS_CARRIED
        if len(ballot.voter_msp_ids) - against < ballot.needed_approvals:
            return BALLOT_STATUS_REJECTED
    return ballot.status


def _vote(tx: TransactionContext, ballot: Ballot, request: CastVote) -> Vote:
    signs = request.in_favour and changes_channel(ballot.subject)
    return Vote(
        msp_id=tx.caller.msp_id,
        in_favour=request.in_favour,
        cast_at_s=tx.timestamp_s,
        edit_digest=edit_digest(request.update_digests) if signs else b"",
    )


def _carries(ballot: Ballot, request: CastVote) -> bool:
    """Whether the ballot is carried with this vote."""
    undecided = ballot.status == BALLOT_STATUS_OPEN
    return undecided and request.in_favour and _in_favour(ballot) + 1 >= ballot.needed_approvals


def _in_favour(ballot: Ballot) -> int:
    return sum(one.in_favour for one in ballot.votes)


# --- WRITE ----------------------------------------------------------------------------------------------------------


def _take_effect(
    tx: TransactionContext,
    electorate: Electorate,
    member: Member | None,
    application: Application | None,
    ballot: Ballot,
) -> None:
    """Writes the effects of the deciding vote besides the ballot and its question."""
    carried = ballot.status == BALLOT_STATUS_CARRIED
    if carried and ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        tx.put(keys.CHARTER, ballot.charter)
    elif application is not None:
        put_electorate(tx, electorate, put_admitted(tx, application, member, ballot))
    elif member is not None:
        was_noted = _forget_note(member, ballot)
        if carried:
            if changes_channel(ballot.subject):
                member.carried_ballot_id = ballot.ballot_id
            put_status(tx, electorate, member, _status_after(ballot.subject, member))
        elif was_noted:
            tx.put(keys.member(member.msp_id), member)


def _forget_note(member: Member, ballot: Ballot) -> bool:
    """Removes an earlier contract's note on the ballot from the member's record; returns whether there was one."""
    noted = noted_ballots(member)
    still = [one for one in noted if one.ballot_id != ballot.ballot_id]
    del member.open_ballots[:]
    member.ClearField("open_ballot")
    member.open_ballots.extend(still)
    return len(still) < len(noted)


def _status_after(subject: BallotSubject, member: Member) -> MemberStatus:
    if subject == BALLOT_SUBJECT_REINSTATEMENT:
        return MEMBER_STATUS_LEAVING if member.depart_not_before_s else MEMBER_STATUS_ACTIVE
    return _STATUS_AFTER[subject]


def _about(loaded: Loaded, msp_id: str) -> Member | None:
    """The record of the member that a decision is about, if there is one; an amendment is about none."""
    return loaded.find(keys.member(msp_id)) if msp_id else None


def _keys_about(msp_id: str) -> tuple[Key[Message], ...]:
    """The key of the member that a decision is about; none for an amendment."""
    return (keys.member(msp_id),) if msp_id else ()
