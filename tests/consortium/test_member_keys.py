"""A member's keys on disk: only the owner may read them, nothing is overwritten, and damage is named."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2

from chaincode.rights.caller import (
    Role,
    read_caller,
)
from consortium.errors import (
    CertificateExpired,
    CertificateNotYetValid,
    ConsortiumError,
    InvalidName,
    KeyMismatch,
    MemberExists,
    MemberNotFound,
    UnknownRole,
    UnreadableCertificate,
    UnreadableKey,
    UnsafeKeyFile,
    UserExists,
    UserNotFound,
)
from consortium.keys.certificates import (
    NodeKind,
    Validity,
    is_low_s,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys

DAY = timedelta(days=1)
FOUNDED = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def member(tmp_path: Path) -> MemberKeys:
    return MemberKeys.create(tmp_path / "maker", "MakerMSP")


def all_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_only_their_owner_may_read_private_keys(member: MemberKeys) -> None:
    member.add_user("anna", ["admin"])
    member.add_node(NodeKind.ORDERER)
    modes = {path: path.stat().st_mode & 0o777 for path in (member.folder, *member.folder.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.suffix == ".key"} == {0o600}
    assert len([path for path in modes if path.suffix == ".key"]) == 7
    assert not [path for path in modes if path.name.startswith(".")], "a temporary file was left behind"


def units(certificate: x509.Certificate) -> set[object]:
    """The subject's organisational units; with node OUs exactly one of them is a NodeKind."""
    return {one.value for one in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)}


@pytest.mark.parametrize("kind", [NodeKind.PEER, NodeKind.ORDERER])
def test_a_node_is_known_by_its_unit_and_reached_by_its_names(member: MemberKeys, kind: NodeKind) -> None:
    if kind is NodeKind.ORDERER:
        member.add_node(kind, hosts=["orderer.maker.example", "10.0.0.7"])
    hosts = ("orderer.maker.example", "10.0.0.7") if kind is NodeKind.ORDERER else ("localhost", "127.0.0.1")
    identity, tls = member.node(kind).pair().certificate, member.node_tls(kind).pair().certificate
    identity.verify_directly_issued_by(
        KeyFiles(member.folder / "msp/ca.pem", member.folder / "msp/ca.key").certificate()
    )
    tls.verify_directly_issued_by(x509.load_pem_x509_certificate(member.tls_root_pem()))
    names = tls.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert units(identity) == {kind}
    assert names.get_values_for_type(x509.DNSName) == [hosts[0]]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(hosts[1])]


@pytest.mark.parametrize(
    ("roles", "unit"), [(["operator", "admin"], "admin"), (["erp"], "client"), (["auditor", "treasurer"], "client")]
)
def test_contracts_read_the_roles_that_a_certificate_grants(member: MemberKeys, roles: list[str], unit: str) -> None:
    certificate = member.add_user("anna", roles)
    creator = identities_pb2.SerializedIdentity(mspid=member.msp_id, id_bytes=certificate.certificate_pem())
    caller = read_caller(creator.SerializeToString())
    assert (caller.msp_id, caller.roles) == ("MakerMSP", {Role(role) for role in roles})
    assert units(certificate.certificate()) == {unit}


def test_every_certificate_has_the_one_encoding_that_fabric_accepts(member: MemberKeys) -> None:
    for number in range(20):
        member.add_user(f"user{number}", ["erp"])
    certificates = [x509.load_pem_x509_certificate(path.read_bytes()) for path in member.folder.rglob("*.pem")]
    assert len(certificates) == 24
    assert all(is_low_s(certificate.signature) for certificate in certificates)
    assert all(certificate.not_valid_before_utc <= datetime.now(UTC) - 9 * DAY / 1440 for certificate in certificates)


def test_loading_finds_the_same_member(member: MemberKeys) -> None:
    member.add_user("berta", ["erp"])
    member.add_user("anna", ["admin"])
    loaded = MemberKeys.load(member.folder)
    assert (loaded.msp_id, loaded.users()) == ("MakerMSP", ["anna", "berta"])
    assert loaded.public_material() == member.public_material()
    subject = x509.load_pem_x509_certificate(loaded.public_material().ca_certificates[0]).subject
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "MakerMSP"


def test_nothing_is_overwritten(member: MemberKeys, tmp_path: Path) -> None:
    member.add_user("anna", ["admin"])
    before = all_files(member.folder)
    with pytest.raises(MemberExists, match="not empty"):
        MemberKeys.create(member.folder, "MakerMSP")
    with pytest.raises(UserExists, match="'anna' already"):
        member.add_user("anna", ["erp"])
    with pytest.raises(UserExists, match="peer already"):
        member.add_node(NodeKind.PEER)
    assert all_files(member.folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["maker"]


@pytest.mark.parametrize(
    ("msp_id", "user", "roles", "error"),
    [
        ("Maker_MSP", "anna", ["erp"], InvalidName),
        ("", "anna", ["erp"], InvalidName),
        ("../MSP", "anna", ["erp"], InvalidName),
        ("MakerMSP", "../anna", ["erp"], InvalidName),
        ("MakerMSP", "", ["erp"], InvalidName),
        ("MakerMSP", "anna", ["king", "erp"], UnknownRole),
    ],
)
def test_bad_names_leave_no_trace(
    tmp_path: Path, msp_id: str, user: str, roles: list[str], error: type[ConsortiumError]
) -> None:
    with pytest.raises(error):
        MemberKeys.create(tmp_path / "maker", msp_id).add_user(user, roles)
    assert not list(tmp_path.rglob("*anna*"))


def test_damaged_files_are_named(member: MemberKeys, tmp_path: Path) -> None:
    anna, berta = member.add_user("anna", ["erp"]), member.add_user("berta", ["erp"])
    with pytest.raises(UserNotFound, match="users: anna, berta"):
        member.user("carl")
    with pytest.raises(MemberNotFound, match=r"ca\.pem is missing"):
        MemberKeys.load(tmp_path / "nobody")
    with pytest.raises(KeyMismatch, match=r"berta\.key"):
        KeyFiles(anna.certificate_path, berta.key_path).pair()
    anna.key_path.chmod(0o640)
    with pytest.raises(UnsafeKeyFile, match="chmod 600"):
        anna.pair()
    anna.key_path.chmod(0o600)
    anna.key_path.write_bytes(b"not a key")
    with pytest.raises(UnreadableKey, match=r"anna\.key"):
        anna.pair()
    anna.key_path.unlink()
    with pytest.raises(UnreadableKey, match="No such file"):
        anna.pair()
    anna.certificate_path.write_bytes(b"not a certificate")
    with pytest.raises(UnreadableCertificate, match=r"anna\.pem"):
        anna.pair()


def test_certificates_hold_for_their_time_and_no_longer(tmp_path: Path) -> None:
    now = FOUNDED
    validity = Validity(authority=100 * DAY, identity=10 * DAY, clock=lambda: now)
    member = MemberKeys.create(tmp_path / "maker", "MakerMSP", validity=validity)
    anna = member.add_user("anna", ["erp"])
    anna.pair(now=FOUNDED + 10 * DAY)
    with pytest.raises(CertificateExpired, match=r"anna\.pem expired on 2026-01-11"):
        anna.pair(now=FOUNDED + 11 * DAY)
    with pytest.raises(CertificateNotYetValid, match="set the clock"):
        anna.pair(now=FOUNDED - DAY)
    now = FOUNDED + 101 * DAY
    with pytest.raises(CertificateExpired, match="CA certificate"):
        member.add_user("berta", ["erp"])
    assert member.users() == ["anna"]
