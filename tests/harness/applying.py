"""A company applies, and the members' admins vote: the steps of node/membership, as `zunft join` takes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from chaincode import keys
from chaincode.rights.roles import Role
from consortium.channel.config_update import config_update
from consortium.channel.members import remove_member
from consortium.channel.reader import Channel
from consortium.folder.founding import (
    FIRST_PORT,
    HOST,
)
from consortium.folder.topology import (
    MemberEntry,
    PeerEndpoints,
)
from consortium.joining.applicant import (
    Applicant,
    found_applicant,
    keys_folder,
    load_applicant,
)
from consortium.joining.bundle import (
    Acceptance,
    OpenedBundle,
    sign_bundle,
)
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from ledger.configuration import (
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.gateway import (
    Gateway,
    SigningIdentity,
)
from node.membership.edits import Edit
from node.membership.joining import propose
from node.membership.voting import Voting
from tests.harness.consortium import (
    Consortium,
    msp_id_of,
)
from zunft.v1.ballot_pb2 import Ballot

# Three of these five must approve.
GUILD = ("maker", "factory", "bank", "forge", "press")

_numbers = itertools.count(1)


@contextmanager
def applicant(guild: Consortium, folder: Path) -> Iterator[OpenedBundle]:
    """The bundle of another company each time, with the maker as its sponsor. At the end the channel is without it."""
    applying = company(msp_id_of(f"mill-{next(_numbers)}"))
    yield signed(guild, applying, found_applicant(folder / "home", applying))
    if applying.member.msp_id in channel_of(guild).members:
        change(guild, partial(remove_member, msp_id=applying.member.msp_id))


def company(msp_id: str) -> Applicant:
    """A company that applies, and runs no orderer."""
    name = msp_id.removesuffix("MSP").lower()
    return Applicant(MemberEntry(name, msp_id, name, _here(0), PeerEndpoints(_here(1), _here(2), _here(3))), {})


def _here(number: int) -> Endpoint:
    return Endpoint(HOST, FIRST_PORT + number)


def signed(guild: Consortium, applying: Applicant, own: MemberKeys, sponsor: str = "maker") -> OpenedBundle:
    charter = guild.read(keys.CHARTER)
    accepted = Acceptance(charter.consortium, charter.version, charter.text_digest, msp_id_of(sponsor))
    return sign_bundle(applying, own, accepted, guild.clock.utc())


def another_bundle(guild: Consortium, folder: Path) -> OpenedBundle:
    """Another bundle of the same company."""
    known = load_applicant(folder / "home")
    return signed(guild, known, MemberKeys.load(keys_folder(folder / "home", known.member)))


# --- the members' acts -----------------------------------------------------------------------------------------------


def gateway(guild: Consortium, name: str) -> Gateway:
    """The gateway of the member's admin."""
    return guild.gateway(msp_id_of(name), Role.ADMIN)


def acting(guild: Consortium, name: str, identity: SigningIdentity) -> Gateway:
    """A gateway to the member's peer that signs with another identity."""
    honest = gateway(guild, name)
    return Gateway(honest.transport, identity, channel=honest.channel, clock=lambda: guild.clock.now_us)


def proposed(guild: Consortium, opened: OpenedBundle) -> Ballot:
    with known_to_all(guild, "maker"):
        return guild.run(propose(gateway(guild, "maker"), opened.signed, opened.bundle))


def change(guild: Consortium, edit: Edit, *names: str) -> None:
    """Changes the channel: these members sign, or all where none is named, and the first of them submits the update."""
    signing = names or tuple(member.name for member in guild.members)
    channel = channel_of(guild)
    group = channel.config.channel_group
    update = config_update(channel.name, group, edit(group)).SerializeToString()
    signatures = [sign_update(update, gateway(guild, name).identity) for name in signing]
    with known_to_all(guild, signing[0]):
        guild.run(submit_update(gateway(guild, signing[0]), signed_update(update, signatures)))


def vote(guild: Consortium, name: str, ballot: Ballot, *, in_favour: bool = True) -> Voting:
    """Casts the member's vote, and takes the steps that follow from it."""
    with known_to_all(guild, name):
        return guild.run(vote_by(gateway(guild, name), ballot, in_favour=in_favour))


def approve(guild: Consortium, name: str, ballot: Ballot) -> Voting:
    """Approves as `zunft ballot approve` does, which can be typed again."""

    async def work() -> Voting:
        return await (await Voting.open(gateway(guild, name), ballot.ballot_id)).approve()

    with known_to_all(guild, name):
        return guild.run(work())


@contextmanager
def known_to_all(guild: Consortium, name: str) -> Iterator[None]:
    """Waits at the end until every member's peer has the member's newest block."""
    try:
        yield
    finally:
        guild.catch_up(guild.run(gateway(guild, name).height()) - 1)


async def vote_by(gateway: Gateway, ballot: Ballot, *, in_favour: bool = True) -> Voting:
    voting = await (await Voting.open(gateway, ballot.ballot_id)).vote(in_favour=in_favour)
    return await voting.carry_out()


# --- the members' view -----------------------------------------------------------------------------------------------


def read_ballot(guild: Consortium, ballot: Ballot) -> Ballot:
    return guild.read(keys.ballot(ballot.ballot_id))


def voters(guild: Consortium, ballot: Ballot) -> list[str]:
    return [one.msp_id for one in read_ballot(guild, ballot).votes]


def channel_of(guild: Consortium, name: str = "maker") -> Channel:
    return guild.run(newest_channel(gateway(guild, name)))
