"""Where a channel's orderers listen, as its configuration says.

Source: Fabric documentation, "Channel configuration (configtx)", on the Orderer group's Endpoints.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common import configtx_pb2, configuration_pb2
from fabric_protos.msp import msp_config_pb2

from network.config_group import group_at, value_of
from network.member_material import Endpoint
from network.msp_config import member_material


@dataclass(frozen=True)
class OrdererAddress:
    """One orderer's endpoint, and the PEM roots, one after the other, that its TLS certificate must come from."""

    msp_id: str
    endpoint: Endpoint
    tls_roots: bytes


def orderer_addresses(channel_group: configtx_pb2.ConfigGroup) -> list[OrdererAddress]:
    """By their members' MSP ids; none where the channel belongs to the embedded ledger. Raises MalformedConfigBlock."""
    members = group_at(channel_group, "Orderer").groups
    return [address for name in sorted(members) for address in _addresses(members[name])]


def _addresses(group: configtx_pb2.ConfigGroup) -> list[OrdererAddress]:
    member = member_material(msp_config_pb2.MSPConfig.FromString(value_of(group, "MSP")))
    addresses = configuration_pb2.OrdererAddresses.FromString(value_of(group, "Endpoints")).addresses
    roots = b"".join(member.tls_ca_certificates)
    return [OrdererAddress(member.msp_id, Endpoint.parse(address), roots) for address in addresses]
