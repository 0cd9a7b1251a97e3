"""Hosts at which members reach each other's nodes: a name or an IPv4 address. Impossible hosts are refused.

Source: RFC 1123, section 2.1; RFC 1122, section 3.2.1.3, for addresses that no host has.
"""

from __future__ import annotations

import re

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NAME_CHARACTERS_MAX = 253
_OCTET = re.compile(r"0|[1-9][0-9]{0,2}")
# Addresses above this are for groups and experiments, not for hosts.
_FIRST_OCTET_MAX = 223


def check_host(host: str) -> str:
    """The host, if it is possible. Raises ValueError with the right way to write one."""
    if not _is_name(host) and not _is_address(host):
        raise ValueError(
            f"the host {host[:64]!r} cannot be reached: write a name like mill.example (with an umlaut its xn-- form) "
            "or an IPv4 address, without scheme, port or blanks"
        )
    return host


def _is_name(host: str) -> bool:
    """Whether it is a name; its last label is no number, unlike an address's."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= _NAME_CHARACTERS_MAX and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _is_address(host: str) -> bool:
    octets = host.split(".")
    if len(octets) != 4 or not all(map(_OCTET.fullmatch, octets)) or max(map(int, octets)) > 255:
        return False
    return 0 < int(octets[0]) <= _FIRST_OCTET_MAX
