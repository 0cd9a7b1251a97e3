"""What a member shows of itself: the public certificates that others need in order to trust it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from consortium.errors import InvalidName

# Whatever has a name in the domain name system or a number; letters of other scripts have a form of ASCII there.
_HOST = re.compile(r"[!-~]{1,253}")
# Of a machine, to listen on.
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # others must reach it
_LOOPBACK = "127.0.0.1"
_MSP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")


@dataclass(frozen=True)
class Endpoint:
    """Where a node is reached, or listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def from_here(self) -> Endpoint:
        """Where this machine's own programs reach what listens there."""
        return Endpoint(_LOOPBACK, self.port) if self.host == EVERY_ADDRESS else self

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse. Raises ValueError."""
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit()):
            raise ValueError(f"{text[:80]!r} is no address: write host:port, for example peer.mill.example:7051")
        return cls(host, int(port)).checked()

    def checked(self) -> Self:
        """Itself, if somebody could listen there; others wrote it, and it goes to terminals. Raises ValueError."""
        if not (_HOST.fullmatch(self.host) and 0 < self.port < 2**16):
            raise ValueError(f"{self.host[:80]!r} and port {self.port} are no address")
        return self


@dataclass(frozen=True)
class MemberMaterial:
    """A member's MSP: certificates are PEM, one each; a revocation list is PEM.

    `unreadable` names in words what else stands in its part of the channel's configuration: nobody can read that, and
    it counts as absent.
    """

    msp_id: str
    ca_certificates: tuple[bytes, ...]
    tls_ca_certificates: tuple[bytes, ...]
    anchor_peers: tuple[Endpoint, ...] = ()
    orderers: tuple[Endpoint, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()
    unreadable: tuple[str, ...] = ()


def check_msp_id(msp_id: str) -> str:
    """Returns it, or raises InvalidName.

    Letters, digits, dot and hyphen; not the underscore, which would make the names of implicit collections ambiguous.
    """
    if not _MSP_ID.fullmatch(msp_id):
        raise InvalidName(f"{msp_id!r} cannot be an MSP id: use up to 63 letters, digits, dots and hyphens.")
    return msp_id
