"""An invitation is valid only with the exact bytes that a member's admin has signed. It leads to today's orderers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from hypothesis import given
from hypothesis import strategies as st

from chaincode.rights.roles import Role
from consortium.channel.genesis import (
    ChannelSettings,
    genesis_block,
)
from consortium.channel.orderer_addresses import OrdererAddress
from consortium.errors import (
    ForgedInvitation,
    InvalidInvitation,
)
from consortium.folder.founding import (
    FoundingPlan,
    make_members,
)
from consortium.folder.topology import (
    FabricSettings,
    MemberEntry,
    RuntimeKind,
    Topology,
)
from consortium.joining.applicant import Applicant
from consortium.joining.invitation import (
    Invitation,
    accept_invitation,
    kept_invitation,
    read_invitation,
    write_invitation,
)
from consortium.joining.known_orderers import (
    KnownOrderers,
    known_orderers,
)
from consortium.keys.certificates import (
    KeyPair,
    Validity,
    make_authority,
    utc_now,
)
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from consortium.keys.revoking import revoke_user

MEMBERS = (("maker", "MakerMSP", "Maker"), ("factory", "FactoryMSP", "Factory"))


@dataclass(frozen=True)
class Guild:
    """A consortium on Fabric whose network does not run."""

    topology: Topology
    folder: Path

    def invite(self, author: KeyPair, config_block: common_pb2.Block | None = None) -> Path:
        """Writes an invitation with this configuration of the channel, or the first one. Returns its file."""
        path, genesis = self.folder / "guild.invitation", self.topology.genesis_path.read_bytes()
        write_invitation(path, self.topology, 3, [config_block or common_pb2.Block.FromString(genesis)], author)
        return path

    def keys(self, name: str) -> MemberKeys:
        return self.topology.keys(self.topology.member(name))

    def admin(self) -> KeyPair:
        return self.keys("maker").user("admin").pair()


def make_guild(folder: Path) -> Guild:
    home = folder / "guild"
    home.mkdir()
    plan = FoundingPlan(
        "Guild", "zunft", "EUR", "maker", "The charter: ü", MEMBERS, 7800, FabricSettings(RuntimeKind.DOCKER)
    )
    return Guild(make_members(home, plan), folder)


@pytest.fixture(scope="module")
def guild(tmp_path_factory: pytest.TempPathFactory) -> Guild:
    return make_guild(tmp_path_factory.mktemp("guild"))


@pytest.fixture(scope="module")
def invitation(guild: Guild) -> bytes:
    return guild.invite(guild.admin()).read_bytes()


def read(folder: Path, data: bytes, now: datetime | None = None) -> Invitation:
    path = folder / "read.invitation"
    path.write_bytes(data)
    return read_invitation(path, now or utc_now())


def test_an_invitation_has_all_that_an_applicant_needs(guild: Guild, invitation: bytes, tmp_path: Path) -> None:
    read_one = read(tmp_path, invitation)
    assert (read_one.charter_version, read_one.charter, read_one.inviter_msp_id) == (3, "The charter: ü", "MakerMSP")
    assert [one.name for one in read_one.topology.partners] == ["maker", "factory"]
    mill = MemberEntry("mill", "MillMSP", "Mill", Endpoint("127.0.0.1", 7900))
    accepted = accept_invitation(tmp_path, read_one, Applicant(mill, {}))
    assert accepted == Topology.load(tmp_path)
    assert accepted.genesis_path.read_bytes() == guild.topology.genesis_path.read_bytes()
    # Each member chooses its own runtime, so the applicant does not take over the others'.
    assert accepted.fabric
    assert accepted.fabric.runtime is RuntimeKind.NATIVE
    assert kept_invitation(tmp_path) == read_one
    known = known_orderers(accepted)
    assert known.detours(known.addresses) == []


@given(position=st.integers(min_value=0), change=st.integers(1, 255))
def test_a_changed_byte_is_refused(
    tmp_path_factory: pytest.TempPathFactory, invitation: bytes, position: int, change: int
) -> None:
    changed = bytearray(invitation)
    changed[position % len(changed)] ^= change
    with pytest.raises(InvalidInvitation):
        read(tmp_path_factory.getbasetemp(), bytes(changed))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"charter_version: 3", b"charter_version: 4"),
        (b"127.0.0.1", b"127.0.0.2"),
        (b"signature: ", b"x: y\nsignature: "),
        (b"signature: ", b"signature:  "),
    ],
)
def test_a_change_after_the_signature_is_named(invitation: bytes, tmp_path: Path, right: bytes, wrong: bytes) -> None:
    with pytest.raises(ForgedInvitation, match="was changed afterwards; ask for another"):
        read(tmp_path, invitation.replace(right, wrong))


def test_a_cut_file_and_one_of_another_kind_are_refused(invitation: bytes, tmp_path: Path) -> None:
    for data in (invitation[:-1], invitation[:1000], invitation + b"\n", b"", b"invitation: 1\n", b"\xff\xfe"):
        with pytest.raises(InvalidInvitation):
            read(tmp_path, data)
    with pytest.raises(InvalidInvitation, match="cannot be read"):
        read_invitation(tmp_path / "missing", utc_now())


def test_only_a_members_admin_can_invite(tmp_path: Path) -> None:
    guild, other = make_guild(tmp_path), tmp_path / "other"
    stranger = MemberKeys.create(other, "MakerMSP")
    outsider = MemberKeys.create(tmp_path / "outsider", "MillMSP")
    authors = [
        guild.keys("maker").add_user("boss", [Role.TREASURER]).pair(),
        stranger.add_user("admin", [Role.ADMIN]).pair(),
        outsider.add_user("admin", [Role.ADMIN]).pair(),
        make_authority("msp-ca.MakerMSP", "MakerMSP", Validity()),
    ]
    for author in authors:
        with pytest.raises(ForgedInvitation, match="no admin of a member"):
            read_invitation(guild.invite(author), utc_now())


def test_an_admin_whose_certificate_has_expired_or_is_revoked_cannot_invite(tmp_path: Path) -> None:
    guild = make_guild(tmp_path)
    path = guild.invite(guild.admin())
    with pytest.raises(ForgedInvitation, match=r"expired on .*another admin must sign"):
        read_invitation(path, utc_now() + timedelta(days=5000))
    keys = guild.keys("maker")
    revoked = keys.add_user("former", [Role.ADMIN]).pair()
    revoke_user(keys, "former")
    material = [guild.keys(name).public_material() for name in ("maker", "factory")]
    later = genesis_block(ChannelSettings("zunft", material, None))
    with pytest.raises(ForgedInvitation, match="MakerMSP has revoked"):
        read_invitation(guild.invite(revoked, later), utc_now())


def test_the_fingerprint_is_of_the_first_block_and_of_the_inviter(guild: Guild, tmp_path: Path) -> None:
    by_maker = read_invitation(guild.invite(guild.admin()), utc_now()).fingerprint
    deputy = guild.keys("maker").add_user("deputy", [Role.ADMIN]).pair()
    assert read_invitation(guild.invite(deputy), utc_now()).fingerprint == by_maker
    factory = guild.keys("factory").user("admin").pair()
    assert read_invitation(guild.invite(factory), utc_now()).fingerprint != by_maker
    other = make_guild(tmp_path)
    assert read_invitation(other.invite(other.admin()), utc_now()).fingerprint != by_maker


# --- the way to the orderers ------------------------------------------------------------------------------------------


def address(port: int, roots: bytes = b"roots") -> OrdererAddress:
    return OrdererAddress("MakerMSP", Endpoint("127.0.0.1", port), roots)


def known(first: list[OrdererAddress], newest: list[OrdererAddress], *former: int) -> KnownOrderers:
    return KnownOrderers(
        {one.endpoint: one for one in first},
        {one.endpoint: one for one in newest},
        tuple(Endpoint("127.0.0.1", port) for port in former),
    )


@pytest.mark.parametrize(
    ("first", "newest", "former", "serving", "ways"),
    [
        # All orderers serve.
        ([1, 2], [1, 2, 3], [], [1, 2, 3], {}),
        # One is not in the newest configuration, and one does not run.
        ([1, 2], [2, 3, 4], [], [3, 4], {1: 3, 2: 4}),
        # None of the first ones and none of the later ones are left.
        ([1, 2], [5, 6], [3, 4], [5, 6], {1: 5, 2: 6, 3: 5, 4: 6}),
        # Only one serves.
        ([1], [2, 3], [], [3], {1: 3, 2: 3}),
    ],
)
def test_a_peer_is_led_past_those_that_do_not_serve(
    first: list[int], newest: list[int], former: list[int], serving: list[int], ways: dict[int, int]
) -> None:
    orderers = known([*map(address, first)], [*map(address, newest)], *former)
    detours = orderers.detours([*map(address, serving)])
    assert {one.origin.port: one.orderer.endpoint.port for one in detours} == ways


def test_an_orderer_with_new_certificates_is_reached_with_these() -> None:
    orderers = known([address(1), address(2)], [address(1, b"other roots"), address(2)])
    [way] = orderers.detours(orderers.addresses)
    assert (way.origin.port, way.orderer) == (1, address(1, b"other roots"))
