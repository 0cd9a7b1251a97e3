"""Checks before anything starts, of faults that are hard to understand from the processes' logs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psutil
from cryptography import x509

from consortium.errors import ForeignCertificate
from consortium.folder.topology import (
    MemberEntry,
    Topology,
)
from consortium.keys.certificates import (
    NodeKind,
    is_issued_by,
)
from consortium.keys.key_files import (
    KeyFiles,
    parse_certificate,
)
from consortium.keys.member_keys import MemberKeys
from consortium.keys.users import admin_of
from network.errors import NoDiskSpace

# The disk space of a new orderer: a raft log of 64 MB, and its other files.
ORDERER_BYTES = 80 * 10**6


def check_certificates(topology: Topology, now: datetime) -> None:
    """Checks the certificates of every node, and of the admins that make the channel.

    Raises CertificateExpired, CertificateNotYetValid, ForeignCertificate, and the errors of reading them.
    """
    for member in topology.members:
        for files, root in _with_roots(member, topology.keys(member)):
            certificate = files.pair(now=now).certificate
            if not is_issued_by(certificate, root):
                raise ForeignCertificate(
                    f"{files.certificate_path} was not issued by {member.name}'s own root: restore the one that was"
                )


def check_room(topology: Topology) -> None:
    """Checks that the disk has room for the files that orderers make at their first start. Raises NoDiskSpace."""
    new = [
        one for one in topology.members if one.orderer and not (topology.folder(one) / "fabric" / "orderer").exists()
    ]
    needed_bytes, free_bytes = ORDERER_BYTES * len(new), psutil.disk_usage(str(topology.home)).free
    if free_bytes < needed_bytes:
        raise NoDiskSpace(
            f"{topology.home} has {free_bytes // 10**6} MB left, and {len(new)} orderers need "
            f"{needed_bytes // 10**6} MB to start: make room, or found the consortium on another disk"
        )


def _with_roots(member: MemberEntry, keys: MemberKeys) -> Iterator[tuple[KeyFiles, x509.Certificate]]:
    material = keys.public_material()
    [identity_root] = (parse_certificate(pem, "the root of identities") for pem in material.ca_certificates)
    [tls_root] = (parse_certificate(pem, "the root of TLS certificates") for pem in material.tls_ca_certificates)
    yield admin_of(keys), identity_root
    for kind in [NodeKind.PEER, *([NodeKind.ORDERER] if member.orderer else [])]:
        yield keys.node(kind), identity_root
        yield keys.node_tls(kind), tls_root
