"""The commands of docs/joining.md for a new partner and the members work, word by word, on real Fabric.

The partner has a folder of its own. The companies exchange only the two files that the page names.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from fabric_protos.common.common_pb2 import Block

from chaincode.host import check_host
from consortium.folder.founding import FABRIC_PORTS_FROM
from consortium.folder.topology import Topology
from consortium.joining.invitation import write_invitation
from consortium.keys.member_material import EVERY_ADDRESS
from tests.cli.program import EXAMPLES, ROOT, Zunft
from tests.harness.fabric import why_no_fabric
from tests.harness.ports import free_first_port

pytestmark = pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric() or "Fabric is there")

PAGE = (ROOT / "docs" / "joining.md").read_text()
BLOCKS = re.findall(r"^```(?:yaml)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [words for block in BLOCKS for words in re.findall(r"^zunft (.*)$", block, re.MULTILINE)]
# The page's files, by the name in the first line of each.
FILES = {name: text for block in BLOCKS for name, text in re.findall(r"\A# (\S+\.yaml)\n(.*)", block, re.DOTALL)}
FINGERPRINT = re.compile(r"^(?:[0-9a-f]{4} ){15}[0-9a-f]{4}$", re.MULTILINE)
PASSED_ON = {"join invite": "guild.invitation", "join request": "mill.bundle"}


@dataclass(frozen=True)
class Company:
    """A company's `zunft`, and the folder in which it types the commands."""

    zunft: Zunft
    desk: Path

    def types(self, words: str) -> str:
        """Runs the command in the company's folder, with yes to all questions. Returns its output."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.desk)
            return self.zunft.must(words, answer="y\ny\n").stdout


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Three members on one machine, whose network runs. The ports behind theirs are free."""
    folder = tmp_path_factory.mktemp("members")
    plan = yaml.safe_load((EXAMPLES / "fabric.yaml").read_text())
    plan["first_port"] = free_first_port(4)
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    zunft = Zunft(folder / "consortium")
    zunft.must(f"consortium found {folder}/plan.yaml")
    try:
        zunft.must("network up")
        yield Company(zunft, folder)
    finally:
        zunft.must("network down")


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("partner")
    zunft = Zunft(folder / "guild")
    yield Company(zunft, folder)
    if (zunft.home / "consortium.yaml").exists():
        zunft.must("network down")


def write_files(members: Company, partner: Company) -> None:
    """Writes the page's files, with ports that are free here, and with this machine's name if it has one."""
    first_port = Topology.load(members.zunft.home).gateway.port + FABRIC_PORTS_FROM + 30
    for name, text in FILES.items():
        for company in (members, partner):
            here = text.replace("7900", str(first_port)).replace("host: 127.0.0.1", f"host: {HOST}")
            (company.desk / name).write_text(here)


def own_name() -> str:
    """This machine's name if it can resolve it, or 127.0.0.1."""
    try:
        socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        return check_host(socket.gethostname())
    except (OSError, ValueError):
        return "127.0.0.1"


HOST = own_name()


def command_on_page(words: str) -> str:
    """The page's only command that begins with these words."""
    [command] = [one for one in COMMANDS if one.startswith(words)]
    return command


def test_the_example_is_the_pages_own() -> None:
    shown = yaml.safe_load(FILES["applicant.yaml"])
    assert yaml.safe_load((EXAMPLES / "applicant.yaml").read_text()) == {
        name: value for name, value in shown.items() if name != "host"
    }


def test_the_pages_commands_work_word_by_word(members: Company, partner: Company) -> None:
    write_files(members, partner)
    printed = {}
    for words in COMMANDS:
        company, other = (members, partner) if "--as" in words else (partner, members)
        printed[words] = company.types(words)
        for command, name in PASSED_ON.items():
            if words.startswith(command):
                [file] = [*company.desk.glob(name), *company.zunft.home.glob(name)]
                shutil.copy(file, other.desk)
    shown = {words: set(FINGERPRINT.findall(text)) for words, text in printed.items()}
    request = command_on_page("join request")
    of_invitation, of_bundle = shown[command_on_page("join invite")], shown[command_on_page("join approve")]
    assert len(of_invitation) == len(of_bundle) == 1
    assert shown[command_on_page("join propose")] == of_bundle
    assert shown[request] == of_invitation | of_bundle
    assert "Does your company accept this charter?" in printed[request]
    assert "active member" in printed["join complete"]
    for company in (members, partner):
        rows = company.zunft.must("consortium members --json").json
        assert {row["status"] for row in rows} == {"active"}
        assert len(rows) == 4
    processes = partner.zunft.must("network status --json").json
    assert {row["process"] for row in processes} == {"mill.peer", "mill.orderer", "mill.chaincode"}
    assert all(row["problems"] == [] for row in processes)
    balance = partner.zunft.must("node balance drill-2026 --json").json
    assert balance["funded_micro"] == 100_000_000


def test_completing_again_changes_nothing(partner: Company) -> None:
    before = {row["process"]: row["pid"] for row in partner.zunft.must("network status --json").json}
    assert "active member" in partner.types("join complete")
    assert {row["process"]: row["pid"] for row in partner.zunft.must("network status --json").json} == before


def test_the_partner_listens_here_and_gives_the_others_its_host(partner: Company) -> None:
    [mill] = Topology.load(partner.zunft.home).members
    assert mill.peer is not None
    assert mill.orderer is not None
    for endpoints, address in ((mill.peer, mill.peer.peer), (mill.orderer, mill.orderer.orderer)):
        assert address.host == HOST
        assert endpoints.listening.host == ("127.0.0.1" if HOST == "127.0.0.1" else EVERY_ADDRESS)


def test_a_web_proxy_of_the_shell_is_not_used_for_the_network(members: Company, partner: Company) -> None:
    names = ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    proxied = dict.fromkeys(names, "http://127.0.0.1:9")
    for company in (members, partner):
        zunft = Zunft(company.zunft.home, proxied)
        assert zunft.run("token balances --json").exit_code == 0
        processes = zunft.run("network status --json").json
        assert all(row["problems"] == [] for row in processes)


def test_the_partners_processes_end_and_start_again_while_the_others_are_away(
    members: Company, partner: Company
) -> None:
    partner.types("network down")
    members.zunft.must("network down")
    assert "runs on 3 processes" in partner.types("network up")
    assert partner.zunft.must("node balance drill-2026 --json").json["funded_micro"] == 100_000_000
    members.zunft.must("network up")
    partner.types("network up")
    rows = partner.zunft.must("network status --json").json
    assert {(row["state"], *row["problems"]) for row in rows} == {("running",)}
    members.types("token mint mill 1.00 --reference BANK-CREDIT-8 --as bank")
    partner.types("token transfer maker 1.00")


def test_in_the_partners_own_folder_commands_need_no_member(partner: Company) -> None:
    partner.types("user add otto --role auditor")
    assert "otto" in {row["user"] for row in partner.zunft.must("user list --json").json}


def test_nobody_completes_for_a_partner(members: Company) -> None:
    outcome = members.zunft("join complete --as mill")
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1), outcome
    assert "in its own folder" in outcome.stderr


def test_an_invitation_to_another_channel_is_refused(partner: Company, tmp_path: Path) -> None:
    applicant, foreign = partner.desk / "applicant.yaml", invitation_of_another(tmp_path)
    before = (partner.zunft.home / "genesis.block").read_bytes()
    outcome = partner.zunft(f"join request {applicant} --invitation {foreign} --sponsor maker --yes")
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1), outcome
    assert "another channel" in outcome.stderr
    assert (partner.zunft.home / "genesis.block").read_bytes() == before


@pytest.mark.parametrize("words", ["join status mill", "member list", "network up", "node run"])
def test_before_it_has_joined_every_command_says_so(tmp_path: Path, words: str) -> None:
    applicant = Zunft(tmp_path / "applicant")
    request = f"join request {EXAMPLES}/applicant.yaml --invitation {invitation_of_another(tmp_path)} --sponsor maker"
    applicant.must(f"{request} --yes")
    outcome = applicant(words)
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (3, 1), outcome
    assert "zunft join complete" in outcome.stderr


def invitation_of_another(folder: Path) -> Path:
    """An invitation to another consortium, whose network does not run."""
    other, invitation = Zunft(folder / "other"), folder / "foreign.invitation"
    other.must(f"consortium found {EXAMPLES}/fabric.yaml")
    topology = Topology.load(other.home)
    admin = topology.keys(topology.member("maker")).user("admin").pair()
    write_invitation(invitation, topology, 1, [Block.FromString(topology.genesis_path.read_bytes())], admin)
    return invitation
