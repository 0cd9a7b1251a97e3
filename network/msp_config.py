"""A member's MSP as the channel's configuration carries it. Source: Fabric's msp/msp_config.proto."""

from __future__ import annotations

from fabric_protos.msp import msp_config_pb2

from network.certificates import NodeKind
from network.errors import MalformedConfigBlock
from network.member_material import MemberMaterial

FABRIC_MSP = 0


def msp_config(member: MemberMaterial) -> msp_config_pb2.MSPConfig:
    """The member's roots, its revocations, and node OUs switched on."""
    fabric = msp_config_pb2.FabricMSPConfig(
        name=member.msp_id,
        root_certs=member.ca_certificates,
        tls_root_certs=member.tls_ca_certificates,
        revocation_list=member.revocation_lists,
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        fabric_node_ous=_node_ous(),
    )
    return msp_config_pb2.MSPConfig(type=FABRIC_MSP, config=fabric.SerializeToString())


def member_material(config: msp_config_pb2.MSPConfig) -> MemberMaterial:
    """The inverse, without endpoints, which stand elsewhere. Raises MalformedConfigBlock, DecodeError."""
    if config.type != FABRIC_MSP:
        raise MalformedConfigBlock(f"An MSP of type {config.type} is not supported; members use X.509 certificates.")
    fabric = msp_config_pb2.FabricMSPConfig.FromString(config.config)
    return MemberMaterial(
        fabric.name,
        (*fabric.root_certs, *fabric.intermediate_certs),
        (*fabric.tls_root_certs, *fabric.tls_intermediate_certs),
        revocation_lists=tuple(fabric.revocation_list),
    )


def _node_ous() -> msp_config_pb2.FabricNodeOUs:
    units = {
        f"{kind}_ou_identifier": msp_config_pb2.FabricOUIdentifier(organizational_unit_identifier=str(kind))
        for kind in NodeKind
    }
    return msp_config_pb2.FabricNodeOUs(enable=True, **units)
