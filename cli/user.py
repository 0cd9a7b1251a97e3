"""zunft user: a member's people and programs; its own root issues their certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaincode.rights.roles import Role, read_roles
from cli.shared.errors import NoSuchUser, NotPublished
from cli.shared.groups import new_group
from cli.shared.irreversible import warn
from cli.shared.options import DEFAULT_HOME, As, Home, Json, Yes
from cli.shared.output import say, show_rows
from cli.shared.session import Session, meant_member, open_gateway, open_session
from consortium.folder.topology import MemberEntry, Topology
from consortium.keys.certificates import utc_now
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from consortium.keys.renewal import renew_user
from consortium.keys.revoking import certificates_of, revoke_user
from consortium.keys.users import list_users
from ledger.errors import LedgerError
from ledger.gateway import SigningIdentity
from node.local import NODE_USER
from node.revocation import publish_revocations

app = new_group("user")

UserName = Annotated[str, typer.Argument(metavar="NAME", help="The user's name within the member.")]


@app.command()
def add(
    name: UserName,
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Make a user's key, and its certificate with its roles."""
    member, keys = _member(home, acting)
    _say_certificate(member, name, keys.add_user(name, role))


@app.command()
def renew(
    name: UserName,
    same_key: Annotated[bool, typer.Option("--same-key", help="Keep the key.")] = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Make another certificate with the same roles and a fresh key, before or after the old one expires."""
    member, keys = _member(home, acting)
    _say_certificate(member, name, renew_user(keys, name, same_key=same_key))
    say("The old certificate is kept, and valid until it expires; zunft user revoke revokes both.")
    if name == NODE_USER:
        say(f"If the node of {member.name} runs, restart it: it uses the new certificate only then.")


@app.command()
async def revoke(name: UserName, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Revoke a user for good: nobody accepts its signatures any more. An admin of the member signs the revocation."""
    member, keys = _member(home, acting)

    async with open_session(home, acting) as session:
        admin = _other_admin(session, name)
        if not certificates_of(keys, name):
            # This raises UserNotFound, with the names of the users.
            keys.user(name)
        warn(
            f"All certificates of {name} of {member.name} are revoked for good. As soon as the revocation is on the "
            f"ledger, everybody refuses the signatures of {name}, also under transactions that are endorsed already.",
            yes=yes,
        )
        revoke_user(keys, name)
        say(f"{name} of {member.name} is revoked here; the files are kept in users/former.")
        await _publish(session, admin, name)
    say("All peers, orderers and nodes of the consortium refuse it from now on.")
    if member.peer and any(Role.ADMIN in read_roles(one) for one in certificates_of(keys, name)):
        # For requests outside of any channel a peer uses the revocation list that it read at its start.
        say(
            f"As an admin it can still install chaincode on the peer of {member.name} until a restart: "
            f"zunft network restart {member.name}.peer"
        )


@app.command("list")
def list_(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """A member's users: their roles, and how long their certificates last."""
    _, keys = _member(home, acting)
    rows = [
        {
            "user": user.name,
            "roles": user.roles,
            "valid_until_utc": f"{user.valid_until:%Y-%m-%d %H:%M}",
            "days_left": user.days_left,
            "status": user.status,
        }
        for user in list_users(keys, utc_now())
    ]
    show_rows(rows, as_json=as_json, empty="No users yet: zunft user add")


def _member(home: Path, acting: str) -> tuple[MemberEntry, MemberKeys]:
    """The member that has the users, and its keys. Raises BadArgument, InvalidTopology, NobodyHere."""
    topology = Topology.load(home)
    member = meant_member(topology, acting, "that has the users")
    return member, topology.keys(member)


def _other_admin(session: Session, name: str) -> KeyFiles:
    """The files of the admin that signs the revocation: the named user, else any admin; never the revoked user.

    Raises NoSuchUser.
    """
    keys = session.topology.keys(session.member)
    admins = [
        one
        for one in list_users(keys, utc_now())
        if Role.ADMIN in one.roles and one.is_valid and one.name != name and session.user in (None, one.name)
    ]
    if not admins:
        raise NoSuchUser(
            f"the revocation of {name} needs the signature of another admin of {session.member.name}: "
            "zunft user add NAME --role admin"
        )
    return keys.user(admins[0].name)


async def _publish(session: Session, admin: KeyFiles, name: str) -> None:
    """Puts the member's revocations into the channel's configuration, signed by `admin`. Raises NotPublished."""
    identity = SigningIdentity.load(session.member.msp_id, admin.certificate_path, admin.key_path)
    gateway = open_gateway(session.transport, identity, session.topology.channel)
    try:
        await publish_revocations(gateway, session.topology.keys(session.member))
    except LedgerError as error:
        raise NotPublished(
            f"the others do not have the revocation yet: {error}; then type again: "
            f"zunft user revoke {name} --as {session.member.name}"
        ) from error


def _say_certificate(member: MemberEntry, name: str, files: KeyFiles) -> None:
    certificate = files.certificate()
    granted = read_roles(certificate)
    roles = ", ".join(role for role in Role if role in granted)
    ends = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    say(f"{name} of {member.name} has a certificate until {ends}, for {roles}; its key is {files.key_path}.")
