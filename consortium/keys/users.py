"""A member's users: who may do what, and for how long; and so who acts where the member has to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from chaincode.rights.roles import (
    Role,
    read_roles,
)
from consortium.errors import (
    NoValidUser,
    UserNotFound,
)
from consortium.keys.certificates import (
    WARN_DAYS,
    common_name_of,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revocation import Revocations
from consortium.keys.revoking import revocations_of


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

    @property
    def is_valid(self) -> bool:
        """Whether others accept what it signs."""
        return self.status in (UserStatus.VALID, UserStatus.EXPIRES_SOON)


def list_users(keys: MemberKeys, now: datetime) -> list[User]:
    """By name; those who were revoked and have no other certificate since come last.

    Raises UnreadableCertificate, UnreadableRevocations.
    """
    revoked = revocations_of(keys)
    present = [_user(name, keys.user(name).certificate(), revoked, now) for name in keys.users()]
    former = [_user(name, one, revoked, now) for name, one in _put_aside(keys).items() if name not in keys.users()]
    return [*present, *former]


def acting_user(keys: MemberKeys, roles: Collection[Role]) -> str:
    """Of the users with one of these roles the one whose certificate holds longest, in days; by name of equal ones.

    Raises UserNotFound, NoValidUser, UnreadableCertificate, UnreadableRevocations.
    """
    users = [user for user in list_users(keys, keys.validity.clock()) if set(user.roles) & set(roles)]
    present = [user for user in users if user.name in keys.users()]
    valid = [user for user in present if user.is_valid]
    if not valid:
        raise _nobody(keys.msp_id, sorted(roles), present)
    return max(valid, key=lambda user: user.days_left).name


def admin_of(keys: MemberKeys) -> KeyFiles:
    """Who acts where an admin has to. Raises as `acting_user`."""
    return keys.user(acting_user(keys, [Role.ADMIN]))


def _nobody(msp_id: str, roles: Sequence[Role], present: Sequence[User]) -> UserNotFound | NoValidUser:
    needed = " or ".join(roles)
    if not present:
        return UserNotFound(
            f"{msp_id} has no user with the role {needed}; add one: zunft user add NAME --role {roles[0]} --as {msp_id}"
        )
    said = ", ".join(f"{user.name} {user.status}" for user in present)
    expired = next((user for user in present if user.status is UserStatus.EXPIRED), None)
    remedy = f"zunft user renew {expired.name}" if expired else f"zunft user add NAME --role {roles[0]}"
    return NoValidUser(
        f"{msp_id} has no user with the role {needed} whose certificate is still good ({said}): {remedy} --as {msp_id}"
    )


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
