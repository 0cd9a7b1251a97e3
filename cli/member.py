"""zunft member: the consortium's members; suspend, reinstate and exclude them by ballot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chaincode.members.bundle import roots_fingerprint
from chaincode.rights.business import status_name
from cli.shared.asking import ask
from cli.shared.deciding import ID_DIGITS, apply_decision, approve_opened, say_standing
from cli.shared.errors import AlreadyOut
from cli.shared.groups import new_group
from cli.shared.irreversible import warn
from cli.shared.options import DEFAULT_HOME, As, Home, Json, Who, Yes
from cli.shared.output import say, show_fields, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import show_amount, show_time
from consortium.folder.topology import Topology
from consortium.joining.bundle import show_fingerprint
from consortium.keys.member_material import MemberMaterial
from ledger.configuration import newest_channel
from node.membership.leaving import check_exclusion
from node.membership.leaving import exclude as open_exclusion
from node.membership.records import ballot_ids, read_everybody, read_member, read_questions
from zunft.v1.ballot_pb2 import Ballot, Question
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEFT,
    Member,
    Obligation,
    ReinstateMember,
    SuspendMember,
)

app = new_group("member")

Reason = Annotated[str, typer.Option(help="The reason, for the voters.")]


@app.command("list")
async def list_members(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """All members, those that apply, and those that have gone."""
    async with open_session(home, acting) as session:
        gateway = session.gateway("record.list")
        questions = await read_questions(gateway)
        rows = [_row(session.topology, one, questions) for one in await read_everybody(gateway)]
    show_rows(rows, as_json=as_json, empty="The charter is not founded yet.", minor=("msp_id", "sponsor"))


@app.command()
async def show(who: Who, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """One member: status, legal identifiers, deposit, sponsor, fingerprint, open ballots, open obligations."""
    async with open_session(home, acting) as session:
        gateway = session.gateway("record.read")
        record = await read_member(gateway, await session.find_msp_id(who))
        questions = await read_questions(gateway, record.msp_id)
        fields = {**_row(session.topology, record, questions), **await _details(session, record)}
    show_fields(fields, as_json=as_json)


@app.command()
async def suspend(who: Who, reason: Reason, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a member's admin: put another member's suspension to the vote, and vote for it."""
    await _put_to_vote(home, acting, "member.suspend", SuspendMember(reason=reason), who)


@app.command()
async def reinstate(who: Who, reason: Reason, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a member's admin: put the end of a suspension to the vote, and vote for it."""
    await _put_to_vote(home, acting, "member.reinstate", ReinstateMember(reason=reason), who)


@app.command()
async def exclude(who: Who, reason: Reason, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a member's admin: put another member's exclusion to the vote, and vote for it.

    It works whether or not that member can be reached. The deciding vote removes it from the channel. An exclusion that
    was decided and not carried out can be put to the vote again.
    """
    async with open_session(home, acting) as session:
        topology = session.topology
        msp_id = await session.find_msp_id(who)
        if (await read_member(session.gateway("record.read"), msp_id)).status == MEMBER_STATUS_EXCLUDED:
            await _confirm_second_exclusion(session, msp_id, yes=yes)
        elif not yes:
            await _confirm_exclusion(session, msp_id, reason)
        ballot = await open_exclusion(session.gateway("member.exclude"), msp_id, reason)
        voting = await approve_opened(session, ballot)
        say_standing(topology, voting)
    await apply_decision(topology, voting)


async def _confirm_exclusion(session: Session, msp_id: str, reason: str) -> None:
    """Asks before an exclusion is put to the vote. Raises Declined, BadArgument, and the errors of `open_exclusion`."""
    await check_exclusion(session.gateway("member.exclude"), msp_id, reason)
    name = session.topology.name_of(msp_id)
    warning = (
        f"The exclusion of {name} is put to the vote, with your vote for it. With the deciding vote {name} may do "
        "nothing any more and is taken out of the channel; it can come back only under another MSP id."
    )
    warn(warning, yes=False)


async def _confirm_second_exclusion(session: Session, msp_id: str, *, yes: bool) -> None:
    """Asks before an excluded member's exclusion is put to the vote again, which is only for carrying it out.

    Raises AlreadyOut, Declined, BadArgument.
    """
    name = session.topology.name_of(msp_id)
    if msp_id not in (await newest_channel(session.gateway("record.read"))).members:
        raise AlreadyOut(f"{name} is excluded, and the channel is without it: there is nothing left to vote on")
    say(f"{name} is excluded already, and may do nothing; but the channel's configuration still has it.")
    ask("Put its removal to the vote once more?", "nothing was put to the vote", yes=yes)


async def _put_to_vote(
    home: Path, acting: str, transaction: str, request: SuspendMember | ReinstateMember, who: str
) -> None:
    """Puts a suspension or its end to the vote, and votes for it; fills in the MSP id that `request` still lacks."""
    async with open_session(home, acting) as session:
        request.msp_id = await session.find_msp_id(who)
        ballot = Ballot.FromString((await session.submit(transaction, request)).result)
        say_standing(session.topology, await approve_opened(session, ballot))


def _row(topology: Topology, record: Member, questions: Sequence[Question]) -> dict[str, object]:
    return {
        "member": topology.name_of(record.msp_id),
        "msp_id": record.msp_id,
        "name": record.name,
        "status": status_name(record),
        "sponsor": topology.name_of(record.sponsor_msp_id),
        "deposit": show_amount(record.deposit_micro),
        "open_ballots": [one[:ID_DIGITS] for one in ballot_ids(record, questions, time.time())],
    }


def _founder_fingerprint(material: MemberMaterial | None) -> bytes:
    """The fingerprint of a founder's roots in the channel, as it has no bundle; empty if the channel has it no more."""
    return roots_fingerprint(material.ca_certificates) if material else b""


async def _details(session: Session, record: Member) -> dict[str, object]:
    gone = record.status in (MEMBER_STATUS_LEFT, MEMBER_STATUS_EXCLUDED)
    obligations = await session.list_all(f"obligation/{record.msp_id}", Obligation)
    channel = await newest_channel(session.gateway("record.read"))
    material = channel.members.get(record.msp_id)
    return {
        "identifiers": [f"{one.scheme} {one.value}" for one in record.identifiers],
        "fingerprint": show_fingerprint(record.roots_fingerprint or _founder_fingerprint(material)),
        "active_since_utc": show_time(record.active_since_s),
        "may_depart_utc": show_time(record.depart_not_before_s),
        "gone_since_utc": show_time(record.left_at_s),
        "still_to_end": [] if gone else [one.record_key for one in obligations],
        "unreadable_in_channel": list(material.unreadable) if material else [],
    }
