"""A member's users: their roles, how long their certificates last, and which user acts for the member."""

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
    """The state of a user's certificate."""

    VALID = "valid"
    EXPIRES_SOON = "expires soon"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class User:
    """One user; `days_left` are whole days, negative after the certificate has expired."""

    name: str
    roles: tuple[Role, ...]
    valid_until: datetime
    days_left: int
    status: UserStatus

    @property
    def is_valid(self) -> bool:
        """Whether others accept the user's signatures."""
        return self.status in (UserStatus.VALID, UserStatus.EXPIRES_SOON)


def list_users(keys: MemberKeys, now: datetime) -> list[User]:
    """The users by name; those that were revoked and have no newer certificate come last.

    Raises UnreadableCertificate, UnreadableRevocations.
    """
    revoked = revocations_of(keys)
    present = [_user(name, keys.user(name).certificate(), revoked, now) for name in keys.users()]
    former = [_user(name, one, revoked, now) for name, one in _put_aside(keys).items() if name not in keys.users()]
    return [*present, *former]


def acting_user(keys: MemberKeys, roles: Collection[Role]) -> str:
    """The name of the user with one of these roles whose certificate holds longest, in days; the first among equals.

    Raises UserNotFound, NoValidUser, UnreadableCertificate, UnreadableRevocations.
    """
    users = [user for user in list_users(keys, keys.validity.clock()) if set(user.roles) & set(roles)]
    present = [user for user in users if user.name in keys.users()]
    valid = [user for user in present if user.is_valid]
    if not valid:
        raise _nobody(keys.msp_id, sorted(roles), present)
    return max(valid, key=lambda user: user.days_left).name


def admin_of(keys: MemberKeys) -> KeyFiles:
    """The files of the user that acts as the member's admin. Raises as `acting_user`."""
    return keys.user(acting_user(keys, [Role.ADMIN]))


def _nobody(msp_id: str, roles: Sequence[Role], present: Sequence[User]) -> UserNotFound | NoValidUser:
    needed = " or ".join(roles)
    if not present:
        return UserNotFound(
            f"{msp_id} has no user with the role {needed}; add one: zunft user add NAME --role {roles[0]} --as {msp_id}"
        )
    statuses = ", ".join(f"{user.name} {user.status}" for user in present)
    expired = next((user for user in present if user.status is UserStatus.EXPIRED), None)
    remedy = f"zunft user renew {expired.name}" if expired else f"zunft user add NAME --role {roles[0]}"
    return NoValidUser(
        f"{msp_id} has no user with the role {needed} and a valid certificate ({statuses}): {remedy} --as {msp_id}"
    )


def _put_aside(keys: MemberKeys) -> dict[str, x509.Certificate]:
    """The certificate of each user, by name, that expires last among those put aside."""
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
