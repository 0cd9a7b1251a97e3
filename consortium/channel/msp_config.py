"""A member's MSP as the channel's configuration carries it. Source: Fabric's msp/msp_config.proto."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableSequence
from dataclasses import dataclass

from fabric_protos.msp import msp_config_pb2
from google.protobuf.message import DecodeError

from chaincode.rights.certificate import read_certificate
from consortium.keys.certificates import NodeKind
from consortium.keys.member_material import MemberMaterial
from consortium.keys.revocation import load_revocation_list

FABRIC_MSP = 0
# The fields of a FabricMSPConfig that are lists of PEM certificates, with a name for one of each.
_CERTIFICATES = {
    "root_certs": "a root certificate",
    "intermediate_certs": "an intermediate certificate",
    "admins": "an admin's certificate",
    "tls_root_certs": "a TLS root certificate",
    "tls_intermediate_certs": "an intermediate TLS certificate",
}


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


@dataclass(frozen=True)
class ReadMsp:
    """The readable parts of a member's MSP, and a text for each part that cannot be read."""

    config: msp_config_pb2.FabricMSPConfig
    unreadable: tuple[str, ...]

    def material(self, msp_id: str) -> MemberMaterial:
        """The member without its endpoints, which are in other values of the configuration."""
        fabric = self.config
        return MemberMaterial(
            msp_id,
            (*fabric.root_certs, *fabric.intermediate_certs),
            (*fabric.tls_root_certs, *fabric.tls_intermediate_certs),
            revocation_lists=tuple(fabric.revocation_list),
            unreadable=self.unreadable,
        )


def read_msp(msp_id: str, data: bytes) -> ReadMsp:
    """The member's MSP in a group's value. A member writes it alone: a part that we cannot read counts as absent.

    Fabric's orderers accept nothing that they cannot read, but they may be able to read more than we are.
    """
    config = msp_config_pb2.FabricMSPConfig(name=msp_id)
    try:
        envelope = msp_config_pb2.MSPConfig.FromString(data)
        if envelope.type == FABRIC_MSP:
            config = msp_config_pb2.FabricMSPConfig.FromString(envelope.config)
            return ReadMsp(config, tuple(_drop_unreadable(config)))
    except DecodeError:
        pass
    return ReadMsp(config, ("its MSP",))


def _drop_unreadable(config: msp_config_pb2.FabricMSPConfig) -> Iterator[str]:
    """Removes unreadable parts from `config` itself, and yields a text for each kind of them."""
    for field, word in _CERTIFICATES.items():
        yield from _drop(getattr(config, field), read_certificate, word)
    yield from _drop(config.revocation_list, load_revocation_list, "a revocation list")
    for kind in NodeKind:
        unit = getattr(config.fabric_node_ous, f"{kind}_ou_identifier")
        if unit.certificate and not _is_readable(read_certificate, unit.certificate):
            config.fabric_node_ous.ClearField(f"{kind}_ou_identifier")
            yield f"the certificate of its unit {kind}"


def _drop(values: MutableSequence[bytes], read: Callable[[bytes], object], word: str) -> Iterator[str]:
    readable = [value for value in values if _is_readable(read, value)]
    if len(readable) < len(values):
        yield word
        values[:] = readable


def _is_readable(read: Callable[[bytes], object], value: bytes) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def _node_ous() -> msp_config_pb2.FabricNodeOUs:
    units = {
        f"{kind}_ou_identifier": msp_config_pb2.FabricOUIdentifier(organizational_unit_identifier=str(kind))
        for kind in NodeKind
    }
    return msp_config_pb2.FabricNodeOUs(enable=True, **units)
