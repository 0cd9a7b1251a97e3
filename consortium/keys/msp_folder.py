"""A node's MSP as Fabric's peer and orderer read it from disk.

Source: Fabric documentation, "Membership Service Provider (MSP)", section "MSP structure".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from consortium.files import (
    make_private_folder,
    write_private,
    write_public,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_material import MemberMaterial


def write_msp_folder(folder: Path, member: MemberMaterial, identity: KeyFiles) -> None:
    """Makes `folder` from the member's roots and one node's or user's identity.

    Raises FileExistsError, UnreadableKey, UnsafeKeyFile, UnreadableCertificate.
    """
    make_private_folder(folder)
    _write_certificates(folder / "cacerts", member.ca_certificates)
    _write_certificates(folder / "tlscacerts", member.tls_ca_certificates)
    _write_certificates(folder / "crls", member.revocation_lists)
    _write_certificates(folder / "signcerts", [identity.certificate_pem()])
    make_private_folder(folder / "keystore")
    write_private(folder / "keystore" / "node.key", identity.key_pem())
    write_public(folder / "config.yaml", _node_ous().encode())


def _write_certificates(folder: Path, certificates: Sequence[bytes]) -> None:
    make_private_folder(folder)
    for number, pem in enumerate(certificates):
        write_public(folder / f"{number}.pem", pem)


def _node_ous() -> str:
    units = {f"{kind.capitalize()}OUIdentifier": {"OrganizationalUnitIdentifier": str(kind)} for kind in NodeKind}
    return yaml.safe_dump({"NodeOUs": {"Enable": True, **units}})
