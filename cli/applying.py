"""The applicant's part of `zunft join`: it trusts an invitation, accepts the charter, and signs its bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chaincode import keys
from cli.shared.asking import ask
from cli.shared.errors import BadArgument
from cli.shared.output import say
from cli.shared.session import open_session
from consortium.errors import InvalidApplicant
from consortium.folder.charter_text import adopt_text
from consortium.folder.topology import Topology
from consortium.joining.applicant import (
    Applicant,
    add_applicant,
    check_new_name,
    found_applicant,
    is_applicants,
    keys_folder,
    load_applicant,
)
from consortium.joining.bundle import Acceptance, OpenedBundle, show_fingerprint, sign_bundle
from consortium.joining.invitation import Invitation, accept_invitation, keep_invitation, kept_invitation
from consortium.keys.certificates import utc_now
from consortium.keys.member_keys import MemberKeys
from consortium.yaml_tree import read_text
from zunft.v1.charter_pb2 import Charter

QUESTION = "Is this the fingerprint that they told you by telephone?"


def sign_invited(
    home: Path, company: Applicant, invited: Invitation, sponsor: str, yes: bool
) -> tuple[Topology, OpenedBundle]:
    """The consortium as the applicant's own folder has it, and the bundle that the applicant has signed.

    Raises Declined, BadArgument, InvalidTopology and the errors of `_prepare_own_folder`.
    """
    accepted = _acceptance(invited, sponsor)
    _trust_inviter(invited, yes)
    _accept_charter(invited.charter, yes)
    topology, own = _prepare_own_folder(home, company, invited)
    return topology, sign_bundle(company, own, accepted, utc_now())


async def sign_here(home: Path, company: Applicant, sponsor: str, yes: bool) -> tuple[Topology, OpenedBundle]:
    """The consortium in this folder, on the embedded ledger, and the bundle that the applicant has signed.

    Raises Declined, BadArgument, InvalidTopology, CharterTextMissing, InvalidApplicant, ConsortiumError.
    """
    topology, accepted = await _acceptance_here(home, sponsor)
    _accept_charter(read_text(topology.charter_path), yes)
    check_new_name(topology, company)
    own = add_applicant(topology, company)
    company = replace(company, member=replace(company.member, orderer=None))
    return Topology.load(home), sign_bundle(company, own, accepted, utc_now())


def take_newer(home: Path, invited: Invitation, yes: bool) -> None:
    """Keeps a newer invitation; the user compares its fingerprint unless it is the earlier one's.

    Raises Declined, BadArgument, InvalidInvitation.
    """
    before = kept_invitation(home)
    if before is None or before.fingerprint != invited.fingerprint:
        _trust_inviter(invited, yes)
    keep_invitation(home, invited)


async def charter_in_force(home: Path, acting: str) -> Charter:
    """The charter in force; makes its text the folder's charter.md. Raises CharterTextMissing."""
    async with open_session(home, acting) as session:
        charter = await session.read(keys.CHARTER)
        adopt_text(session.topology, charter)
    return charter


def _trust_inviter(invited: Invitation, yes: bool) -> None:
    """Has the user compare the invitation's fingerprint. Raises Declined, BadArgument."""
    inviter = invited.topology.name_of(invited.inviter_msp_id)
    say(f"Fingerprint of the invitation to {invited.topology.consortium} by {inviter}, to be compared by telephone:")
    say(show_fingerprint(invited.fingerprint))
    otherwise = "the fingerprint is another one, nothing was done: ask for another invitation"
    ask(QUESTION, otherwise, yes=yes)


def _accept_charter(text: str, yes: bool) -> None:
    """Shows the charter and asks whether the company accepts it. Raises Declined, BadArgument."""
    if not yes:
        say(text)
    ask("Does your company accept this charter?", "the charter was not accepted, nothing was done", yes=yes)


def _acceptance(invited: Invitation, sponsor: str) -> Acceptance:
    """The acceptance of the charter in an invitation. Raises InvalidTopology if there is no such sponsor."""
    topology = invited.topology
    sponsor_msp_id = topology.member(sponsor).msp_id
    return Acceptance(topology.consortium, invited.charter_version, invited.charter_digest, sponsor_msp_id)


async def _acceptance_here(home: Path, sponsor: str) -> tuple[Topology, Acceptance]:
    """The consortium in this folder, on the embedded ledger, and the acceptance of its charter.

    Raises BadArgument, InvalidTopology, CharterTextMissing.
    """
    topology = Topology.load(home)
    if topology.fabric:
        raise BadArgument("on a Fabric network an applicant has a folder of its own: add --invitation and --home")
    sponsor_msp_id = topology.member(sponsor).msp_id
    charter = await charter_in_force(home, "")
    return topology, Acceptance(topology.consortium, charter.version, charter.text_digest, sponsor_msp_id)


def _prepare_own_folder(home: Path, company: Applicant, invitation: Invitation) -> tuple[Topology, MemberKeys]:
    """Makes the applicant's own folder, with its keys and the consortium's files.

    Raises ConsortiumExists, InvalidApplicant, InvalidInvitation, ConsortiumError.
    """
    check_new_name(invitation.topology, company)
    if not is_applicants(home):
        found_applicant(home, company)
    elif load_applicant(home) != company:
        raise InvalidApplicant(
            f"{home} belongs to another applicant, or its file has been changed: name another --home"
        )
    topology = accept_invitation(home, invitation, company)
    return topology, MemberKeys.load(keys_folder(home, company.member))
