"""`zunft network` on real peers and orderers: up, down, and the faults that an operator meets in between."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from consortium.exit_codes import ExitCode
from consortium.folder.topology import Topology
from consortium.keys.certificates import (
    NodeKind,
    Validity,
    issue_identity,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from consortium.keys.renewal import renew_user
from network.running.process import ProcessKind
from tests.cli.program import EXAMPLES, Outcome, Zunft
from tests.harness.fabric import why_no_fabric
from tests.harness.ports import free_first_port

pytestmark = pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric() or "Fabric is there")

MEMBERS = ("maker", "factory", "bank")
PROCESSES = {f"{member}.{kind}" for member in MEMBERS for kind in ProcessKind}
MINT = "token mint factory {amount} --as bank --reference {reference}"


def founded(folder: Path, words: str = "") -> Zunft:
    """Founds the consortium of the example's three members, on free ports: keys and genesis block."""
    plan = yaml.safe_load((EXAMPLES / "fabric.yaml").read_text())
    plan["first_port"] = free_first_port(len(MEMBERS))
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    zunft = Zunft(folder / "consortium")
    outcome = zunft.must(f"consortium found {folder / 'plan.yaml'} {words}")
    assert "Next: zunft network up" in outcome.stdout
    return zunft


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zunft]:
    """A network that is up. A test that ends a process starts it again."""
    zunft = founded(tmp_path_factory.mktemp("network"))
    try:
        zunft.must("network up")
        yield zunft
    finally:
        zunft.must("network down")


def rows(zunft: Zunft) -> dict[str, Any]:
    """The rows of `zunft network status`, by process."""
    return {row["process"]: row for row in zunft.must("network status --json").json}


def certificate_shown(zunft: Zunft, process: str) -> str:
    """The certificate (PEM) that the process's port presents to a client."""
    member = Topology.load(zunft.home).member(process.partition(".")[0])
    assert member.peer
    assert member.orderer
    endpoint = member.peer.peer if process.endswith("peer") else member.orderer.orderer
    return ssl.get_server_certificate((endpoint.host, endpoint.port))


def kill(zunft: Zunft, process: str) -> None:
    killed = psutil.Process(rows(zunft)[process]["pid"])
    killed.send_signal(signal.SIGKILL)
    psutil.wait_procs([killed], timeout=10)


def assert_refused(outcome: Outcome, code: ExitCode, *pieces: str) -> None:
    """Checks that the command ended with this code and with one sentence, which has all the pieces."""
    assert outcome.exit_code == code, outcome
    assert outcome.stderr.count("\n") == 1, outcome
    assert all(piece in outcome.stderr for piece in pieces), outcome


def test_status_has_a_row_with_the_state_of_every_process(network: Zunft) -> None:
    found = rows(network)
    assert set(found) == PROCESSES
    assert all(name in network.must("network status").stdout for name in PROCESSES)
    for row in found.values():
        assert (row["state"], row["problems"]) == ("running", []), row
        assert psutil.Process(row["pid"]).memory_info().rss > 0
        assert row["memory_bytes"] > 0
        assert row["certificate_days_left"] > 1000
    orderers = [row for row in found.values() if row["kind"] == "orderer"]
    peers = [row for row in found.values() if row["kind"] == "peer"]
    chaincodes = [row for row in found.values() if row["kind"] == "chaincode"]
    assert Counter(row["is_leader"] for row in orderers) == {True: 1, False: 2}
    assert {row["orderer_status"] for row in orderers} == {"active"}
    assert {row["orderer_relation"] for row in orderers} == {"consenter"}
    shown = network.must("network status").stdout
    assert (shown.count("leader"), shown.count("consenter")) == (1, 2)
    assert all(row["version"].startswith("3.") for row in [*orderers, *peers])
    assert {row["behind"] for row in peers} == {0}
    assert all(row["running_package"] == row["approved_package"] for row in chaincodes)
    assert len({row["running_package"] for row in chaincodes}) == 1


def test_up_founds_the_charter_and_again_changes_nothing(network: Zunft) -> None:
    before, charter = rows(network), network.must("consortium show --json").json
    network.must("network up")
    after = rows(network)
    assert {name: row["pid"] for name, row in after.items()} == {name: row["pid"] for name, row in before.items()}
    assert {row["height"] for row in after.values()} == {row["height"] for row in before.values()}
    assert network.must("consortium show --json").json == charter


def test_a_killed_peer_is_reported_and_started_again(network: Zunft) -> None:
    kill(network, "factory.peer")
    assert rows(network)["factory.peer"]["state"] == "stopped"
    assert_refused(network("token transfer maker 1 --as factory"), ExitCode.UNREACHABLE, "the peer of factory")
    network.must(MINT.format(amount=100, reference="WHILE-A-PEER-WAS-AWAY"))
    network.must("network up")
    network.must("token transfer maker 1 --as factory")
    assert rows(network)["factory.peer"]["behind"] == 0


def test_a_chaincode_that_does_not_run_is_named_with_the_remedy(network: Zunft) -> None:
    kill(network, "bank.chaincode")
    mint = MINT.format(amount=5, reference="WITHOUT-CHAINCODE")
    assert_refused(network(mint), ExitCode.UNREACHABLE, "zunft network restart bank.chaincode")
    network.must("network restart bank.chaincode")
    network.must(mint)


def test_restart_starts_another_process_on_the_same_ledger(network: Zunft) -> None:
    before = rows(network)["maker.orderer"]
    network.must("network restart maker.orderer")
    after = rows(network)["maker.orderer"]
    assert after["pid"] != before["pid"]
    assert after["height"] >= before["height"]


@pytest.mark.parametrize("process", ["factory.peer", "factory.orderer"])
def test_a_process_presents_its_renewed_certificate(network: Zunft, process: str) -> None:
    network.must(MINT.format(amount=3, reference=f"BEFORE-RENEWING-{process}"))
    before, shown = rows(network), certificate_shown(network, process)
    network.must(f"network renew {process}")
    assert certificate_shown(network, process) not in (None, shown)
    network.must("token transfer maker 1 --as factory")
    after = rows(network)
    restarted = {name for name in PROCESSES if after[name]["pid"] != before[name]["pid"]}
    assert restarted == ({process} if process == "factory.orderer" else {process, "factory.chaincode"})
    assert all(row["problems"] == [] for row in after.values())
    assert after["factory.orderer"]["height"] > before["factory.orderer"]["height"]


def test_a_revoked_user_is_refused_by_every_peer(network: Zunft, tmp_path: Path) -> None:
    network.must(MINT.format(amount=3, reference="BEFORE-REVOKING"))
    network.must("user add anna --role treasurer --as factory")
    network.must("token transfer maker 1 --as factory/anna")
    users = network.home / "members" / "factory" / "users"
    stolen = [Path(shutil.copy(users / f"anna.{end}", tmp_path)) for end in ("pem", "key")]
    network.must("user revoke anna --yes --as factory")
    for file in stolen:
        shutil.copy(file, users)
    refused = network("token transfer maker 1 --as factory/anna")
    assert_refused(refused, ExitCode.UNREACHABLE, "access denied")
    network.must("user revoke anna --yes --as factory")
    assert_refused(network("token transfer maker 1 --as factory/anna"), ExitCode.CONSORTIUM, "no user 'anna'")
    network.must("token transfer maker 1 --as factory")


def test_a_process_that_hangs_does_not_make_status_hang(network: Zunft) -> None:
    pid = rows(network)["maker.peer"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        row = rows(network)["maker.peer"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (row["state"], row["height"]) == ("running", None)
    assert any("zunft network restart maker.peer" in problem for problem in row["problems"])


def test_logs_are_plain_text(network: Zunft) -> None:
    written = network.must("network logs factory.peer --lines 40").stdout
    assert len(written.splitlines()) == 40
    assert "\x1b" not in written
    assert "\x1b" in (network.home / "members" / "factory" / "fabric" / "peer" / "log").read_text()


@pytest.mark.parametrize("words", ["restart maker.printer", "logs maker"])
def test_the_refusal_of_an_unknown_process_names_those_that_exist(network: Zunft, words: str) -> None:
    assert_refused(network(f"network {words}"), ExitCode.USAGE, *PROCESSES)


def test_data_of_running_processes_are_not_deleted(network: Zunft) -> None:
    assert_refused(network("network clean --yes"), ExitCode.USAGE, "zunft network down")
    assert network.must("consortium show").stdout


def test_the_genesis_block_of_another_channel_is_refused(network: Zunft, tmp_path: Path) -> None:
    own, other = network.home / "genesis.block", founded(tmp_path).home / "genesis.block"
    whole = own.read_bytes()
    own.write_bytes(other.read_bytes())
    try:
        assert_refused(network("network up"), ExitCode.CONSORTIUM, "zunft", str(own))
    finally:
        own.write_bytes(whole)
    network.must("network up")


def test_ledger_serve_is_refused_since_the_peers_serve_the_ledger(network: Zunft) -> None:
    assert_refused(network("ledger serve"), ExitCode.USAGE, "peers serve the ledger")


def test_down_leaves_no_process_and_up_goes_on_with_the_ledger(network: Zunft) -> None:
    network.must(MINT.format(amount=7, reference="BEFORE-THE-NIGHT"))
    before, balances = rows(network), network.must("token balances --json").json
    network.must("network down")
    assert not [psutil.Process(row["pid"]) for row in before.values() if psutil.pid_exists(row["pid"])]
    assert {row["state"] for row in rows(network).values()} == {"stopped"}
    network.must("network up")
    assert network.must("token balances --json").json == balances


# --- before anything has started --------------------------------------------------------------------------------------


@pytest.fixture
def plan(tmp_path: Path) -> Zunft:
    """A consortium that is founded, and whose network has not started."""
    return founded(tmp_path)


def test_a_port_in_use_is_named_and_nothing_is_started(plan: Zunft) -> None:
    peer = Topology.load(plan.home).member("factory").peer
    assert peer
    with socket.create_server((peer.peer.host, peer.peer.port)):
        assert_refused(plan("network up"), ExitCode.MACHINE, str(peer.peer), "factory.peer")
    assert {row["state"] for row in rows(plan).values()} == {"stopped"}


def reissue(plan: Zunft, authority: str, validity: Validity) -> None:
    """Gives the factory's peer a certificate from the root of the member `authority`."""
    topology = Topology.load(plan.home)
    root = topology.folder(topology.member(authority)) / "msp"
    files = topology.keys(topology.member("factory")).node()
    pair = issue_identity(KeyFiles(root / "ca.pem", root / "ca.key").pair(), "peer.FactoryMSP", NodeKind.PEER, validity)
    files.key_path.unlink()
    files.certificate_path.unlink()
    files.write(pair)


@pytest.mark.parametrize(
    ("authority", "validity", "piece"),
    [
        ("factory", Validity(identity=timedelta(minutes=-1)), "expired on"),
        ("factory", Validity(begins_before=timedelta(days=-1)), "set the clock"),
        ("maker", Validity(), "was not issued by factory's own root"),
    ],
)
def test_a_certificate_that_nobody_would_accept_is_named(
    plan: Zunft, authority: str, validity: Validity, piece: str
) -> None:
    reissue(plan, authority, validity)
    assert_refused(plan("network up"), ExitCode.CONSORTIUM, "members/factory/peer/node.pem", piece)


def test_status_warns_of_a_certificate_that_ends_soon(plan: Zunft) -> None:
    reissue(plan, "factory", Validity(identity=timedelta(days=20, hours=1)))
    row = rows(plan)["factory.peer"]
    assert row["certificate_days_left"] == 20
    [problem] = row["problems"]
    assert problem == "its certificate ends in 20 days: zunft network renew factory.peer"
    plan.must("network renew factory.peer")
    row = rows(plan)["factory.peer"]
    assert (row["problems"], row["state"]) == ([], "stopped")
    assert row["certificate_days_left"] > 1000


def test_status_warns_of_a_user_whose_certificate_ends_soon(plan: Zunft) -> None:
    keys = Topology.load(plan.home).keys(Topology.load(plan.home).member("factory"))
    soon = MemberKeys(keys.folder, keys.msp_id, Validity(identity=timedelta(days=3, hours=1)))
    renew_user(soon, "treasurer")
    warned = {name: row["problems"] for name, row in rows(plan).items() if row["problems"]}
    [remedy] = warned.pop("factory.peer")
    assert warned == {}
    assert "treasurer ends in 3 days" in remedy
    plan.must(remedy.partition(": zunft ")[2])
    assert rows(plan)["factory.peer"]["problems"] == []


def test_without_programs_the_remedy_is_named(plan: Zunft, tmp_path: Path) -> None:
    outcome = plan(f"network up --fabric-bin {tmp_path}")
    assert_refused(outcome, ExitCode.MACHINE, f"{tmp_path}/peer is missing", "zunft network install")


def test_clean_asks_and_deletes_the_ledger_only(plan: Zunft) -> None:
    members = plan.home / "members"
    (members / "maker" / "fabric" / "peer").mkdir(parents=True)
    before = {path for path in members.rglob("*") if "fabric" not in path.parts}
    outcome = plan("network clean", answer="n\n")
    assert (outcome.exit_code, "nothing was deleted" in outcome.stderr) == (ExitCode.DECLINED, True)
    assert (members / "maker" / "fabric").exists()
    plan.must("network clean", answer="y\n")
    assert set(members.rglob("*")) == before


def test_logs_of_a_process_that_never_ran_are_refused(plan: Zunft) -> None:
    assert_refused(plan("network logs maker.peer"), ExitCode.USAGE, "zunft network up")


# --- the choice of a ledger -------------------------------------------------------------------------------------------


def test_options_override_the_plan(tmp_path: Path) -> None:
    zunft = Zunft(tmp_path / "consortium")
    zunft.must(f"consortium found {EXAMPLES}/fabric.yaml --ledger embedded")
    assert zunft.must("token balances --json").json == []
    assert_refused(zunft("network up"), ExitCode.USAGE, "embedded ledger", "--ledger fabric")
    docker = Zunft(tmp_path / "docker")
    docker.must(f"consortium found {EXAMPLES}/consortium.yaml --ledger fabric --runtime docker")
    settings = Topology.load(docker.home).fabric
    assert settings
    assert (settings.runtime, settings.ordering) == ("docker", "raft")


@pytest.mark.parametrize(
    ("words", "code", "piece"),
    [
        ("--ordering bft", ExitCode.USAGE, "--ledger fabric"),
        ("--ledger fabric --ordering bft", ExitCode.CONSORTIUM, "survives no fault"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(tmp_path: Path, words: str, code: ExitCode, piece: str) -> None:
    zunft = Zunft(tmp_path / "consortium")
    assert_refused(zunft(f"consortium found {EXAMPLES}/consortium.yaml {words}"), code, piece)
    assert not zunft.home.exists()
