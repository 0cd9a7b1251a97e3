"""The orderers that agree on a channel's blocks, and edits of them: one more, or one less.

Each edit returns a new configuration and leaves its argument unchanged. Fabric accepts one such change at a time.
Source: Fabric documentation, "Reconfiguration" of the raft and of the BFT ordering service.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from fabric_protos.common import configtx_pb2, configuration_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as raft_pb2

from consortium.channel.config_group import (
    copied,
    group_at,
    set_policy,
    set_value,
    value_of,
)
from consortium.channel.msp_config import read_msp
from consortium.channel.orderer_addresses import read_addresses
from consortium.channel.ordering import (
    LEAST_BFT_ORDERERS,
    OrderingNode,
    bft_block_validation,
    bft_consenter,
    raft_consenter,
)
from consortium.errors import (
    ConsenterExists,
    ForeignCertificate,
    NoOrderingService,
    NoSuchConsenter,
    NotInChannel,
    TooFewConsenters,
)
from consortium.keys.certificates import is_issued_by
from consortium.keys.key_files import parse_certificate
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)

# A consenter message of raft, or one of BFT, which also has id, msp_id and identity.
Consenter: TypeAlias = Any


def consenters(channel_group: configtx_pb2.ConfigGroup) -> tuple[OrderingNode, ...]:
    """The consenters in the configuration's order; none where the channel belongs to the embedded ledger.

    Raft's configuration does not name an orderer's member: it is the member whose root has issued the TLS certificate.
    The identity of a raft orderer is empty.
    """
    if not has_ordering_service(channel_group):
        return ()
    if is_bft(channel_group):
        return tuple(
            OrderingNode(one.msp_id, _endpoint(one), one.identity, one.server_tls_cert) for one in _read(channel_group)
        )
    return tuple(
        OrderingNode(_owner(channel_group, one), _endpoint(one), b"", one.server_tls_cert)
        for one in _read(channel_group)
    )


def add_consenter(channel_group: configtx_pb2.ConfigGroup, orderer: OrderingNode) -> configtx_pb2.ConfigGroup:
    """The configuration with one more consenter, whose member must have an organisation in the ordering service.

    Raises NoOrderingService, NotInChannel, ForeignCertificate, ConsenterExists.
    """
    _check_certificates(channel_group, orderer)
    present = _read(channel_group)
    for one in present:
        if _endpoint(one) == orderer.endpoint or one.server_tls_cert == orderer.tls_certificate:
            raise ConsenterExists(f"the orderer at {_endpoint(one)} takes part in ordering already")
    if is_bft(channel_group):
        return _write(channel_group, [*present, bft_consenter(1 + max(one.id for one in present), orderer)])
    return _write(channel_group, [*present, raft_consenter(orderer)])


def remove_consenter(channel_group: configtx_pb2.ConfigGroup, endpoint: Endpoint) -> configtx_pb2.ConfigGroup:
    """The configuration without the consenter. Raises NoOrderingService, NoSuchConsenter, TooFewConsenters."""
    present = _read(channel_group)
    _check_takes_part(present, endpoint)
    least = LEAST_BFT_ORDERERS if is_bft(channel_group) else 1
    if len(present) <= least:
        raise TooFewConsenters(
            f"the ordering service has {len(present)} orderers and needs {least}: add another one before the one at "
            f"{endpoint} leaves it"
        )
    return _write(channel_group, [one for one in present if _endpoint(one) != endpoint])


def is_bft(channel_group: configtx_pb2.ConfigGroup) -> bool:
    """Whether the orderers agree by BFT; otherwise they do by raft. Raises NoOrderingService."""
    return bool(_consensus(channel_group).type == "BFT")


def has_ordering_service(channel_group: configtx_pb2.ConfigGroup) -> bool:
    """Whether the channel has orderers; it has none where it belongs to the embedded ledger."""
    return "Orderer" in channel_group.groups


# --- how --------------------------------------------------------------------------------------------------------------


def _read(channel_group: configtx_pb2.ConfigGroup) -> Sequence[Consenter]:
    if is_bft(channel_group):
        orderers = value_of(channel_group.groups["Orderer"], "Orderers")
        return list(configuration_pb2.Orderers.FromString(orderers).consenter_mapping)
    return list(raft_pb2.ConfigMetadata.FromString(_consensus(channel_group).metadata).consenters)


def _write(channel_group: configtx_pb2.ConfigGroup, wanted: Sequence[Consenter]) -> configtx_pb2.ConfigGroup:
    edited, consensus = copied(channel_group), _consensus(channel_group)
    group = edited.groups["Orderer"]
    if is_bft(channel_group):
        set_value(group, "Orderers", configuration_pb2.Orderers(consenter_mapping=wanted))
        # BFT orderers refuse a change after which this policy does not name exactly the orderers, in their order.
        set_policy(group, "BlockValidation", bft_block_validation([(one.msp_id, one.identity) for one in wanted]))
        return edited
    metadata = raft_pb2.ConfigMetadata.FromString(consensus.metadata)
    del metadata.consenters[:]
    metadata.consenters.extend(wanted)
    consensus.metadata = metadata.SerializeToString()
    set_value(group, "ConsensusType", consensus)
    return edited


def _consensus(channel_group: configtx_pb2.ConfigGroup) -> orderer_pb2.ConsensusType:
    if not has_ordering_service(channel_group):
        raise NoOrderingService("the channel belongs to the embedded ledger, which has no orderers")
    return orderer_pb2.ConsensusType.FromString(value_of(channel_group.groups["Orderer"], "ConsensusType"))


def _endpoint(consenter: Consenter) -> Endpoint:
    return Endpoint(consenter.host, consenter.port)


def _check_takes_part(present: Sequence[Consenter], endpoint: Endpoint) -> None:
    if endpoint not in map(_endpoint, present):
        known = ", ".join(str(_endpoint(one)) for one in present)
        raise NoSuchConsenter(f"no orderer at {endpoint} takes part in ordering; those at {known} do")


def _check_certificates(channel_group: configtx_pb2.ConfigGroup, orderer: OrderingNode) -> None:
    """Checks that the orderer's certificates are from its member's roots.

    Raises NoOrderingService, NotInChannel, ForeignCertificate, UnreadableCertificate.
    """
    _consensus(channel_group)
    organisation = group_at(channel_group, "Orderer", orderer.msp_id)
    if "MSP" not in organisation.values:
        raise NotInChannel(f"{orderer.msp_id} has no organisation in the ordering service: add that first")
    member = _organisation(orderer.msp_id, organisation)
    owner = f"{orderer.msp_id}'s orderer at {orderer.endpoint}"
    _check_issued(orderer.tls_certificate, member.tls_ca_certificates, f"the TLS certificate of {owner}")
    if is_bft(channel_group):
        _check_issued(orderer.identity, member.ca_certificates, f"the identity of {owner}")


def _check_issued(pem: bytes, roots: Sequence[bytes], what: str) -> None:
    if not _is_issued_by(pem, roots, what):
        raise ForeignCertificate(
            f"{what} was not issued by its member's roots as the channel knows them: hand in the one that was"
        )


def _owner(channel_group: configtx_pb2.ConfigGroup, consenter: Consenter) -> str:
    """The member whose root has issued the certificate, else the one with this endpoint; empty where there is none.

    Each member changes its own roots and addresses alone. These changes must not hide other members' orderers.
    """
    organisations = channel_group.groups["Orderer"].groups
    by_address = (name for name in sorted(organisations) if _endpoint(consenter) in _addresses(organisations[name]))
    return _issuer(channel_group, consenter.server_tls_cert) or next(by_address, "")


def _addresses(organisation: configtx_pb2.ConfigGroup) -> Sequence[Endpoint]:
    return read_addresses(value_of(organisation, "Endpoints"))[0]


def _issuer(channel_group: configtx_pb2.ConfigGroup, tls_certificate: bytes) -> str:
    organisations = channel_group.groups["Orderer"].groups
    for msp_id in sorted(organisations):
        roots = _organisation(msp_id, organisations[msp_id]).tls_ca_certificates
        if _is_issued_by(tls_certificate, roots, "a consenter's TLS certificate"):
            return str(msp_id)
    return ""


def _is_issued_by(pem: bytes, roots: Sequence[bytes], what: str) -> bool:
    certificate = parse_certificate(pem, what)
    return any(is_issued_by(certificate, parse_certificate(root, "a member's root")) for root in roots)


def _organisation(msp_id: str, group: configtx_pb2.ConfigGroup) -> MemberMaterial:
    return read_msp(msp_id, value_of(group, "MSP")).material(msp_id)
