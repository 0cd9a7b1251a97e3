"""Revocation lists: no entry is ever removed, others can check a list, and a revoked user's files are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from consortium.errors import (
    LastAdmin,
    UnreadableRevocations,
    UserNotFound,
)
from consortium.keys.certificates import (
    Validity,
    make_authority,
    utc_now,
)
from consortium.keys.member_keys import MemberKeys
from consortium.keys.renewal import renew_user
from consortium.keys.revocation import (
    Revocations,
    read_revocations,
)
from consortium.keys.revoking import (
    revocations_of,
    revoke_user,
    unite_revocations,
)
from consortium.keys.users import (
    UserStatus,
    admin_of,
    list_users,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = make_authority("msp-ca.MakerMSP", "MakerMSP", Validity()).certificate


@pytest.fixture
def member(tmp_path: Path) -> MemberKeys:
    keys = MemberKeys.create(tmp_path / "maker", "MakerMSP")
    keys.add_user("admin", ["admin"])
    keys.add_user("anna", ["erp"])
    keys.add_user("anna-maria", ["treasurer"])
    return keys


def serials(revoked: Revocations) -> set[int]:
    return set(revoked.time_by_serial)


def test_all_certificates_that_a_user_ever_had_are_revoked_and_kept(member: MemberKeys) -> None:
    certificates = [member.user("anna").certificate(), renew_user(member, "anna").certificate()]
    revoked = revoke_user(member, "anna")
    assert (revoked.number, serials(revoked)) == (1, {one.serial_number for one in certificates})
    assert member.users() == ["admin", "anna-maria"]
    former = sorted(path.name for path in (member.folder / "users" / "former").iterdir())
    assert former == sorted(f"anna-{one.serial_number:x}.{end}" for one in certificates for end in ("pem", "key"))
    with pytest.raises(UserNotFound, match="no user 'anna'"):
        member.user("anna")
    assert serials(revoke_user(member, "anna")) == serials(revoked)
    assert revocations_of(member).number == 1


def test_the_list_is_one_that_every_verifier_understands(member: MemberKeys) -> None:
    revoke_user(member, "anna")
    [pem] = member.public_material().revocation_lists
    crl, root = x509.load_pem_x509_crl(pem), x509.load_pem_x509_certificate(member.root_pem())
    assert crl.is_signature_valid(root.public_key())  # type: ignore[arg-type]
    assert crl.issuer == root.subject
    assert crl.next_update_utc == root.not_valid_after_utc
    known_by = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert known_by == root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_a_revoked_users_name_can_be_used_again(member: MemberKeys) -> None:
    revoke_user(member, "anna")
    member.add_user("anna", ["auditor"])
    status = {user.name: user.status for user in list_users(member, utc_now())}
    assert status == {"admin": UserStatus.VALID, "anna": UserStatus.VALID, "anna-maria": UserStatus.VALID}
    revoke_user(member, "anna")
    assert len(serials(revocations_of(member))) == 2


def test_a_member_keeps_an_admin(member: MemberKeys) -> None:
    with pytest.raises(LastAdmin, match="--role admin"):
        revoke_user(member, "admin")
    assert not member.revocation_lists()
    member.add_user("deputy", ["admin"])
    revoke_user(member, "admin")
    assert admin_of(member) == member.user("deputy")


def test_a_list_that_was_lost_comes_back_from_the_channel(member: MemberKeys) -> None:
    revoke_user(member, "anna")
    published = member.revocation_lists()
    member.revocations_path.unlink()
    revoke_user(member, "anna-maria")
    united = unite_revocations(member, published)
    assert (united.number, len(serials(united))) == (2, 2)
    assert revocations_of(member) == united
    assert unite_revocations(member, published) == united
    assert unite_revocations(member, []) == united


def test_a_damaged_or_foreign_list_is_named_and_left_alone(member: MemberKeys, tmp_path: Path) -> None:
    stranger = MemberKeys.create(tmp_path / "stranger", "MakerMSP")
    stranger.add_user("anna", ["erp"])
    revoke_user(stranger, "anna")
    for bad in (b"", b"no list", *stranger.revocation_lists(), member.root_pem()):
        member.revocations_path.write_bytes(bad)
        with pytest.raises(UnreadableRevocations, match=r"crl\.pem"):
            revoke_user(member, "anna")
        assert member.revocations_path.read_bytes() == bad
        assert member.user("anna").pair()
    member.revocations_path.unlink()
    with pytest.raises(UnreadableRevocations, match="channel's configuration"):
        unite_revocations(member, stranger.revocation_lists())


LISTS = st.builds(
    Revocations,
    st.integers(0, 5),
    st.dictionaries(st.integers(1, 6), st.integers(0, 3).map(lambda day: T0 + timedelta(days=day))),
)


@given(st.lists(LISTS, min_size=1, max_size=4))
def test_no_entry_is_removed_from_a_list(lists: list[Revocations]) -> None:
    first, *others = lists
    united = first.united(others)
    everything = set().union(*map(serials, lists))
    assert serials(united) == everything
    assert united.number >= max(one.number for one in lists)
    # Two lists of the same number have the same entries.
    same_number = [one for one in lists if one.number == united.number]
    assert all(serials(one) == everything for one in same_number)
    assert united.united(lists) == united


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: b"-----BEGIN X509 CRL-----\n" + tail))
def test_other_bytes_are_refused(noise: bytes) -> None:
    with pytest.raises(UnreadableRevocations):
        read_revocations(noise, ROOT, "the list")
