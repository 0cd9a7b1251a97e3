"""zunft leave: a member gives notice, ends its business, and leaves.

leaver: start ─► status: end accounts, meters, tokens ─► complete ─► members: approve ─► leaver: complete
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
import yaml
from fabric_protos.common import common_pb2

from audit import AuditReport, audit, export
from cli.audit import show_report
from cli.ballot import approve_found
from cli.shared.asking import ask
from cli.shared.deciding import names, say_standing
from cli.shared.errors import UnsoundArchive
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, As, Home, Json, Who, Yes
from cli.shared.output import say, say_next, show_rows
from cli.shared.retiring import retire
from cli.shared.session import Session, open_session
from cli.shared.values import show_time
from consortium.files import replace_private
from consortium.folder.topology import MemberEntry, Topology
from consortium.yaml_tree import read_yaml
from ledger.configuration import NoOrdererAnswers, is_admitted
from ledger.gateway import Gateway
from network.admission import ask_orderers
from node.membership.errors import NoLongerMember, NotDecided, StillBound
from node.membership.joining_steps import MembershipStep
from node.membership.leaving import depart, departure_ballot, departure_conditions, give_notice, missing_orderer
from node.membership.leaving_steps import leaving_steps
from node.membership.records import newest_ballot, read_member
from node.membership.voting import Voting
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_DEPARTURE, Ballot
from zunft.v1.member_pb2 import LeaveConsortium, Member

app = new_group("leave")

_DEPARTURE = "departure.yaml"


@app.command()
async def start(yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Give notice: no new business from now on; running business goes on until it is ended. It cannot be taken back."""
    async with open_session(home, acting) as session:
        name, gateway = session.member.name, session.gateway("member.leave")
        missing = await missing_orderer(gateway, session.member.msp_id)
        if missing:
            say(f"Before {name} can leave, another company with an orderer has to join ({missing}).")
        if not yes:
            noticed = Member.FromString(await gateway.evaluate("member.leave", LeaveConsortium()))
            say(
                f"From now on {name} takes no new business; its running business goes on until it is ended. It can "
                f"leave from {show_time(noticed.depart_not_before_s)} UTC on. A notice cannot be taken back."
            )
        ask(f"Give notice in the name of {name}?", "no notice was given", yes=yes)
        member = await give_notice(gateway)
    say(f"{name} can leave from {show_time(member.depart_not_before_s)} UTC on, once everything is ended.")
    say_next(home, f"leave status --as {name}")


@app.command()
async def status(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """The business that still has to be ended, by which member, and with which command."""
    async with open_session(home, acting) as session:
        await _check_member(session)
        steps = await leaving_steps(session.gateway("record.read"), session.member.msp_id, int(time.time()))
        rows = [_row(session.topology, step) for step in steps]
    show_rows(rows, as_json=as_json)


@app.command()
async def approve(who: Who, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a member's admin: sign a leaver's removal from the channel. The last needed signature removes it."""
    async with open_session(home, acting) as session:
        gateway = session.gateway("ballot.vote")
        ballot = await newest_ballot(gateway, await session.find_msp_id(who), BALLOT_SUBJECT_DEPARTURE)
    await approve_found(home, acting, ballot.ballot_id, yes=yes)


@app.command()
async def complete(
    archive: Annotated[
        Path | None, typer.Option(help="The file that proves everything later; without it in the consortium's folder.")
    ] = None,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Write and check the archive, and leave; after the removal from the channel, end the own processes.

    Type it twice: when everything is ended, and again when the members have signed.
    """
    topology = Topology.load(home)
    member = _former_member(topology, acting)
    if member is None:
        async with open_session(home, acting) as session:
            if await _is_member(session):
                await _depart(session, archive or home / f"{session.member.name}.archive")
                return
            member = session.member
    await _end(topology, member)


# --- before the removal -----------------------------------------------------------------------------------------------


async def _depart(session: Session, path: Path) -> None:
    """Writes the archive and submits the departure. Raises StillBound, NotDecided, UnsoundArchive."""
    gateway = session.gateway("member.depart")
    member = await read_member(gateway, session.member.msp_id)
    ballot = await departure_ballot(gateway, member)
    if ballot is not None:
        raise NotDecided(await _missing_signatures(session, ballot))
    await _check_ended(session, gateway, member)
    report = await _write_archive(session, gateway, path)
    _note_archive(session.topology.folder(session.member), path)
    say(f"{path} proves all {report.block_count:,} blocks up to now, without any network.")
    ballot = await depart(gateway)
    say_standing(session.topology, await Voting.open(gateway, ballot.ballot_id))


async def _check_ended(session: Session, gateway: Gateway, member: Member) -> None:
    """Checks that nothing holds the member back. Raises StillBound."""
    missing = await missing_orderer(gateway, member.msp_id)
    if missing:
        raise StillBound(missing)
    if not member.depart_not_before_s:
        raise StillBound(f"{session.member.name} has not given notice: zunft leave start --as {session.member.name}")
    conditions = await departure_conditions(gateway, member.msp_id)
    if not conditions.are_met(int(time.time())):
        raise StillBound(
            f"{session.member.name} has not ended everything, or its notice still runs: "
            f"zunft leave status --as {session.member.name}"
        )


async def _write_archive(session: Session, gateway: Gateway, path: Path) -> AuditReport:
    """Writes the archive and audits it while the other members can still help. Raises UnsoundArchive."""
    genesis = common_pb2.Block.FromString(session.topology.genesis_path.read_bytes())
    written = await export(path, session.member.msp_id, genesis, gateway.present_blocks())
    report = audit(written.blocks(), genesis, session.member.msp_id)
    if report.failed:
        show_report(report)
        raise UnsoundArchive(
            f"{path} proves less than it must, so nothing was sent: restore the ledger's files, or ask another "
            "member whether everybody has the same fault; then type this again"
        )
    return report


async def _missing_signatures(session: Session, ballot: Ballot) -> str:
    """A sentence about the missing signatures; the leaver signs again if the configuration has changed meanwhile."""
    voting = await (await Voting.open(session.gateway("ballot.sign"), ballot.ballot_id)).approve()
    topology, name = session.topology, session.member.name
    who = f"{names(topology, voting.may_sign)} may type" if voting.waits_for_signatures else "a member types"
    return (
        f"{name} has left and owes nothing, whether the others sign or not, but the channel still has it: {who} "
        f"zunft leave approve {name}"
    )


# --- after it ---------------------------------------------------------------------------------------------------------


def _former_member(topology: Topology, acting: str) -> MemberEntry | None:
    """The member that has completed its departure in this folder already, so that its peer does not run any more."""
    name, _, _ = acting.partition("/")
    former = (one for one in topology.former if name in (one.name, one.msp_id) or not (name or topology.members))
    return next(former, None)


async def _check_member(session: Session) -> None:
    """Checks that the channel still has the member. Its own peer may not know: it gets no more blocks after removal.

    Raises NoLongerMember.
    """
    try:
        if await _is_member(session):
            return
    except NoOrdererAnswers:
        return
    name = session.member.name
    raise NoLongerMember(
        f"{name} is no member of {session.topology.consortium} any more: "
        f"zunft leave complete --as {name} ends its processes here"
    )


async def _is_member(session: Session) -> bool:
    """Whether the orderers have the member, even if its own peer does not run any more. Raises LedgerError."""
    topology, member = session.topology, session.member
    # Without an archive a member that the orderers do not have has not joined yet.
    if topology.fabric and _noted_archive(topology.folder(member)):
        answers = await ask_orderers(topology, member)
        if answers.is_refused:
            return False
    return await is_admitted(session.gateway("record.read"))


async def _end(topology: Topology, member: MemberEntry) -> None:
    path = _noted_archive(topology.folder(member)) or topology.home / f"{member.name}.archive"
    await retire(topology, member.msp_id)
    say(f"{member.name} is no member of {topology.consortium} any more: nobody accepts its signatures.")
    # A member that was excluded may have no archive.
    kept = [path] if path.exists() else []
    say(
        f"Keep {', '.join(map(str, [*kept, topology.genesis_path]))} and {topology.folder(member)}: they prove its "
        f"business to anybody. {topology.issuer} pays out the tokens that it still has, its deposit among them."
    )
    if kept:
        say_next(topology.home, f"audit --archive {path}")


def _note_archive(folder: Path, path: Path) -> None:
    """Notes the archive's path in the member's folder, for the next time that the command is typed."""
    replace_private(folder / _DEPARTURE, yaml.safe_dump({"archive": str(path.absolute())}).encode())


def _noted_archive(folder: Path) -> Path | None:
    path = folder / _DEPARTURE
    return (
        Path(read_yaml(path).fields(("archive",), required=("archive",))["archive"].text()) if path.exists() else None
    )


def _row(topology: Topology, step: MembershipStep) -> dict[str, object]:
    who = [topology.name_of(msp_id) for msp_id in step.msp_ids]
    due = bool(step.command) and not step.is_done
    return {
        "step": step.what,
        "done": "yes" if step.is_done else "no",
        "who": who if due else [],
        "command": f"zunft {step.command} --as {who[0]}" if due and who else "",
    }
