"""The addresses of a channel's orderers, as its configuration has them.

Source: Fabric documentation, "Channel configuration (configtx)", on the Orderer group's Endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from fabric_protos.common import configtx_pb2, configuration_pb2
from google.protobuf.message import DecodeError

from consortium.channel.config_group import (
    group_at,
    value_of,
)
from consortium.channel.msp_config import read_msp
from consortium.keys.member_material import Endpoint

T = TypeVar("T")
Words = tuple[str, ...]


@dataclass(frozen=True)
class OrdererAddress:
    """One orderer's endpoint; one of the `tls_roots`, PEM one after the other, must have issued its TLS certificate."""

    msp_id: str
    endpoint: Endpoint
    tls_roots: bytes


def orderer_addresses(channel_group: configtx_pb2.ConfigGroup) -> list[OrdererAddress]:
    """The orderers' addresses, sorted by MSP id; none where the channel belongs to the embedded ledger.

    A member writes its own addresses alone: one that cannot be read, or without a root to check it with, is left out.
    """
    members = group_at(channel_group, "Orderer").groups
    return [address for msp_id in sorted(members) for address in _addresses(msp_id, members[msp_id])]


def read_addresses(data: bytes) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    """The endpoints in a group's value, and a text for each part of it that cannot be read."""
    try:
        addresses = configuration_pb2.OrdererAddresses.FromString(data).addresses
    except DecodeError:
        return (), ("its orderers' addresses",)
    return readable("an orderer's address", addresses, Endpoint.parse)


def readable(what: str, values: Iterable[T], read: Callable[[T], Endpoint]) -> tuple[tuple[Endpoint, ...], Words]:
    """The endpoints at which a process could listen, and a text for each value that is no such endpoint."""
    found: list[Endpoint] = []
    unreadable: list[str] = []
    for value in values:
        try:
            found.append(read(value))
        except ValueError:
            unreadable.append(f"{what}, {str(value)[:80]!r}")
    return tuple(found), tuple(unreadable)


def _addresses(msp_id: str, group: configtx_pb2.ConfigGroup) -> list[OrdererAddress]:
    roots = b"".join(read_msp(msp_id, value_of(group, "MSP")).material(msp_id).tls_ca_certificates)
    endpoints, _ = read_addresses(value_of(group, "Endpoints"))
    return [OrdererAddress(msp_id, endpoint, roots) for endpoint in endpoints if roots]
