"""What all commands that put something to the vote have in common: opening, approving, saying where it stands."""

from __future__ import annotations

import time
from pathlib import Path

from cli.output import say, say_next
from cli.retiring import retire
from cli.session import Session
from cli.values import show_time
from network.charter_text import adopt_text
from network.topology import Topology
from node.ledger.gateway.gateway import Gateway
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

# As much of an id as tells ballots apart.
ID_DIGITS = 16

# What the members have decided, once the ballot is carried.
_DECIDED = {
    BALLOT_SUBJECT_ADMISSION: "{} is admitted",
    BALLOT_SUBJECT_DEPARTURE: "{} may go",
    BALLOT_SUBJECT_EXCLUSION: "{} is excluded, and may do nothing any more",
    BALLOT_SUBJECT_SUSPENSION: "{} is suspended, and may do nothing until it is reinstated",
    BALLOT_SUBJECT_REINSTATEMENT: "{} is a member as before",
    BALLOT_SUBJECT_AMENDMENT: "{} is in force",
}


def subject_name(ballot: Ballot) -> str:
    return BallotSubject.Name(ballot.subject).removeprefix("BALLOT_SUBJECT_").lower()


def status_name(ballot: Ballot) -> str:
    """Also "lapsed", which the ledger has no word for: open, and the deadline has passed."""
    if ballot.status == BALLOT_STATUS_OPEN and ballot.deadline_s < time.time():
        return "lapsed"
    return BallotStatus.Name(ballot.status).removeprefix("BALLOT_STATUS_").lower()


def about(topology: Topology, ballot: Ballot) -> str:
    """The member, or the version of the charter."""
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        return f"version {ballot.charter.version} of the charter"
    return topology.name_of(ballot.msp_id)


def names(topology: Topology, msp_ids: tuple[str, ...]) -> str:
    return ", ".join(map(topology.name_of, msp_ids)) or "nobody"


async def approve(gateway: Gateway, ballot_id: str) -> Voting:
    """A vote in favour, unless it is cast already and holds, and what is to be done then. Can be repeated.

    Raises MembershipError, ContractError, LedgerError.
    """
    voting = await Voting.open(gateway, ballot_id)
    if gateway.identity.msp_id not in {vote.msp_id for vote in voting.ballot.votes} or voting.is_overtaken:
        voting = await voting.vote(in_favour=True)
    return await voting.carry_out()


async def approve_opened(session: Session, ballot: Ballot) -> Voting:
    """Whoever opens a ballot is in favour of it."""
    return await approve(session.gateway("ballot.vote"), ballot.ballot_id)


async def follow(topology: Topology, voting: Voting) -> None:
    """What a decision means for this folder: the charter's text in it, and who is no member any more."""
    ballot = voting.ballot
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT and ballot.status == BALLOT_STATUS_CARRIED:
        adopt_text(topology, ballot.charter)
    if ballot.subject == BALLOT_SUBJECT_EXCLUSION and ballot.status == BALLOT_STATUS_EXECUTED:
        await retire(topology, ballot.msp_id)


def say_standing(home: Path, topology: Topology, voting: Voting, before: Ballot | None = None) -> None:
    """What was decided, or who has still to vote; `before` is the ballot as it was before this command."""
    ballot = voting.ballot
    if before is not None and ballot.renewal_count > before.renewal_count:
        again = tuple(one.msp_id for one in before.votes if one.in_favour and one.msp_id in silent_msp_ids(ballot))
        say(
            "The channel's configuration was changed meanwhile, so that the signatures up to now are of no more use: "
            f"{names(topology, again)} must approve again."
        )
    what = f"{subject_name(ballot)} of {about(topology, ballot)}"
    if ballot.status == BALLOT_STATUS_OPEN:
        _say_open(home, topology, ballot)
    elif ballot.status == BALLOT_STATUS_REJECTED:
        say(f"The members have turned down: {what}.")
    elif ballot.status == BALLOT_STATUS_EXECUTED:
        say(f"Decided and done: {what}.")
    elif ballot.status == BALLOT_STATUS_CARRIED:
        say(f"Decided: {_DECIDED[ballot.subject].format(about(topology, ballot))}.")


def _say_open(home: Path, topology: Topology, ballot: Ballot) -> None:
    number, silent = ballot.ballot_id[:ID_DIGITS], silent_msp_ids(ballot)
    counted = f"{sum(vote.in_favour for vote in ballot.votes)} of {ballot.needed_approvals} approvals"
    say(
        f"Ballot {number} on the {subject_name(ballot)} of {about(topology, ballot)}: {counted}; "
        f"{names(topology, silent)} may vote until {show_time(ballot.deadline_s)} UTC."
    )
    if silent:
        say_next(home, f"ballot approve {number} --as {topology.name_of(silent[0])}")
