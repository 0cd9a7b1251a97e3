"""A member's users as its admin looks at them: who may do what, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from chaincode.roles import Role, read_roles
from network.certificates import WARN_DAYS, common_name_of
from network.key_files import KeyFiles
from network.member_keys import MemberKeys
from network.revocation import Revocations
from network.revoking import revocations_of


class UserStatus(StrEnum):
    """What a user's certificate is good for."""

    VALID = "valid"
    EXPIRES_SOON = "expires soon"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class User:
    """One user; `days_left` are whole days, negative after the end."""

    name: str
    roles: tuple[Role, ...]
    valid_until: datetime
    days_left: int
    status: UserStatus


def list_users(keys: MemberKeys, now: datetime) -> list[User]:
    """By name; those who were revoked and have no other certificate since come last.

    Raises UnreadableCertificate, UnreadableRevocations.
    """
    revoked = revocations_of(keys)
    present = [_user(name, keys.user(name).certificate(), revoked, now) for name in keys.users()]
    former = [_user(name, one, revoked, now) for name, one in _put_aside(keys).items() if name not in keys.users()]
    return [*present, *former]


def _put_aside(keys: MemberKeys) -> dict[str, x509.Certificate]:
    """Of each user the certificate that ends last, by name."""
    paths = (keys.folder / "users" / "former").glob("*.pem")
    certificates = [KeyFiles(path, path.with_suffix(".key")).certificate() for path in paths]
    certificates.sort(key=lambda one: (common_name_of(one), one.not_valid_after_utc))
    return {common_name_of(one): one for one in certificates}


def _user(name: str, certificate: x509.Certificate, revoked: Revocations, now: datetime) -> User:
    granted, ends = read_roles(certificate), certificate.not_valid_after_utc
    roles = tuple(role for role in Role if role in granted)
    days_left = (ends - now).days
    if certificate in revoked:
        status = UserStatus.REVOKED
    elif now > ends:
        status = UserStatus.EXPIRED
    else:
        status = UserStatus.EXPIRES_SOON if days_left < WARN_DAYS else UserStatus.VALID
    return User(name, roles, ends, days_left, status)
