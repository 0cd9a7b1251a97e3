"""Revoking a user's certificates in the member's own folder.

For the other members a revocation counts once the channel's configuration has it, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509

from chaincode.rights.roles import Role
from consortium.errors import LastAdmin
from consortium.files import replace_public
from consortium.keys import key_switch
from consortium.keys.key_files import parse_certificate
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revocation import (
    Revocations,
    read_revocations,
)


def revocations_of(keys: MemberKeys) -> Revocations:
    """The revocations in the member's folder. Raises UnreadableRevocations, UnreadableCertificate."""
    known = [_read(keys, pem, str(keys.revocations_path)) for pem in keys.revocation_lists()]
    return known[0] if known else Revocations()


def revoke_user(keys: MemberKeys, name: str) -> Revocations:
    """Puts all certificates of a user on the list, and moves its files aside. Can be repeated.

    Raises UserNotFound, LastAdmin, and the errors of reading the member's files.
    """
    with keys.one_at_a_time():
        certificates = certificates_of(keys, name)
        if not certificates:
            # This raises UserNotFound, with the names of the users.
            keys.user(name)
        _check_not_last_admin(keys, name)
        revoked = revocations_of(keys).with_revoked(certificates, keys.validity.clock())
        _write(keys, revoked)
        if name in keys.users():
            key_switch.put_aside(keys.user(name))
    return revoked


def unite_revocations(keys: MemberKeys, published: Iterable[bytes]) -> Revocations:
    """Adds the revocations of the lists in the channel's configuration (PEM) to the member's own: they never end.

    Raises UnreadableRevocations, and the errors of reading the member's files.
    """
    known = [(_read(keys, pem, "the revocation list in the channel's configuration"), pem) for pem in published]
    with keys.one_at_a_time():
        revoked = revocations_of(keys).united(one for one, _ in known)
        # A new signature would make other bytes, so a published list is taken as it is.
        _write(keys, revoked, signed=next((pem for one, pem in known if one == revoked), None))
    return revoked


def certificates_of(keys: MemberKeys, name: str) -> list[x509.Certificate]:
    """All certificates of a user, the one in use first. Raises InvalidName, UnreadableCertificate."""
    files = keys.user_files(name)
    own = [one for one in (files, key_switch.next_of(files)) if one.certificate_path.exists()]
    return [one.certificate() for one in (*own, *key_switch.former_of(files))]


def _check_not_last_admin(keys: MemberKeys, name: str) -> None:
    admins = keys.users_with([Role.ADMIN])
    if admins == [name]:
        raise LastAdmin(
            f"{name!r} is the only admin of {keys.msp_id}, which needs one for every change; add another first: "
            "zunft user add NAME --role admin"
        )


def _read(keys: MemberKeys, pem: bytes, what: str) -> Revocations:
    return read_revocations(pem, parse_certificate(keys.root_pem(), f"the root of {keys.msp_id}"), what)


def _write(keys: MemberKeys, revoked: Revocations, signed: bytes | None = None) -> None:
    """Writes the list if it is new: each list has its own number."""
    if revoked != revocations_of(keys):
        pem = signed or revoked.to_pem(keys.authority("msp"), keys.validity.clock())
        replace_public(keys.revocations_path, pem)
