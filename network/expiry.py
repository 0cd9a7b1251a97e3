"""The days until the certificates of a process expire, and the remedies in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from consortium.keys.certificates import (
    WARN_DAYS,
    NodeKind,
)
from consortium.keys.key_files import parse_certificate
from consortium.keys.member_keys import MemberKeys
from consortium.keys.users import (
    UserStatus,
    list_users,
)
from network.running.process import (
    FabricProcess,
    ProcessKind,
)


@dataclass(frozen=True, slots=True)
class Expiry:
    """The days until the first of a node's certificates and its member's roots expires, and what to do about them."""

    days_left: int
    problems: tuple[str, ...]


def expiry_of(process: FabricProcess, keys: MemberKeys, now: datetime) -> Expiry:
    """The expiry of a process's certificates; a chaincode shows its peer's. The peer's problems include the users'."""
    kind = NodeKind.ORDERER if process.kind is ProcessKind.ORDERER else NodeKind.PEER
    own = _days_left([keys.node(kind).certificate(), keys.node_tls(kind).certificate()], now)
    roots = _days_left(_roots(keys), now)
    problems = []
    if roots < WARN_DAYS:
        problems.append(
            f"a root of {process.member} {_ends(roots)}, and with it all certificates that it has issued: "
            f"{process.member} must join anew"
        )
    elif own < WARN_DAYS:
        problems.append(f"its certificate {_ends(own)}: zunft network renew {process.member}.{kind}")
    users = _of_users(process.member, keys, now) if process.kind is ProcessKind.PEER else ()
    return Expiry(min(own, roots), (*problems, *users))


def _of_users(member: str, keys: MemberKeys, now: datetime) -> Iterator[str]:
    for user in list_users(keys, now):
        if user.status in (UserStatus.EXPIRES_SOON, UserStatus.EXPIRED):
            yield (
                f"the certificate of the user {user.name} {_ends(user.days_left)}: "
                f"zunft user renew {user.name} --as {member}"
            )


def _roots(keys: MemberKeys) -> list[x509.Certificate]:
    return [parse_certificate(pem, f"a root of {keys.msp_id}") for pem in (keys.root_pem(), keys.tls_root_pem())]


def _days_left(certificates: Iterable[x509.Certificate], now: datetime) -> int:
    return (min(certificate.not_valid_after_utc for certificate in certificates) - now).days


def _ends(days_left: int) -> str:
    return f"ends in {days_left} days" if days_left >= 0 else "has expired"
