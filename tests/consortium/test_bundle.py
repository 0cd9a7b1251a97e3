"""An applicant's folder and its bundle: they need its own keys alone, and a bundle of any other bytes is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from consortium.errors import (
    ConsortiumExists,
    ForeignBundle,
    InvalidApplicant,
    UnusableBundle,
)
from consortium.joining.applicant import (
    Applicant,
    found_applicant,
    keys_folder,
    load_applicant,
    read_applicant,
)
from consortium.joining.bundle import (
    Acceptance,
    OpenedBundle,
    check_addressed,
    open_bundle,
    open_bundle_file,
    sign_bundle,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from zunft.v1.bundle_pb2 import Bundle, SignedBundle

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ACCEPTED = Acceptance("Rhine Valley Machines", 1, bytes(32), "MakerMSP")
PLAN = """
name: mill
msp_id: MillMSP
legal_name: Mühle & Söhne GmbH
identifiers: {lei: 529900T8BM49AURSDO55, vat: DE136695976}
host: mill.example
first_port: 7900
"""


def read(folder: Path, text: str) -> Applicant:
    path = folder / "mill.yaml"
    path.write_text(text)
    return read_applicant(path)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("applicant")
    found_applicant(folder / "home", read(folder, PLAN))
    return folder / "home"


@pytest.fixture(scope="module")
def keys(home: Path) -> MemberKeys:
    return MemberKeys.load(keys_folder(home, load_applicant(home).member))


@pytest.fixture(scope="module")
def opened(home: Path, keys: MemberKeys) -> OpenedBundle:
    return sign_bundle(load_applicant(home), keys, ACCEPTED, NOW)


def test_a_folder_of_its_own_is_all_that_an_applicant_needs(home: Path, keys: MemberKeys, opened: OpenedBundle) -> None:
    assert sorted(path.name for path in home.iterdir()) == ["applicant.yaml", "members"]
    bundle, material = opened.bundle, keys.public_material()
    assert (bundle.msp_id, bundle.legal_name, bundle.consortium) == (
        "MillMSP",
        "Mühle & Söhne GmbH",
        ACCEPTED.consortium,
    )
    assert {one.scheme: one.value for one in bundle.identifiers} == yaml.safe_load(PLAN)["identifiers"]
    assert (tuple(bundle.root_certificates), tuple(bundle.tls_root_certificates)) == (
        material.ca_certificates,
        material.tls_ca_certificates,
    )
    assert [(one.host, one.port) for one in (bundle.peer, bundle.orderer.address)] == [
        ("mill.example", 7901),
        ("mill.example", 7904),
    ]
    tls = keys.node_tls(NodeKind.ORDERER)
    assert bundle.orderer.tls_certificate == tls.certificate_pem()
    names = tls.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mill.example", "localhost"]
    assert all(key.read_bytes() not in opened.signed for key in home.rglob("*.key"))


def test_the_fingerprint_is_written_in_groups_of_four(keys: MemberKeys, opened: OpenedBundle) -> None:
    groups = opened.fingerprint.split(" ")
    assert [len(group) for group in groups] == [4] * 16
    root = x509.load_pem_x509_certificate(keys.root_pem())
    assert bytes.fromhex("".join(groups)) == root.fingerprint(hashes.SHA256())


def test_a_bundle_is_for_one_consortium_and_one_sponsor(opened: OpenedBundle) -> None:
    check_addressed(opened, ACCEPTED.consortium, "MakerMSP")
    with pytest.raises(ForeignBundle, match="not to 'Another'"):
        check_addressed(opened, "Another", "MakerMSP")
    with pytest.raises(ForeignBundle, match="asks MakerMSP"):
        check_addressed(opened, ACCEPTED.consortium, "BankMSP")


def test_nothing_is_overwritten(home: Path) -> None:
    with pytest.raises(ConsortiumExists):
        found_applicant(home, load_applicant(home))


@pytest.mark.parametrize(
    ("wrong", "piece"),
    [
        ("msp_id: MillMSP", "msp_id is missing"),
        ("first_port: 7900", "first_port is missing"),
    ],
)
def test_a_field_that_is_missing_is_named(tmp_path: Path, wrong: str, piece: str) -> None:
    with pytest.raises(InvalidApplicant, match=piece):
        read(tmp_path, PLAN.replace(wrong, ""))


@pytest.mark.parametrize(
    ("right", "wrong", "piece"),
    [
        ("name: mill\n", "name: ../mill\n", "cannot be a member's name"),
        ("MillMSP", "Mill_MSP", "cannot be an MSP id"),
        ("7900", "65530", "first_port must be"),
        ("7900", "many", "many"),
        ("host:", "hots:", "'hots'"),
        ("{lei: 529900T8BM49AURSDO55, vat: DE136695976}", "[1]", "each scheme"),
        ("{lei", "{lei: [", "cannot be read"),
        (PLAN, "- 1", "write keys with values here, of name"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, right: str, wrong: str, piece: str) -> None:
    with pytest.raises(InvalidApplicant, match=piece):
        read(tmp_path, PLAN.replace(right, wrong))


def test_a_wrong_check_digit_is_found_in_the_applicants_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidApplicant, match="'DE136695977' is no vat"):
        read(tmp_path, PLAN.replace("DE136695976", "DE136695977"))


def test_missing_and_cut_files_are_named(tmp_path: Path, opened: OpenedBundle) -> None:
    with pytest.raises(UnusableBundle, match="No such file"):
        open_bundle_file(tmp_path / "nothing")
    path = tmp_path / "mill.bundle"
    path.write_bytes(opened.signed)
    assert open_bundle_file(path) == opened
    for size in (0, 1, len(opened.signed) - 1):
        path.write_bytes(opened.signed[:size])
        with pytest.raises(UnusableBundle, match=r"mill\.bundle"):
            open_bundle_file(path)
    home = tmp_path / "home"
    home.mkdir()
    for text in ("- 1", "member: 3", "member: {name: x}", "\0"):
        (home / "applicant.yaml").write_text(text)
        with pytest.raises(InvalidApplicant, match=r"applicant\.yaml"):
            load_applicant(home)


# --- any bytes --------------------------------------------------------------------------------------------------------

CUTS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4)


def cut(data: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    """The data with some pieces taken out and others put in."""
    for place, length, piece in cuts:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at + length :]
    return data


def is_refused(data: bytes) -> bool:
    try:
        return not open_bundle(data, "the bundle").fingerprint
    except UnusableBundle:
        return True


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    assert is_refused(noise)


@given(cuts=CUTS)
def test_a_changed_bundle_is_refused(opened: OpenedBundle, cuts: list[tuple[int, int, bytes]]) -> None:
    changed = cut(SignedBundle.FromString(opened.signed).bundle, cuts)
    signature = SignedBundle.FromString(opened.signed).signature
    data = SignedBundle(bundle=changed, signature=signature).SerializeToString()
    assert is_refused(data) is (changed != opened.bundle.SerializeToString(deterministic=True))


@given(cuts=CUTS)
def test_a_bundle_that_its_own_root_signed_wrongly_does_no_harm(
    keys: MemberKeys, opened: OpenedBundle, cuts: list[tuple[int, int, bytes]]
) -> None:
    data = cut(opened.bundle.SerializeToString(deterministic=True), cuts)
    is_refused(signed(keys, data))


@given(cuts=CUTS, field=st.sampled_from(["root_certificates", "tls_root_certificates", "orderer"]))
def test_a_certificate_of_nonsense_does_no_harm(
    keys: MemberKeys, opened: OpenedBundle, cuts: list[tuple[int, int, bytes]], field: str
) -> None:
    bundle = Bundle.FromString(opened.bundle.SerializeToString())
    if field == "orderer":
        bundle.orderer.tls_certificate = nonsense(bundle.orderer.tls_certificate, cuts)
    else:
        certificates = getattr(bundle, field)
        certificates[0] = nonsense(certificates[0], cuts)
    is_refused(signed(keys, bundle.SerializeToString()))


def nonsense(pem: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    """A certificate that is still PEM, but is no DER any more, or has strange content."""
    der = cut(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER), cuts)
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def signed(keys: MemberKeys, data: bytes) -> bytes:
    signature = keys.authority("msp").key.sign(data, ec.ECDSA(hashes.SHA256()))
    return SignedBundle(bundle=data, signature=signature).SerializeToString()
