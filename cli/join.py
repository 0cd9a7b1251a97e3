"""zunft join: a company becomes a member, with commands that several people type on several machines.

a member: invite ─► applicant: request ─► sponsor: propose ─► members: approve ─► applicant: complete
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from chaincode.token import LEAST_TRANSFER_MICRO
from cli.applying import QUESTION, charter_in_force, sign_here, sign_invited, take_newer
from cli.shared.asking import ask
from cli.shared.deciding import approve_opened, say_next_for, say_standing
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, As, FabricBin, Home, Json, Yes
from cli.shared.output import say, say_next, show_fields, show_rows, steps_shown
from cli.shared.running import run
from cli.shared.session import Session, meant_member, open_session
from cli.shared.values import show_amount
from consortium.files import replace_public
from consortium.folder.topology import MemberEntry, Topology
from consortium.joining.applicant import read_applicant
from consortium.joining.bundle import OpenedBundle, check_addressed, open_bundle_file, show_fingerprint
from consortium.joining.invitation import read_invitation, write_invitation
from consortium.keys.certificates import utc_now
from consortium.keys.member_material import Endpoint
from ledger.configuration import config_blocks
from ledger.gateway import Gateway
from network.newcomer import join
from network.runtimes import network_of
from node.membership.joining import activate, missing_deposit_micro, take_part
from node.membership.joining import propose as put_in
from node.membership.joining_steps import Joining
from node.membership.own_part import show_orderers
from node.membership.records import admission_of, read_bundle, read_member
from node.membership.voting import Voting
from zunft.v1.ballot_pb2 import Ballot

app = new_group("join")

Who = Annotated[str, typer.Argument(metavar="APPLICANT", help="Its name or MSP id.")]
Sponsor = Annotated[
    str, typer.Option(help="The member that has put it in, if several have an applicant of that MSP id.")
]


@app.command()
async def invite(
    file: Annotated[Path, typer.Argument(help="Where to write it.")], acting: As = "", home: Home = DEFAULT_HOME
) -> None:
    """Write a file with everything that a company needs before it can apply; nothing in it is secret."""
    topology = Topology.load(home)
    if topology.fabric is None:
        raise BadArgument("the embedded ledger is in this folder only: here an applicant needs no invitation")
    charter = await charter_in_force(home, acting)
    async with open_session(home, acting) as session:
        blocks = [block async for block in config_blocks(session.gateway("record.read"))]
        author = session.files("member.apply").pair(now=utc_now())
        invitation = write_invitation(file, topology, charter.version, blocks, author)
    say(f"{file} is for the company that wants to join. Tell it the fingerprint by telephone:")
    say(show_fingerprint(invitation.fingerprint))
    say("Then it types:")
    say(f"zunft join request APPLICANT.yaml --invitation {file.name} --sponsor {session.member.name} --home FOLDER")


@app.command()
async def request(
    applicant: Annotated[Path, typer.Argument(help="YAML: name, msp_id, legal_name, first_port; identifiers, host.")],
    sponsor: Annotated[str, typer.Option(help="The member that shall put the bundle in.")],
    invitation: Annotated[
        Path | None, typer.Option(help="The file of zunft join invite; not for the embedded ledger.")
    ] = None,
    yes: Yes = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """As the applicant: make keys, accept the charter, and sign the bundle that the members decide on.

    Typed again, it signs another bundle with the same keys.
    """
    company = read_applicant(applicant)
    if invitation:
        topology, bundle = sign_invited(home, company, read_invitation(invitation, utc_now()), sponsor, yes)
    else:
        topology, bundle = await sign_here(home, company, sponsor, yes)
    file = home / f"{company.member.name}.bundle"
    replace_public(file, bundle.signed)
    say(f"{company.member.legal_name} applies to {topology.consortium}. Give {sponsor} this file: {file}")
    _say_fingerprint(bundle)
    member = topology.member(sponsor)
    say_next_for(topology, [member.msp_id], f"join propose {_path_for(topology, member, file)}")


@app.command()
async def propose(
    bundle: Annotated[Path, typer.Argument(help="The applicant's file.")], acting: As = "", home: Home = DEFAULT_HOME
) -> None:
    """As the sponsor: put an applicant's bundle in, which opens the ballot; the sponsor's vote is in favour."""
    opened = open_bundle_file(bundle)
    async with open_session(home, acting) as session:
        check_addressed(opened, session.topology.consortium, session.member.msp_id)
        gateway = session.gateway("member.apply")
        ballot = await put_in(gateway, opened.signed, opened.bundle)
        topology = _note_partner(session.topology, opened)
        voting = await approve_opened(session, ballot)
        _show_applicant(opened)
        say_standing(topology, voting)


@app.command()
async def approve(
    who: Who, sponsor: Sponsor = "", yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME
) -> None:
    """As a member's admin: vote for an applicant, and sign the change of the channel's configuration.

    The last vote that is needed makes the change.
    """
    async with open_session(home, acting) as session:
        gateway = session.gateway("ballot.vote")
        ballot = await _admission(session, gateway, who, sponsor)
        voting = await Voting.open(gateway, ballot.ballot_id)
        # The bundle that is shown is the one that is signed.
        opened = voting.change.bundle or await read_bundle(gateway, ballot)
        _show_applicant(opened)
        if voting.lacks_own_vote or voting.lacks_own_signatures:
            ask(QUESTION, "nothing was approved", yes=yes)
        topology = _note_partner(session.topology, opened)
        say_standing(topology, await voting.approve())


@app.command()
async def status(
    who: Who, sponsor: Sponsor = "", acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """The steps of an application: which are done, and which member takes the next one."""
    async with open_session(home, acting) as session:
        gateway = session.gateway("record.read")
        joining = await Joining.read(gateway, await _admission(session, gateway, who, sponsor))
    topology, steps = session.topology, joining.steps()
    rows: list[dict[str, object]] = [
        {
            "step": step.what,
            "done": "yes" if step.is_done else "no",
            "who": [topology.name_of(msp_id) for msp_id in step.msp_ids],
        }
        for step in steps
    ]
    if as_json:
        commands = (f"zunft {step.command}" if step.command else "" for step in steps)
        rows = [row | {"command": command} for row, command in zip(rows, commands, strict=True)]
    show_rows(rows, as_json=as_json)
    for step in () if as_json else steps:
        if step.command:
            say_next_for(topology, step.msp_ids, step.command)


@app.command()
def complete(
    invitation: Annotated[
        Path | None, typer.Option(help="A newer one than at the request, if orderers have moved since.")
    ] = None,
    yes: Yes = False,
    home: Home = DEFAULT_HOME,
    acting: As = "",
    fabric_bin: FabricBin = None,
) -> None:
    """As the applicant: start the own processes, let them catch up, and become an active member. Can be repeated."""
    topology = Topology.load(home)
    member = _newcomer(topology, acting)
    if invitation:
        take_newer(home, read_invitation(invitation, utc_now()), yes)
    if topology.fabric:
        with steps_shown() as report:
            run(join(network_of(topology, fabric_bin, report), member, report))
    if missing_micro := run(_become_active(topology, member, fabric_bin)):
        _say_lacking(topology, member, missing_micro)
    else:
        say(f"{member.legal_name} is an active member of {topology.consortium}.")
        say_next(home, "network status" if topology.fabric else "consortium members")


# --- the applicant ----------------------------------------------------------------------------------------------------


def _newcomer(topology: Topology, acting: str) -> MemberEntry:
    """The member that joins. Raises BadArgument, InvalidTopology, NobodyHere."""
    member = meant_member(topology, acting, "that joins")
    if member not in topology.members:
        raise BadArgument(f"the files of {member.name} are not here: type this in its own folder, which --home names")
    return member


async def _become_active(topology: Topology, member: MemberEntry, fabric_bin: Path | None) -> int:
    """Makes the member active unless it lacks some of the deposit; returns the part that it lacks, in micro-tokens."""
    async with open_session(topology.home, member.name) as session:
        gateway = session.gateway("member.activate")
        await take_part(gateway)
        if topology.fabric and member.orderer:
            await network_of(topology, fabric_bin).site(member).orderer.until_ordering()
            await show_orderers(gateway)
        missing_micro = await missing_deposit_micro(gateway, await read_member(gateway, member.msp_id))
        if not missing_micro:
            await activate(gateway)
        return missing_micro


def _say_lacking(topology: Topology, member: MemberEntry, missing_micro: int) -> None:
    """Says which part of the deposit the member lacks, and the commands for it."""
    say(f"{member.name} lacks {show_amount(missing_micro)} tokens of the charter's deposit, which the issuer mints.")
    issuer_msp_id = topology.member(topology.issuer).msp_id
    least = show_amount(max(missing_micro, LEAST_TRANSFER_MICRO))
    say_next_for(topology, [issuer_msp_id], f"token mint {member.msp_id} {least} --reference BANK-REFERENCE")
    say_next(topology.home, f"join complete --as {member.name}")


# --- the members ------------------------------------------------------------------------------------------------------


async def _admission(session: Session, gateway: Gateway, who: str, sponsor: str) -> Ballot:
    """The ballot on this applicant. Raises UnknownMember, NoLongerMember, NoBallot, SeveralApplicants."""
    sponsor_msp_id = await session.find_msp_id(sponsor) if sponsor else ""
    return await admission_of(gateway, await session.find_msp_id(who), time.time(), sponsor_msp_id)


def _note_partner(topology: Topology, opened: OpenedBundle) -> Topology:
    """Adds the applicant to this folder's partners, so that commands here know its name."""
    bundle = opened.bundle
    peer = Endpoint(bundle.peer.host, bundle.peer.port)
    name = topology.new_name(bundle.msp_id)
    known = topology.with_partner(MemberEntry(name, bundle.msp_id, bundle.legal_name, peer))
    known.save()
    return known


# --- output -----------------------------------------------------------------------------------------------------------


def _show_applicant(opened: OpenedBundle) -> None:
    bundle = opened.bundle
    fields = {
        "applicant": bundle.legal_name,
        "msp_id": bundle.msp_id,
        "identifiers": [f"{one.scheme} {one.value}" for one in bundle.identifiers],
        "peer": f"{bundle.peer.host}:{bundle.peer.port}",
        "orders": "yes" if bundle.HasField("orderer") else "no",
        "accepts": f"charter version {bundle.charter_version}",
    }
    show_fields(fields, as_json=False)
    _say_fingerprint(opened)


def _say_fingerprint(opened: OpenedBundle) -> None:
    """Prints the fingerprint in a line of its own, which fits a narrow terminal."""
    say(f"Fingerprint of {opened.bundle.legal_name}, to be compared by telephone:")
    say(opened.fingerprint)


def _path_for(topology: Topology, member: MemberEntry, file: Path) -> Path | str:
    """The file's path as the member types it: on another machine, to which it is given, the name alone."""
    return file if member in topology.members else file.name
