"""What a member shows of itself: the public certificates that others need in order to trust it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from network.errors import InvalidName

_MSP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")


@dataclass(frozen=True)
class Endpoint:
    """Where a node listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse. Raises ValueError."""
        host, _, port = text.rpartition(":")
        return cls(host, int(port))


@dataclass(frozen=True)
class MemberMaterial:
    """A member's MSP: certificates are PEM, one each; a revocation list is PEM."""

    msp_id: str
    ca_certificates: tuple[bytes, ...]
    tls_ca_certificates: tuple[bytes, ...]
    anchor_peers: tuple[Endpoint, ...] = ()
    orderers: tuple[Endpoint, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()


def check_msp_id(msp_id: str) -> str:
    """Returns it, or raises InvalidName.

    Letters, digits, dot and hyphen; not the underscore, which would make the names of implicit collections ambiguous.
    """
    if not _MSP_ID.fullmatch(msp_id):
        raise InvalidName(f"{msp_id!r} cannot be an MSP id: use up to 63 letters, digits, dots and hyphens.")
    return msp_id
