"""Certificates and revocation lists from outside: with any bit flipped, they are read or refused with a typed error."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.msp import identities_pb2, msp_config_pb2

from chaincode.errors import Forbidden
from chaincode.rights.caller import read_caller
from consortium.channel.msp_config import msp_config
from consortium.errors import UnreadableRevocations
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revocation import read_revocations
from consortium.keys.revoking import revoke_user
from ledger.fabric_rules.identity import (
    InvalidIdentity,
    Msp,
    revoked_serials,
)

# A later version of cryptography will refuse such a number, so its warning is no news.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")


def test_a_certificate_with_a_flipped_bit_is_refused_unless_its_signed_part_is_the_same(tmp_path: Path) -> None:
    """One byte outside of the signed part may differ: the count of unused bits, which cryptography does not check."""
    keys = MemberKeys.create(tmp_path / "maker", "MakerMSP")
    pem = keys.add_user("anna", ["admin"]).certificate_pem()
    msp = Msp(msp_config_pb2.FabricMSPConfig.FromString(msp_config(keys.public_material()).config))
    assert msp.identify(identity(pem))
    certificate = x509.load_pem_x509_certificate(pem)
    signed = certificate.tbs_certificate_bytes
    for changed in each_bit_flipped(certificate.public_bytes(Encoding.DER)):
        forged = identity(as_pem(changed))
        with suppress(InvalidIdentity):
            msp.identify(forged)
            assert read_caller(forged.SerializeToString()).certificate.tbs_certificate_bytes == signed
        with suppress(Forbidden):
            read_caller(forged.SerializeToString())


def test_a_revocation_list_with_a_flipped_bit_is_refused_or_reads_the_same(tmp_path: Path) -> None:
    keys = MemberKeys.create(tmp_path / "maker", "MakerMSP")
    for name in ("admin", "anna"):
        keys.add_user(name, ["admin"])
    revoke_user(keys, "anna")
    [pem] = keys.revocation_lists()
    root = x509.load_pem_x509_certificate(keys.root_pem())
    assert read_revocations(pem, root, "The list").number == 1
    for changed in each_bit_flipped(x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER)):
        forged = as_pem(changed, "X509 CRL")
        with suppress(InvalidIdentity):
            revoked_serials([forged])
        with suppress(UnreadableRevocations):
            assert read_revocations(forged, root, "The list") == read_revocations(pem, root, "The list")


def identity(pem: bytes) -> identities_pb2.SerializedIdentity:
    return identities_pb2.SerializedIdentity(mspid="MakerMSP", id_bytes=pem)


def each_bit_flipped(data: bytes) -> Iterator[bytes]:
    for place in range(8 * len(data)):
        byte, bit = divmod(place, 8)
        yield data[:byte] + bytes([data[byte] ^ 1 << bit]) + data[byte + 1 :]


def as_pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()
