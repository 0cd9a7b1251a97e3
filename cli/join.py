"""zunft join: a company becomes a member, by commands that different people type on different machines.

a member: invite ─► applicant: request ─► sponsor: propose ─► members: approve ─► applicant: complete
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from cli.asking import is_agreed
from cli.errors import BadArgument
from cli.groups import new_group
from cli.options import DEFAULT_HOME, As, FabricBin, Home, Json
from cli.output import say, say_next, show_fields, show_rows, steps_shown
from cli.session import open_session, run
from cli.values import show_amount
from fabric.joining import join
from fabric.runtimes import network_of
from network.applicant import Applicant, found_applicant, keys_folder, load_applicant, read_applicant, settle_in
from network.bundle import Acceptance, OpenedBundle, check_addressed, open_bundle_file, sign_bundle
from network.certificates import utc_now
from network.errors import InvalidApplicant
from network.invitation import Invitation, accept_invitation, read_invitation, write_invitation
from network.member_keys import MemberKeys
from network.member_material import Endpoint
from network.private_files import replace_public
from network.topology import MemberEntry, Topology
from node.ledger.gateway import Gateway
from node.membership.joining import activate, missing_deposit_micro, take_part
from node.membership.joining import propose as put_in
from node.membership.own_part import show_orderers
from node.membership.records import newest_ballot, read_member, read_opened_bundle
from node.membership.standing import Joining
from node.membership.voting import Voting, silent_msp_ids
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN, BALLOT_STATUS_REJECTED, BALLOT_SUBJECT_ADMISSION, Ballot
from zunft.v1.charter_pb2 import Charter

app = new_group("join")

Who = Annotated[str, typer.Argument(metavar="APPLICANT", help="Its name or MSP id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def invite(
    file: Annotated[Path, typer.Argument(help="Where to write it.")], acting: As = "", home: Home = DEFAULT_HOME
) -> None:
    """Write down what a company must be given before it can apply; nothing in it is secret."""

    async def work() -> int:
        async with open_session(home, acting) as session:
            return (await session.read(keys.CHARTER)).version

    write_invitation(file, Topology.load(home), run(work()))
    say(f"{file} is for the company that wants to join.")
    say(f"It then types: zunft join request APPLICANT.yaml --invitation {file.name} --sponsor NAME --home FOLDER")


@app.command()
def request(
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
        invited = read_invitation(invitation)
        _accept_charter(invited.charter, yes)
        topology, own = _settle_elsewhere(home, company, invited)
        version, digest = invited.charter_version, invited.charter_digest
    else:
        topology = Topology.load(home)
        if topology.fabric:
            raise BadArgument("on a Fabric network an applicant has a folder of its own: say --invitation and --home")
        charter = run(_read_charter(home))
        _accept_charter(topology.charter_path.read_text(), yes)
        own = _settle_here(topology, company)
        company = replace(company, member=replace(company.member, orderer=None))
        version, digest = charter.version, charter.text_digest
    accepted = Acceptance(topology.consortium, version, digest, topology.member(sponsor).msp_id)
    bundle, file = sign_bundle(company, own, accepted, utc_now()), home / f"{company.member.name}.bundle"
    replace_public(file, bundle.signed)
    say(f"{company.member.legal_name} applies to {topology.consortium}. The bundle is in {file}: give it to {sponsor}.")
    say(f"Fingerprint, which the members compare with you by telephone: {bundle.fingerprint}")
    say(f"{sponsor} then types: zunft join propose {file.name} --as {sponsor}")


@app.command()
def propose(
    bundle: Annotated[Path, typer.Argument(help="The applicant's file.")], acting: As = "", home: Home = DEFAULT_HOME
) -> None:
    """As the sponsor: put an applicant's bundle in, which opens the ballot; the sponsor's vote is in favour."""
    opened = open_bundle_file(bundle)

    async def work() -> Voting:
        async with open_session(home, acting) as session:
            check_addressed(opened, session.topology.consortium, session.member.msp_id)
            gateway = session.gateway("member.apply")
            ballot = await put_in(gateway, opened.signed, opened.bundle)
            _note_partner(session.topology, opened)
            return await _approved(gateway, ballot)

    voting = run(work())
    show_fields(_shown(opened), as_json=False)
    _say_decision(home, voting)


@app.command()
def approve(who: Who, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a member's admin: vote for an applicant, and sign the change of the channel's configuration.

    The last vote that is needed makes the change.
    """

    async def work() -> Voting | None:
        async with open_session(home, acting) as session:
            gateway, msp_id = session.gateway("ballot.vote"), _msp_id(session.topology, who)
            opened = await read_opened_bundle(gateway, msp_id)
            ballot = await newest_ballot(gateway, msp_id, BALLOT_SUBJECT_ADMISSION)
            show_fields(_shown(opened), as_json=False)
            if not yes and not is_agreed("Is this the fingerprint that they told you by telephone?"):
                return None
            _note_partner(session.topology, opened)
            return await _approved(gateway, ballot)

    voting = run(work())
    if voting is None:
        say("Nothing was approved.")
    else:
        _say_decision(home, voting)


@app.command()
def status(who: Who, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Where an application stands: what is done, and who has to do what next."""

    async def work() -> tuple[Topology, Joining]:
        async with open_session(home, acting) as session:
            msp_id = _msp_id(session.topology, who)
            return session.topology, await Joining.read(session.gateway("record.read"), msp_id)

    topology, joining = run(work())
    rows = [
        {
            "step": step.what,
            "done": "yes" if step.is_done else "no",
            "who": [topology.name_of(msp_id) for msp_id in step.msp_ids],
            "command": f"zunft {step.command}" if step.command else "",
        }
        for step in joining.steps()
    ]
    show_rows(rows, as_json=as_json)


@app.command()
def complete(home: Home = DEFAULT_HOME, acting: As = "", fabric_bin: FabricBin = None) -> None:
    """As the applicant: bring the own processes to where the others are, and become active. Can be repeated."""
    topology = Topology.load(home)
    member = topology.member(acting) if acting else topology.members[-1]
    if topology.fabric:
        with steps_shown() as report:
            run(join(network_of(topology, fabric_bin, report), member, report))

    async def work() -> int:
        async with open_session(home, member.name) as session:
            gateway = session.gateway("member.activate")
            await take_part(gateway)
            if topology.fabric and member.orderer:
                await network_of(topology, fabric_bin).site(member).orderer.until_ordering()
                await show_orderers(gateway)
            missing_micro = await missing_deposit_micro(gateway, await read_member(gateway, member.msp_id))
            if not missing_micro:
                await activate(gateway)
            return missing_micro

    if missing_micro := run(work()):
        amount = show_amount(missing_micro)
        say(f"{member.name} runs. What is missing is the charter's deposit: {amount} tokens, minted by the issuer.")
        say(f"{topology.issuer} types: zunft token mint {member.msp_id} {amount} --reference BANK-REFERENCE")
        say_next(home, "join complete")
    else:
        say(f"{member.legal_name} is an active member of {topology.consortium}.")
        say_next(home, "network status" if topology.fabric else "consortium members")


# --- the applicant ----------------------------------------------------------------------------------------------------


def _accept_charter(text: str, yes: bool) -> None:
    """Raises BadArgument."""
    if not yes:
        say(text)
        if not is_agreed("Does your company accept this charter?"):
            raise BadArgument("the charter was not accepted, nothing was done")


def _settle_elsewhere(home: Path, company: Applicant, invitation: Invitation) -> tuple[Topology, MemberKeys]:
    """Raises ConsortiumExists, InvalidApplicant, NetworkError."""
    if not (home / "applicant.yaml").exists():
        found_applicant(home, company)
    elif load_applicant(home).member != company.member:
        raise InvalidApplicant(
            f"{home} belongs to another applicant, or its file has been changed: name another --home"
        )
    topology = accept_invitation(home, invitation, company.member)
    return topology, MemberKeys.load(keys_folder(home, company.member))


def _settle_here(topology: Topology, company: Applicant) -> MemberKeys:
    """Raises MemberExists, NetworkError."""
    if any(one.msp_id == company.member.msp_id for one in topology.members):
        return topology.keys(topology.member(company.member.msp_id))
    return settle_in(topology, company)


async def _read_charter(home: Path) -> Charter:
    async with open_session(home, "") as session:
        return await session.read(keys.CHARTER)


# --- the members ------------------------------------------------------------------------------------------------------


def _msp_id(topology: Topology, who: str) -> str:
    """Of somebody whom this machine may not know yet."""
    return next((one.msp_id for one in topology.everybody if who in (one.name, one.msp_id)), who)


def _note_partner(topology: Topology, opened: OpenedBundle) -> None:
    """So that this machine knows it by a name."""
    bundle = opened.bundle
    name = bundle.msp_id.removesuffix("MSP").lower() or bundle.msp_id
    peer = Endpoint(bundle.peer.host, bundle.peer.port)
    topology.with_partner(MemberEntry(name, bundle.msp_id, bundle.legal_name, peer)).save()


async def _approved(gateway: Gateway, ballot: Ballot) -> Voting:
    """With one's vote, unless it is there and still good, and what follows from it."""
    voting = await Voting.open(gateway, ballot.ballot_id)
    has_voted = gateway.identity.msp_id in {vote.msp_id for vote in voting.ballot.votes}
    if not has_voted or voting.is_overtaken:
        voting = await voting.vote(in_favour=True)
    return await voting.carry_out()


def _shown(opened: OpenedBundle) -> dict[str, object]:
    bundle = opened.bundle
    return {
        "applicant": bundle.legal_name,
        "msp_id": bundle.msp_id,
        "identifiers": [f"{one.scheme} {one.value}" for one in bundle.identifiers],
        "peer": f"{bundle.peer.host}:{bundle.peer.port}",
        "orders": "yes" if bundle.HasField("orderer") else "no",
        "accepts": f"charter version {bundle.charter_version}",
        "fingerprint": opened.fingerprint,
    }


def _say_decision(home: Path, voting: Voting) -> None:
    ballot = voting.ballot
    approvals = sum(vote.in_favour for vote in ballot.votes)
    if ballot.status == BALLOT_STATUS_OPEN:
        silent = ", ".join(silent_msp_ids(ballot))
        say(f"{approvals} of {ballot.needed_approvals} members have approved {ballot.msp_id}; {silent} may vote yet.")
        say_next(home, f"join approve {ballot.msp_id} --as MEMBER")
    elif ballot.status == BALLOT_STATUS_REJECTED:
        say(f"The members have turned {ballot.msp_id} down.")
    else:
        say(f"{ballot.msp_id} is admitted, and the channel knows it. It types: zunft join complete")
