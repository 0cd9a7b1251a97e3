"""zunft ballot: the ballots of the members' admins; list, show, approve, reject."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from chaincode.members.channel_edit import changes_channel
from cli.charter import charter_fields
from cli.shared.asking import ask
from cli.shared.deciding import (
    ID_DIGITS,
    apply_decision,
    approvals_of,
    approve_opened,
    names,
    say_standing,
    status_name,
    subject_name,
    target_name,
)
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, As, Home, Json, Yes
from cli.shared.output import show_fields, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import show_time
from consortium.errors import UnusableBundle
from consortium.folder.charter_text import find_text, keep_text
from consortium.folder.topology import Topology
from consortium.yaml_tree import read_text
from ledger.gateway import Gateway
from ledger.records import read_each
from node.membership.namesakes import namesakes
from node.membership.records import find_ballot, read_bundle, read_everybody, read_questions
from node.membership.voting import Voting, silent_msp_ids
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_EXECUTED,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    Ballot,
    Question,
)
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, Member

app = new_group("ballot")

BallotId = Annotated[str, typer.Argument(metavar="BALLOT", help="The beginning of its id.")]
_NO_VOTE = "no vote was cast"
# The columns that a narrow terminal leaves out first.
_MINOR = ("against", "deadline_utc", "in_favour", "needed")

Text = Annotated[
    Path | None, typer.Option("--text", help="For an amendment: the file with the charter's text that you have read.")
]


@app.command("list")
async def list_ballots(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """All ballots: their votes and status, and the members that may still vote."""
    async with open_session(home, acting) as session:
        gateway = session.gateway("record.list")
        companies = await _Companies.read(gateway)
        ballots = read_each(gateway, "ballot/", Ballot)
        found = [(one.opened_at_s, _row(session.topology, one, companies)) async for one in ballots]
    rows = [row for _, row in sorted(found, key=itemgetter(0))]
    show_rows(rows, as_json=as_json, empty="Nothing was put to the vote yet.", minor=_MINOR)


@app.command()
async def show(ballot: BallotId, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """One ballot: the question, every vote, and what it changes in the channel's configuration."""
    async with open_session(home, acting) as session:
        found = await find_ballot(session.gateway("record.read"), ballot)
        fields = await _fields(session, found)
    show_fields(fields, as_json=as_json)


@app.command()
async def approve(
    ballot: BallotId, text: Text = None, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME
) -> None:
    """As a member's admin: vote in favour. The deciding vote also carries the decision out. Can be repeated."""
    await approve_found(home, acting, ballot, text=text, yes=yes)


@app.command()
async def reject(ballot: BallotId, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a member's admin: vote against."""
    async with open_session(home, acting) as session:
        gateway = session.gateway("ballot.vote")
        found = await find_ballot(gateway, ballot)
        await _show(session, found)
        ask(f"Vote against it, as {session.member.name}?", _NO_VOTE, yes=yes)
        voting = await (await Voting.open(gateway, found.ballot_id)).vote(in_favour=False)
        say_standing(session.topology, voting)


async def approve_found(home: Path, acting: str, prefix: str, *, text: Path | None = None, yes: bool = False) -> None:
    """Shows the ballot that has an id with this prefix, asks, and votes for it."""
    async with open_session(home, acting) as session:
        found = await find_ballot(session.gateway("ballot.vote"), prefix)
        _check_text(session.topology, found, text)
        await _show(session, found)
        ask(f"Approve it, as {session.member.name}?", _NO_VOTE, yes=yes)
        voting = await approve_opened(session, found)
        say_standing(session.topology, voting)
    await apply_decision(session.topology, voting)


def _check_text(topology: Topology, ballot: Ballot, text: Path | None) -> None:
    """Checks that the text of a charter that is voted on is in this folder. Raises CharterTextMissing, OSError."""
    if ballot.subject != BALLOT_SUBJECT_AMENDMENT:
        return
    if text is not None:
        keep_text(topology, ballot.charter, read_text(text))
    find_text(topology, ballot.charter)


async def _show(session: Session, ballot: Ballot) -> None:
    show_fields(await _fields(session, ballot), as_json=False)


# --- output ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Companies:
    """The members and applicants, and the questions that are put to the vote about them."""

    records: list[Member]
    questions: list[Question]

    @classmethod
    async def read(cls, gateway: Gateway) -> _Companies:
        return cls(await read_everybody(gateway), await read_questions(gateway))

    def namesakes(self, ballot: Ballot) -> Mapping[str, str]:
        """Companies with a mark or the MSP id of the applicant, while members vote on it; a sentence about each."""
        if ballot.subject != BALLOT_SUBJECT_ADMISSION or status_name(ballot) != "open":
            return {}
        applicants = [one for one in self.records if _applies(one, ballot)]
        found = [namesakes(one, self.records, self.questions, time.time()) for one in applicants]
        return found[0] if found else {}


def _applies(record: Member, ballot: Ballot) -> bool:
    is_subject = (record.msp_id, record.sponsor_msp_id) == (ballot.msp_id, ballot.opened_by_msp_id)
    return is_subject and record.status == MEMBER_STATUS_APPLIED


def _row(topology: Topology, ballot: Ballot, companies: _Companies) -> dict[str, object]:
    approvals = approvals_of(ballot)
    is_open = status_name(ballot) == "open"
    return {
        "ballot": ballot.ballot_id[:ID_DIGITS],
        "subject": subject_name(ballot),
        "about": target_name(topology, ballot),
        "status": status_name(ballot),
        "in_favour": approvals,
        "against": len(ballot.votes) - approvals,
        "needed": ballot.needed_approvals,
        "deadline_utc": show_time(ballot.deadline_s),
        "may_still_vote": [topology.name_of(one) for one in silent_msp_ids(ballot)] if is_open else [],
        "same_company_as": list(companies.namesakes(ballot)),
    }


async def _fields(session: Session, ballot: Ballot) -> dict[str, object]:
    topology = session.topology
    gateway = session.gateway("record.list")
    companies = await _Companies.read(gateway)
    fields = {
        **_row(topology, ballot, companies),
        "same_company_as": list(companies.namesakes(ballot).values()),
        "reason": ballot.reason,
        "opened_by": topology.name_of(ballot.opened_by_msp_id),
        "opened_utc": show_time(ballot.opened_at_s),
        "votes": [_vote(topology, vote.msp_id, vote.in_favour, vote.cast_at_s) for vote in ballot.votes],
    }
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        return {**fields, **charter_fields(topology, ballot.charter)}
    if ballot.subject == BALLOT_SUBJECT_ADMISSION:
        fields |= await _applicant_fields(gateway, ballot)
    if changes_channel(ballot.subject):
        voting = await Voting.open(session.gateway("record.read"), ballot.ballot_id)
        return {**fields, "configuration": _configuration(topology, voting)}
    return fields


async def _applicant_fields(gateway: Gateway, ballot: Ballot) -> dict[str, object]:
    """The legal name, identifiers and fingerprint of the applicant; nothing if another bundle has replaced its own."""
    try:
        opened = await read_bundle(gateway, ballot)
    except UnusableBundle:
        return {}
    identifiers = [f"{one.scheme} {one.value}" for one in opened.bundle.identifiers]
    return {"applicant": opened.bundle.legal_name, "identifiers": identifiers, "fingerprint": opened.fingerprint}


def _vote(topology: Topology, msp_id: str, in_favour: bool, cast_at_s: int) -> str:
    return f"{topology.name_of(msp_id)} {'in favour' if in_favour else 'against'} on {show_time(cast_at_s)}"


def _configuration(topology: Topology, voting: Voting) -> str:
    """The ballot's effect on the channel's configuration, as this node has computed it, whatever others have noted."""
    ballot, to_sign = voting.ballot, voting.to_sign_again
    noted = f"; block {ballot.config_block_number} is noted for that" if ballot.config_block_number else ""
    if not voting.is_open and not voting.is_carried:
        return "stays as it is"
    if voting.is_in_force or (voting.change.obstacle and ballot.status == BALLOT_STATUS_EXECUTED):
        return f"changed accordingly{noted}"
    if voting.change.obstacle:
        return voting.change.obstacle
    if to_sign:
        return f"has changed meanwhile: {names(topology, to_sign)} must approve again, as the signatures do not fit it"
    return f"will be changed exactly as the question needs{noted}"
