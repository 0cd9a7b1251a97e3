"""A member has the other members' admins sign a change of the channel's configuration that they do not decide on.

It stands beside the right one, before it, behind it, or many times. A ballot of an earlier contract names updates,
which anybody may have put into it; this contract refuses a request with updates in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.msp import identities_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaincode import keys
from chaincode.errors import ContractError
from chaincode.members.electorate import BALLOT_PERIOD_S
from consortium.channel.config_group import (
    copied,
    set_policy,
)
from consortium.channel.config_update import config_update
from consortium.channel.policies import (
    ANY,
    implicit_meta,
)
from consortium.channel.reader import Channel
from consortium.joining.bundle import OpenedBundle
from node.membership.edits import channel_edit
from node.membership.voting import Voting
from tests.attacks.rogue import rewritten
from tests.harness import (
    Consortium,
    on_ledgers,
    only_on,
    start_consortium,
)
from tests.harness.applying import (
    GUILD,
    applicant,
    approve,
    channel_of,
    gateway,
    proposed,
    read_ballot,
    vote,
)
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_SUBJECT_ADMISSION, Ballot, EditSignatures
from zunft.v1.member_pb2 import ApplyMember

# The honest members, which can decide without the forge.
HONEST = ("maker", "factory", "bank")


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=GUILD) as consortium:
        consortium.found()
        yield consortium


@pytest.fixture
def applying(guild: Consortium, tmp_path: Path) -> Iterator[OpenedBundle]:
    with applicant(guild, tmp_path) as opened:
        yield opened


def evil_update(channel: Channel) -> bytes:
    """An update after which any one member can endorse and change everything."""
    group = copied(channel.config.channel_group)
    for name in ("Endorsement", "Admins"):
        set_policy(group.groups["Application"], name, implicit_meta(ANY, name))
    update = config_update(channel.name, channel.config.channel_group, group)
    return update.SerializeToString(deterministic=True)


def good_updates(channel: Channel, opened: OpenedBundle) -> list[bytes]:
    edit = channel_edit(channel, BALLOT_SUBJECT_ADMISSION, opened.bundle.msp_id, opened.bundle)
    # In an earlier program it was a message.
    return list(getattr(edit, "config_updates", edit))


def evil_in_force(channel: Channel) -> bool:
    evil = implicit_meta(ANY, "Endorsement")
    return channel.policy("/Channel/Application/Endorsement") == evil


@pytest.mark.fault(1)
def test_an_update_that_the_sponsor_adds_to_the_right_one_is_not_signed(
    guild: Consortium, applying: OpenedBundle
) -> None:
    """The maker is the rogue; its own signature and two honest ones would be a majority."""
    channel = channel_of(guild)
    evil, good = evil_update(channel), good_updates(channel, applying)
    ballot = smuggle(guild, applying, [evil, *good]) or proposed(guild, applying)
    for name in ("factory", "bank", "forge"):
        approve(guild, name, ballot)
    assert not evil_in_force(channel_of(guild))
    assert not signed_by_others(guild, ballot, evil)
    assert applying.bundle.msp_id in channel_of(guild).members


def smuggle(guild: Consortium, opened: OpenedBundle, updates: Sequence[bytes]) -> Ballot | None:
    """The ballot of a request with updates in field 1 of its field 3, as earlier contracts took it; None if refused."""
    edit = b"".join(field(1, update) for update in updates) + b"\x10\x01"
    request = ApplyMember(msp_id=opened.bundle.msp_id, signed_bundle=opened.signed).SerializeToString() + field(3, edit)
    try:
        return Ballot.FromString(guild.submit("MakerMSP", "admin", "member.apply", request))
    except ContractError:
        return None


def field(number: int, data: bytes) -> bytes:
    """A field of bytes in protobuf's wire format."""
    size, length = len(data), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


# --- in a ballot that an earlier contract has opened ------------------------------------------------------------------


@pytest.mark.fault(1)
def test_an_update_in_an_older_ballot_is_not_signed(guild: Consortium, applying: OpenedBundle) -> None:
    ballot = proposed(guild, applying)
    evil = evil_update(channel_of(guild))
    plant(guild, ballot, [evil, *good_updates(channel_of(guild), applying)])
    for name in HONEST:
        approve(guild, name, ballot)
    assert read_ballot(guild, ballot).status == BALLOT_STATUS_CARRIED
    assert not evil_in_force(channel_of(guild))
    assert applying.bundle.msp_id in channel_of(guild).members
    assert not signed_by_others(guild, ballot, evil)


@pytest.mark.fault(1)
# The same program signs on either ledger, and this test takes many ballots.
@only_on("embedded", "guild")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_other_list_is_ever_signed(
    data: st.DataObject, guild: Consortium, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A ballot may name any updates, in any number and order."""
    with applicant(guild, tmp_path_factory.mktemp("applicant")) as opened:
        ballot = proposed(guild, opened)
        good = good_updates(channel_of(guild), opened)
        evil = evil_update(channel_of(guild))
        junk = data.draw(st.binary(max_size=8))
        names = st.sampled_from([evil, junk, evil + good[0], *good, *(one + b"\x00" for one in good)])
        plant(guild, ballot, data.draw(st.lists(names, max_size=6)))
        voter = data.draw(st.sampled_from(HONEST))
        vote(guild, voter, ballot)
        signed = guild.run(_signatures(guild, ballot))
        assert [list(one.update_digests) for one in signed] == [[hashlib.sha256(one).digest() for one in good]]
        assert [signed_updates(one, [evil, junk, *good]) for one in signed] == [good]
        # The ballot is turned down and its period passes, since a sponsor has only so many applications in a period.
        for name in [one for one in GUILD if one != voter][:3]:
            guild.member(name).admin.vote(ballot, in_favour=False)
        guild.clock.advance(BALLOT_PERIOD_S)


def plant(guild: Consortium, ballot: Ballot, updates: Sequence[bytes]) -> None:
    """Puts the ballot on the ledger as an earlier contract would have written it."""
    older = read_ballot(guild, ballot)
    older.ClearField("bundle_digest")
    older.edit.config_updates.extend(updates)
    rewritten(guild, {keys.ballot(ballot.ballot_id): older})


# --- signatures -------------------------------------------------------------------------------------------------------


async def _signatures(guild: Consortium, ballot: Ballot) -> Sequence[EditSignatures]:
    return (await Voting.open(gateway(guild, "press"), ballot.ballot_id)).signed


def signed_by_others(guild: Consortium, ballot: Ballot, update: bytes) -> bool:
    """Whether the ledger has a signature over these bytes, in a vote or beside it."""
    found = [data for one in read_ballot(guild, ballot).votes for data in one.config_signatures]
    prefix = f"signatures/{ballot.ballot_id}/"
    for key, value in guild.public.items():
        if key.startswith(prefix):
            found += EditSignatures.FromString(value).config_signatures
    return any(holds(data, update) for data in found)


def signed_updates(signed: EditSignatures, updates: Sequence[bytes]) -> list[bytes]:
    return [one for one in updates if any(holds(data, one) for data in signed.config_signatures)]


def holds(data: bytes, update: bytes) -> bool:
    signature = configtx_pb2.ConfigSignature.FromString(data)
    header = common_pb2.SignatureHeader.FromString(signature.signature_header)
    pem = identities_pb2.SerializedIdentity.FromString(header.creator).id_bytes
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(signature.signature, signature.signature_header + update, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
