"""A node may listen on another address than the one where it is reached, and an error names why it cannot listen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from consortium.errors import InvalidApplicant
from consortium.joining.applicant import (
    Applicant,
    found_applicant,
    load_applicant,
    read_applicant,
)
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from network.errors import (
    CannotListen,
    PortTaken,
)
from network.network import _check_listening
from network.site.core_yaml import core_yaml
from network.site.orderer import (
    orderer_process,
    orderer_yaml,
)
from network.site.peer import peer_process

# An address that RFC 5737 reserves for documentation.
ELSEWHERE = "192.0.2.10"


def applicant(folder: Path, more: str) -> tuple[Applicant, MemberKeys]:
    (folder / "applicant.yaml").write_text(
        f"name: mill\nmsp_id: MillMSP\nlegal_name: Case Rolling Mill\nfirst_port: 7900\n{more}\n"
    )
    company = read_applicant(folder / "applicant.yaml")
    return company, found_applicant(folder / "home", company)


@pytest.mark.parametrize(
    ("more", "listens"),
    [
        (f"host: {ELSEWHERE}", "0.0.0.0"),  # noqa: S104
        (f"host: {ELSEWHERE}\nlisten: 127.0.0.1", "127.0.0.1"),
        ("host: mill.example", "0.0.0.0"),  # noqa: S104
        ("host: 127.0.0.1", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_processes_listen_here_and_announce_the_host(tmp_path: Path, more: str, listens: str) -> None:
    company, keys = applicant(tmp_path, more)
    host = more.split()[1] if more else "127.0.0.1"
    peer, orderer = company.member.peer, company.member.orderer
    assert peer is not None
    assert orderer is not None
    core = core_yaml(keys, peer, tmp_path)["peer"]
    assert (core["listenAddress"], core["gossip"]["externalEndpoint"]) == (f"{listens}:7901", f"{host}:7901")
    general = orderer_yaml(keys, orderer, tmp_path)["General"]
    assert (general["ListenAddress"], general["ListenPort"]) == (listens, 7904)
    for process in (peer_process("mill", keys, peer), orderer_process("mill", keys, orderer)):
        assert process.listens[0].host == listens
        assert process.listens[0].from_here.host == "127.0.0.1"
    reloaded = load_applicant(tmp_path / "home")
    assert reloaded == company
    assert reloaded.member.peer is not None
    assert reloaded.member.peer.listening == peer.listening


def test_an_address_of_another_machine_cannot_be_listened_on(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidApplicant, match=rf"line 6, listen: '{ELSEWHERE}' is not an IPv4 address of this machine"
    ):
        applicant(tmp_path, f"host: mill.example\nlisten: {ELSEWHERE}")
    assert not (tmp_path / "home").exists()


@pytest.fixture
def taken() -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Endpoint("127.0.0.1", server.getsockname()[1])


def test_the_error_says_why_a_process_cannot_listen(tmp_path: Path, taken: Endpoint) -> None:
    company, keys = applicant(tmp_path, "")
    assert company.member.peer is not None
    process = peer_process("mill", keys, company.member.peer)
    with pytest.raises(PortTaken, match="in use by another program"):
        _check_listening(process, taken)
    for nowhere in (Endpoint(ELSEWHERE, taken.port), Endpoint("nowhere.invalid", taken.port)):
        with pytest.raises(CannotListen, match="is not on an address of this machine"):
            _check_listening(process, nowhere)
