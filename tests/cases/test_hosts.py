"""A host that can never be reached gets neither into a bundle nor onto the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaincode.members.bundle import read_bundle
from consortium.errors import (
    InvalidApplicant,
    UnusableBundle,
)
from consortium.exit_codes import ExitCode
from consortium.joining.applicant import (
    found_applicant,
    read_applicant,
)
from consortium.joining.bundle import (
    Acceptance,
    sign_bundle,
)
from consortium.keys.certificates import utc_now
from tests.cli.program import Zunft

GOOD = ["mill.example", "mill-7.example.", "203.0.113.7", "localhost", "xn--mhle-0ra.example", "7.mill"]
BAD = [
    "2001:db8::7",
    "[2001:db8::7]",
    "::1",
    "mill.example:7050",
    "https://mill.example",
    "mill example",
    "-mill.example",
    "mill-.example",
    "mill..example",
    "256.1.1.1",
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "255.255.255.255",
    "224.0.0.1",
    "1.2.3",
    "1.2.3.04",
    "0x7f.1",
    "mühle.example",
    "mill.example\\n",
    ".",
    "m" * 64,
    "m." * 127 + "mm",
]
APPLICANT = 'name: mill\nmsp_id: MillMSP\nlegal_name: Case Rolling Mill\nfirst_port: 7900\nhost: "{}"\n'


@pytest.mark.parametrize("host", GOOD)
def test_names_and_addresses_are_taken(tmp_path: Path, host: str) -> None:
    path = tmp_path / "applicant.yaml"
    path.write_text(APPLICANT.format(host), encoding="utf-8")
    company = read_applicant(path)
    assert company.member.peer is not None
    assert company.member.peer.peer.host == host


@pytest.mark.parametrize("host", BAD)
def test_everything_else_is_refused_before_keys_are_made(tmp_path: Path, host: str) -> None:
    path = tmp_path / "applicant.yaml"
    path.write_text(APPLICANT.format(host), encoding="utf-8")
    with pytest.raises(InvalidApplicant, match="line 5, host: the host "):
        read_applicant(path)


def test_the_contract_refuses_such_hosts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An applicant may have made its bundle with another program."""
    (tmp_path / "applicant.yaml").write_text(APPLICANT.format("mill.example"))
    company = read_applicant(tmp_path / "applicant.yaml")
    own = found_applicant(tmp_path / "home", company)
    accepted = Acceptance("Case Guild", 1, bytes(32), "MakerMSP")
    assert read_bundle(sign_bundle(company, own, accepted, utc_now()).signed)
    monkeypatch.setattr("consortium.joining.applicant.check_host", str)
    for host in BAD[:10]:
        (tmp_path / "applicant.yaml").write_text(APPLICANT.format(host))
        with pytest.raises(UnusableBundle, match="impossible address"):
            sign_bundle(read_applicant(tmp_path / "applicant.yaml"), own, accepted, utc_now())


def test_with_the_corrected_file_the_same_folder_goes_on(zunft: Zunft) -> None:
    file = zunft.home.parent / "applicant.yaml"
    for host in ("mühle.example", "2001:db8::7"):
        file.write_text(APPLICANT.format(host), encoding="utf-8")
        outcome = zunft(f"join request {file} --sponsor maker --yes")
        assert (outcome.exit_code, outcome.stdout) == (ExitCode.USAGE, "")
        assert "host" in outcome.stderr
        assert not (zunft.home / "members" / "mill").exists()
    file.write_text(APPLICANT.format("203.0.113.7"))
    zunft.must(f"join request {file} --sponsor maker --yes")
