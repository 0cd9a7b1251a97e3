"""New certificates for old ones: names and roles stay, former pairs are kept, and an interruption does no harm."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from chaincode.rights.roles import read_roles
from consortium.errors import (
    CertificateExpired,
    ForeignCertificate,
    KeyMismatch,
    UserNotFound,
)
from consortium.keys import key_switch
from consortium.keys.certificates import (
    KeyPair,
    NodeKind,
    Validity,
    is_low_s,
    reissue,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from consortium.keys.renewal import (
    prepare_node,
    renew_node,
    renew_user,
    switch_node,
)

DAY = timedelta(days=1)
FOUNDED = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Calendar:
    """A clock whose time a test sets."""

    def __init__(self) -> None:
        self.now = FOUNDED

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def member(tmp_path: Path, calendar: Calendar) -> MemberKeys:
    validity = Validity(authority=100 * DAY, identity=10 * DAY, clock=calendar)
    keys = MemberKeys.create(tmp_path / "maker", "MakerMSP", validity=validity)
    keys.add_user("anna", ["operator", "erp"])
    keys.add_user("anna-maria", ["admin"])
    keys.add_node(NodeKind.ORDERER, hosts=["orderer.maker.example", "10.0.0.7"])
    return keys


def public(pair: KeyPair) -> object:
    return pair.certificate.public_key()


@pytest.mark.parametrize("same_key", [False, True])
@pytest.mark.parametrize("after_days", [1, 11])
def test_a_user_is_the_same_with_a_later_end(
    member: MemberKeys, calendar: Calendar, after_days: int, same_key: bool
) -> None:
    before = member.user("anna").pair()
    calendar.now += after_days * DAY
    after = renew_user(member, "anna", same_key=same_key).pair(now=calendar.now)
    assert after.certificate.not_valid_after_utc == calendar.now + 10 * DAY
    assert (public(after) == public(before)) is same_key
    assert after.certificate.serial_number != before.certificate.serial_number
    assert after.certificate.subject == before.certificate.subject
    assert read_roles(after.certificate) == {"operator", "erp"}
    assert is_low_s(after.certificate.signature)
    [kept] = key_switch.former_of(member.user("anna"))
    assert (kept.pair().certificate, kept.pair().key_pem) == (before.certificate, before.key_pem)
    assert kept.key_path.stat().st_mode & 0o777 == 0o600
    assert member.users() == ["anna", "anna-maria"]


def test_a_node_keeps_its_hosts(member: MemberKeys, calendar: Calendar) -> None:
    kind, calendar.now = NodeKind.ORDERER, FOUNDED + 9 * DAY

    def in_use() -> list[x509.Certificate]:
        return [files.pair().certificate for files in (member.node(kind), member.node_tls(kind))]

    old = in_use()
    new = [files.pair().certificate for files in prepare_node(member, kind)]
    assert in_use() == old
    names = [one.extensions.get_extension_for_class(x509.SubjectAlternativeName) for one in (old[1], new[1])]
    assert names[0] == names[1]
    switch_node(member, kind)
    assert in_use() == new
    assert new[0].public_key() != old[0].public_key()
    renew_node(member, kind, same_key=True)
    assert [one.public_key() for one in in_use()] == [one.public_key() for one in new]
    assert in_use() != new


def test_nothing_outlives_its_authority(member: MemberKeys, calendar: Calendar) -> None:
    calendar.now += 95 * DAY
    assert renew_user(member, "anna").certificate().not_valid_after_utc == FOUNDED + 100 * DAY
    calendar.now += 6 * DAY
    before = member.user("anna").pair().certificate
    with pytest.raises(CertificateExpired, match="CA certificate"):
        renew_user(member, "anna")
    assert member.user("anna").pair().certificate == before


def prepared(member: MemberKeys) -> tuple[KeyFiles, KeyFiles]:
    files = member.user("anna")
    pair = reissue(member.authority("msp"), files.certificate(), member.validity)
    return files, key_switch.prepare(files, pair)


def die_before_the_switch(member: MemberKeys) -> None:
    prepared(member)


def die_with_the_key_switched(member: MemberKeys) -> None:
    files, following = prepared(member)
    following.key_path.replace(files.key_path)
    with pytest.raises(KeyMismatch):
        files.pair()


def die_with_half_a_new_pair(member: MemberKeys) -> None:
    prepared(member)[1].certificate_path.unlink()


@pytest.mark.parametrize("die", [die_before_the_switch, die_with_the_key_switched, die_with_half_a_new_pair])
def test_an_interrupted_renewal_leaves_the_old_pair_or_the_new_one(
    member: MemberKeys, die: Callable[[MemberKeys], None]
) -> None:
    before = member.user("anna").pair()
    die(member)
    loaded = MemberKeys.load(member.folder, validity=member.validity)
    was_switched = loaded.user("anna").pair().certificate != before.certificate
    assert was_switched is (die is die_with_the_key_switched)
    renew_user(loaded, "anna")
    assert loaded.user("anna").pair().certificate != before.certificate
    assert loaded.users() == ["anna", "anna-maria"]


def test_a_certificate_of_another_issuer_is_not_renewed(member: MemberKeys, tmp_path: Path) -> None:
    stranger = MemberKeys.create(tmp_path / "stranger", "MakerMSP").add_user("anna", ["admin"])
    files = member.user("anna")
    files.certificate_path.write_bytes(stranger.certificate_pem())
    files.key_path.write_bytes(stranger.key_pem())
    with pytest.raises(ForeignCertificate, match="'anna' was not issued"):
        renew_user(member, "anna")


def test_unknown_users_and_nodes_are_named(member: MemberKeys, tmp_path: Path) -> None:
    with pytest.raises(UserNotFound, match="users: anna, anna-maria"):
        renew_user(member, "berta")
    with pytest.raises(UserNotFound, match="no orderer"):
        renew_node(MemberKeys.create(tmp_path / "factory", "FactoryMSP"), NodeKind.ORDERER)


def test_simultaneous_renewals_leave_a_matching_pair(member: MemberKeys) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: renew_user(member, "anna"), range(12)))
    assert member.user("anna").pair()
    assert len(key_switch.former_of(member.user("anna"))) == 12
