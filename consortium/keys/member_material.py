"""The public part of a member: the certificates that others need in order to trust it, and its nodes' addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from consortium.errors import InvalidName

# Any name of the domain name system or an address; names with letters of other scripts have a form in ASCII there.
_HOST = re.compile(r"[!-~]{1,253}")
# A process that listens on this listens on all addresses of its machine.
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # others must reach it
_LOOPBACK = "127.0.0.1"
_MSP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")


@dataclass(frozen=True)
class Endpoint:
    """The address at which a node is reached, or on which it listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def from_here(self) -> Endpoint:
        """The address at which this machine's own programs reach a process that listens on this one."""
        return Endpoint(_LOOPBACK, self.port) if self.host == EVERY_ADDRESS else self

    @classmethod
    def parse(cls, text: str) -> Self:
        """The endpoint that is written host:port. Raises ValueError."""
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit()):
            raise ValueError(f"{text[:80]!r} is no address: write host:port, for example peer.mill.example:7051")
        return cls(host, int(port)).checked()

    def checked(self) -> Self:
        """The endpoint itself if it can be an address; others wrote it, and terminals show it. Raises ValueError."""
        if not (_HOST.fullmatch(self.host) and 0 < self.port < 2**16):
            raise ValueError(f"{self.host[:80]!r} and port {self.port} are no address")
        return self


@dataclass(frozen=True)
class MemberMaterial:
    """A member's MSP and addresses: each certificate and each revocation list is one PEM.

    `unreadable` has a text for each part of its configuration in the channel that this program cannot read. Such a part
    counts as absent.
    """

    msp_id: str
    ca_certificates: tuple[bytes, ...]
    tls_ca_certificates: tuple[bytes, ...]
    anchor_peers: tuple[Endpoint, ...] = ()
    orderers: tuple[Endpoint, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()
    unreadable: tuple[str, ...] = ()


def check_msp_id(msp_id: str) -> str:
    """The MSP id itself, if it can be one. Raises InvalidName.

    It has letters, digits, dots and hyphens; an underscore would make the names of implicit collections ambiguous.
    """
    if not _MSP_ID.fullmatch(msp_id):
        raise InvalidName(f"{msp_id!r} cannot be an MSP id: use up to 63 letters, digits, dots and hyphens")
    return msp_id
