"""The steps that all commands about ballots share: approving, carrying out, and saying how a ballot stands."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cli.shared.output import say, say_next
from cli.shared.retiring import retire
from cli.shared.session import Session
from cli.shared.values import show_time, word_of
from consortium.folder.charter_text import adopt_text
from consortium.folder.topology import Topology
from node.membership.voting import Voting, silent_msp_ids
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
)

# So many digits of an id distinguish all ballots.
ID_DIGITS = 16

# The members' decisions in words, once a ballot is carried.
_DECIDED = {
    BALLOT_SUBJECT_ADMISSION: "{} is admitted",
    BALLOT_SUBJECT_DEPARTURE: "{} may go",
    BALLOT_SUBJECT_EXCLUSION: "{} is excluded, and may do nothing any more",
    BALLOT_SUBJECT_SUSPENSION: "{} is suspended, and may do nothing until it is reinstated",
    BALLOT_SUBJECT_REINSTATEMENT: "{} is a member as before",
    BALLOT_SUBJECT_AMENDMENT: "{} is in force",
}


def subject_name(ballot: Ballot) -> str:
    return word_of(BallotSubject, ballot.subject)


def status_name(ballot: Ballot) -> str:
    """The ballot's status; "lapsed" for one that is open on the ledger, but whose deadline has passed."""
    if ballot.status == BALLOT_STATUS_OPEN and ballot.deadline_s < time.time():
        return "lapsed"
    return word_of(BallotStatus, ballot.status)


def approvals_of(ballot: Ballot) -> int:
    return sum(vote.in_favour for vote in ballot.votes)


def target_name(topology: Topology, ballot: Ballot) -> str:
    """The name of the member, or the version of the charter, that the ballot is about."""
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        return f"version {ballot.charter.version} of the charter"
    return topology.name_of(ballot.msp_id)


def names(topology: Topology, msp_ids: tuple[str, ...]) -> str:
    return ", ".join(map(topology.name_of, msp_ids)) or "nobody"


async def approve_opened(session: Session, ballot: Ballot) -> Voting:
    """Votes for the ballot, signs its change of the channel's configuration, and returns the vote as it is then."""
    voting = await Voting.open(session.gateway("ballot.vote"), ballot.ballot_id)
    return await voting.approve()


async def apply_decision(topology: Topology, voting: Voting) -> None:
    """Carries a decision out in this folder: the charter's new text, the end of an excluded member's processes."""
    ballot = voting.ballot
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT and ballot.status == BALLOT_STATUS_CARRIED:
        adopt_text(topology, ballot.charter)
    if ballot.subject == BALLOT_SUBJECT_EXCLUSION and voting.is_carried and voting.is_in_force:
        await retire(topology, ballot.msp_id)


def say_standing(topology: Topology, voting: Voting) -> None:
    """Says what was decided, or which members have still to vote or to sign."""
    ballot = voting.ballot
    if voting.is_open and voting.to_sign_again:
        say(
            "The channel's configuration has changed meanwhile. All votes stay, but some signatures do not fit it any "
            f"more: {names(topology, voting.to_sign_again)} must approve again."
        )
    if ballot.subject == BALLOT_SUBJECT_ADMISSION:
        _say_admission(topology, voting)
    elif voting.waits_for_signatures:
        _say_departure(topology, voting)
    else:
        _say_decision(topology, ballot)


def _say_decision(topology: Topology, ballot: Ballot) -> None:
    what, number = f"{subject_name(ballot)} of {target_name(topology, ballot)}", ballot.ballot_id[:ID_DIGITS]
    if ballot.status == BALLOT_STATUS_OPEN:
        say(
            f"Ballot {number} on the {what}: {_counted(ballot)}; {names(topology, silent_msp_ids(ballot))} may vote "
            f"until {show_time(ballot.deadline_s)} UTC."
        )
        say_next_for(topology, silent_msp_ids(ballot), f"ballot approve {number}")
    elif ballot.status == BALLOT_STATUS_REJECTED:
        say(f"The members have rejected: {what}.")
    elif ballot.status == BALLOT_STATUS_EXECUTED:
        say(f"Decided and done: {what}.")
    elif ballot.status == BALLOT_STATUS_CARRIED:
        say(f"Decided: {_DECIDED[ballot.subject].format(target_name(topology, ballot))}.")


def _say_departure(topology: Topology, voting: Voting) -> None:
    name, number = topology.name_of(voting.ballot.msp_id), voting.ballot.ballot_id[:ID_DIGITS]
    say(
        f"Ballot {number} on the departure of {name}: it has left, and stays in the channel until "
        f"{voting.needed_signatures} members have signed; {len(voting.signed_msp_ids)} have."
    )
    say_next_for(topology, voting.may_sign, f"leave approve {name}")


def _say_admission(topology: Topology, voting: Voting) -> None:
    ballot, to_sign = voting.ballot, voting.to_sign_again
    name = topology.name_of(ballot.msp_id)
    if ballot.status == BALLOT_STATUS_EXECUTED:
        say(f"{name} is an active member.")
    elif ballot.status == BALLOT_STATUS_REJECTED:
        say(f"The members have rejected {name}.")
    elif voting.is_carried and voting.lacks_signatures and to_sign:
        say(
            f"{name} is admitted. The channel's configuration has changed meanwhile, so {names(topology, to_sign)} "
            "must approve again."
        )
        say_next_for(topology, to_sign, f"join approve {name}")
    elif approvals_of(ballot) >= ballot.needed_approvals:
        say(f"{name} is admitted, and the channel knows it.")
        say_next_for(topology, [ballot.msp_id], "join complete")
    elif status_name(ballot) == "lapsed":
        say(f"Too few members have approved {name} before the deadline; it may apply again: zunft join request")
    else:
        say(f"The admission of {name}: {_counted(ballot)}, until {show_time(ballot.deadline_s)} UTC.")
        say_next_for(topology, silent_msp_ids(ballot), f"join approve {name}")


def say_next_for(topology: Topology, msp_ids: Sequence[str], command: str) -> None:
    """Says the next command: for a member with its files here as it is typed here, else for those on their machines."""
    here = [member.name for member in topology.members if member.msp_id in msp_ids]
    if here:
        say_next(topology.home, f"{command} --as {here[0]}")
    elif msp_ids:
        say(f"Next, by {' or '.join(map(topology.name_of, msp_ids))}: zunft {command}")


def _counted(ballot: Ballot) -> str:
    return f"{approvals_of(ballot)} of {ballot.needed_approvals} approvals"
