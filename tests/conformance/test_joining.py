"""What the members' admins sign when a company wants to join, and what those get who want them to sign something else.

The steps are those of node/membership, as `zunft join` takes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fabric_protos.common import configtx_pb2

from chaincode import keys
from chaincode.errors import Replay, VotedAlready, WrongSignature, WrongStatus
from chaincode.roles import Role
from network.applicant import Applicant, found_applicant, keys_folder, load_applicant
from network.bundle import Acceptance, OpenedBundle, sign_bundle
from network.channel_reader import Channel
from network.config_update import config_update
from network.errors import MemberInChannel
from network.founding import FIRST_PORT, HOST
from network.member_keys import MemberKeys
from network.member_material import Endpoint
from network.membership import add_member, remove_member
from network.revoking import revoke_user
from network.topology import MemberEntry, PeerEndpoints
from node.ledger.configuration import newest_channel, sign_update, signed_update, submit_update
from node.ledger.errors import LedgerError
from node.ledger.gateway import Gateway, SigningIdentity
from node.membership.edits import Edit, channel_edit, material_of
from node.membership.errors import MissingSignatures, StrangeEdit
from node.membership.joining import propose
from node.membership.voting import Voting
from node.revocation import publish_revocations
from tests.consortium import Consortium, on_ledgers, start_consortium
from tests.consortium.consortium import msp_id_of
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_STATUS_OPEN, BALLOT_SUBJECT_ADMISSION, Ballot, CastVote
from zunft.v1.member_pb2 import ApplyMember, ChannelEdit

CLERK = "clerk"


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, of which three must approve."""
    folder = tmp_path_factory.mktemp("guild")
    with start_consortium(folder, request.param, names=("maker", "factory", "bank", "forge", "press")) as consortium:
        consortium.found()
        yield consortium


_numbers = itertools.count(1)


@pytest.fixture
def applying(guild: Consortium, tmp_path: Path) -> Iterator[OpenedBundle]:
    """Of another company for each test; the maker is to put it in. At the end the channel is without it."""
    name = f"mill-{next(_numbers)}"
    member = MemberEntry(name, msp_id_of(name), name, here(0), PeerEndpoints(here(1), here(2), here(3)))
    applicant = Applicant(member, {})
    own = found_applicant(tmp_path / "home", applicant)
    yield signed(guild, applicant, own)
    if member.msp_id in channel_of(guild).members:
        change(guild, partial(remove_member, msp_id=member.msp_id))


def here(number: int) -> Endpoint:
    return Endpoint(HOST, FIRST_PORT + number)


def signed(guild: Consortium, applicant: Applicant, own: MemberKeys) -> OpenedBundle:
    charter = guild.read(keys.CHARTER)
    accepted = Acceptance(charter.consortium, charter.version, charter.text_digest, "MakerMSP")
    return sign_bundle(applicant, own, accepted, guild.clock.utc())


def applied_again(guild: Consortium, folder: Path) -> OpenedBundle:
    """Another bundle, of the same company."""
    applicant = load_applicant(folder / "home")
    return signed(guild, applicant, MemberKeys.load(keys_folder(folder / "home", applicant.member)))


# --- whoever wants something else signed -----------------------------------------------------------------------------


def one_byte(channel: Channel, opened: OpenedBundle) -> ChannelEdit:
    """Of the applicant's root."""
    edit = channel_edit(channel, BALLOT_SUBJECT_ADMISSION, opened.bundle.msp_id, opened.bundle)
    [update] = edit.config_updates
    place = update.index(b"MII") + 40
    edit.config_updates[0] = update[:place] + bytes([update[place] ^ 1]) + update[place + 1 :]
    return edit


def an_accomplice(channel: Channel, opened: OpenedBundle) -> ChannelEdit:
    """Who is admitted along with the applicant."""
    group = channel.config.channel_group
    accomplice = replace(material_of(opened.bundle), msp_id="AccompliceMSP")
    both = add_member(add_member(group, material_of(opened.bundle)), accomplice)
    return edit_of(config_update(channel.name, group, both), channel.sequence)


def a_later_configuration(channel: Channel, opened: OpenedBundle) -> ChannelEdit:
    """From which nobody can have computed it."""
    edit = channel_edit(channel, BALLOT_SUBJECT_ADMISSION, opened.bundle.msp_id, opened.bundle)
    edit.base_sequence += 1
    edit.config_updates[0] += an_accomplice(channel, opened).config_updates[0]
    return edit


def an_earlier_configuration(channel: Channel, opened: OpenedBundle) -> ChannelEdit:
    """So that the others take it for overtaken."""
    edit = an_accomplice(channel, opened)
    edit.base_sequence -= 1
    return edit


def edit_of(update: configtx_pb2.ConfigUpdate, base_sequence: int) -> ChannelEdit:
    return ChannelEdit(config_updates=[update.SerializeToString(deterministic=True)], base_sequence=base_sequence)


@pytest.mark.parametrize(
    ("altered", "error"), [(one_byte, StrangeEdit), (an_accomplice, StrangeEdit), (a_later_configuration, WrongStatus)]
)
def test_nobody_signs_another_update_than_the_bundle_leads_to(
    guild: Consortium,
    applying: OpenedBundle,
    altered: Callable[[Channel, OpenedBundle], ChannelEdit],
    error: type[Exception],
) -> None:
    ballot = smuggled(guild, applying, altered)
    with pytest.raises(error) as refusal:
        vote(guild, "factory", ballot)
    if error is StrangeEdit:
        assert "do not approve it, and ask MakerMSP why" in str(refusal.value)
    assert voters(guild, ballot) == ["MakerMSP"]
    assert applying.bundle.msp_id not in channel_of(guild).members


def test_an_update_that_passes_for_overtaken_is_replaced_by_the_honest_one(
    guild: Consortium, applying: OpenedBundle
) -> None:
    change(guild, partial(add_member, member=material_of(applying.bundle)))
    change(guild, partial(remove_member, msp_id=applying.bundle.msp_id))
    ballot = smuggled(guild, applying, an_earlier_configuration)
    for name in ("factory", "bank", "maker"):
        voting = vote(guild, name, ballot)
    assert voting.ballot.renewal_count == 1
    members = channel_of(guild).members
    assert applying.bundle.msp_id in members
    assert "AccompliceMSP" not in members


def test_each_votes_once_and_for_itself(guild: Consortium, applying: OpenedBundle) -> None:
    ballot = proposed(guild, applying)
    vote(guild, "maker", ballot)
    with pytest.raises(VotedAlready):
        vote(guild, "maker", ballot)

    makers = read_ballot(guild, ballot).votes[0].config_signatures
    request = CastVote(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, in_favour=True, config_signatures=makers)
    with pytest.raises(WrongSignature):
        guild.run(gateway(guild, "factory").submit("ballot.vote", request))

    own, bank = gateway(guild, "factory").identity, gateway(guild, "bank").identity
    masks = (
        replace(own, msp_id="BankMSP"),
        replace(own, certificate_pem=bank.certificate_pem, msp_id="BankMSP"),
    )
    for mask in masks:
        with pytest.raises(LedgerError):
            guild.run(vote_by(acting(guild, "factory", mask), ballot))
    assert voters(guild, ballot) == ["MakerMSP"]


# --- whoever uses a bundle again -------------------------------------------------------------------------------------


def test_a_bundle_that_was_turned_down_is_not_put_in_again(guild: Consortium, applying: OpenedBundle) -> None:
    ballot = proposed(guild, applying)
    for name in ("factory", "bank", "forge"):
        vote(guild, name, ballot, in_favour=False)
    with pytest.raises(Replay):
        proposed(guild, applying)


def test_a_bundle_put_in_twice_opens_one_ballot(guild: Consortium, applying: OpenedBundle, tmp_path: Path) -> None:
    ballot = proposed(guild, applying)
    assert proposed(guild, applying) == ballot
    for name in ("maker", "factory", "bank"):
        vote(guild, name, ballot)
    assert applying.bundle.msp_id in channel_of(guild).members
    assert proposed(guild, applying) == read_ballot(guild, ballot)
    guild.clock.advance(1)
    with pytest.raises(MemberInChannel, match="zunft join complete"):
        proposed(guild, applied_again(guild, tmp_path))


# --- whose certificate was revoked -----------------------------------------------------------------------------------


def test_what_a_revoked_admin_signs_or_has_signed_counts_no_more(guild: Consortium, applying: OpenedBundle) -> None:
    bank = guild.topology.keys(guild.topology.member("bank"))
    clerk = clerk_of(bank)
    ballot = proposed(guild, applying)
    with known_to_all(guild, "bank"):
        guild.run(vote_by(acting(guild, "bank", clerk), ballot))
        revoke_user(bank, CLERK)
        guild.run(publish_revocations(gateway(guild, "bank"), bank))

    with pytest.raises(LedgerError):
        guild.run(vote_by(acting(guild, "bank", clerk), ballot))
    vote(guild, "maker", ballot)
    with pytest.raises(MissingSignatures, match="ForgeMSP, PressMSP may still approve"):
        vote(guild, "factory", ballot)
    assert read_ballot(guild, ballot).status == BALLOT_STATUS_CARRIED
    assert applying.bundle.msp_id not in channel_of(guild).members
    vote(guild, "forge", ballot)
    assert applying.bundle.msp_id in channel_of(guild).members


# --- what the members do ---------------------------------------------------------------------------------------------


def gateway(guild: Consortium, name: str) -> Gateway:
    """As the member's admin."""
    return guild.gateway(msp_id_of(name), Role.ADMIN)


def acting(guild: Consortium, name: str, identity: SigningIdentity) -> Gateway:
    """As somebody else, on the member's peer."""
    honest = gateway(guild, name)
    return Gateway(honest.transport, identity, channel=honest.channel, clock=lambda: guild.clock.now_us)


def proposed(guild: Consortium, opened: OpenedBundle) -> Ballot:
    with known_to_all(guild, "maker"):
        return guild.run(propose(gateway(guild, "maker"), opened.signed, opened.bundle))


def change(guild: Consortium, edit: Edit) -> None:
    """All members sign."""
    channel = channel_of(guild)
    group = channel.config.channel_group
    update = config_update(channel.name, group, edit(group)).SerializeToString()
    signatures = [sign_update(update, gateway(guild, member.name).identity) for member in guild.members]
    with known_to_all(guild, "maker"):
        guild.run(submit_update(gateway(guild, "maker"), signed_update(update, signatures)))


def smuggled(
    guild: Consortium, opened: OpenedBundle, altered: Callable[[Channel, OpenedBundle], ChannelEdit]
) -> Ballot:
    """The maker puts the bundle in with another update, which it signs."""
    request = ApplyMember(
        msp_id=opened.bundle.msp_id, signed_bundle=opened.signed, edit=altered(channel_of(guild), opened)
    )
    maker = guild.member("maker")
    ballot = Ballot.FromString(maker.call("member.apply", request))
    assert maker.admin.vote(ballot).status == BALLOT_STATUS_OPEN
    return ballot


def vote(guild: Consortium, name: str, ballot: Ballot, *, in_favour: bool = True) -> Voting:
    """And what follows from it."""
    with known_to_all(guild, name):
        return guild.run(vote_by(gateway(guild, name), ballot, in_favour=in_favour))


@contextmanager
def known_to_all(guild: Consortium, name: str) -> Iterator[None]:
    """Whatever the member has done, every other's peer knows of it afterwards."""
    try:
        yield
    finally:
        guild.catch_up(guild.run(gateway(guild, name).height()) - 1)


async def vote_by(gateway: Gateway, ballot: Ballot, *, in_favour: bool = True) -> Voting:
    voting = await (await Voting.open(gateway, ballot.ballot_id)).vote(in_favour=in_favour)
    return await voting.carry_out()


def read_ballot(guild: Consortium, ballot: Ballot) -> Ballot:
    return guild.run(Voting.open(gateway(guild, "press"), ballot.ballot_id)).ballot


def voters(guild: Consortium, ballot: Ballot) -> list[str]:
    return [one.msp_id for one in read_ballot(guild, ballot).votes]


def channel_of(guild: Consortium) -> Channel:
    return guild.run(newest_channel(gateway(guild, "press")))


def clerk_of(own: MemberKeys) -> SigningIdentity:
    files = own.add_user(CLERK, [Role.ADMIN])
    return SigningIdentity.load(own.msp_id, files.certificate_path, files.key_path)
