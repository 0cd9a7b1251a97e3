"""`zunft join` on the embedded ledger: how a company becomes a member, step by step, and all refusals on the way.

test_joining.py has the same on Fabric, where the applicant has a folder of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from consortium.exit_codes import ExitCode
from consortium.folder.topology import Topology
from consortium.joining.applicant import read_applicant
from consortium.joining.bundle import (
    Acceptance,
    open_bundle_file,
    sign_bundle,
)
from consortium.keys.certificates import utc_now
from consortium.keys.member_keys import MemberKeys
from tests.cli.program import EXAMPLES, Outcome, Zunft
from zunft.v1.bundle_pb2 import SignedBundle

USAGE, REFUSED, NETWORK = ExitCode.USAGE, ExitCode.REFUSED, ExitCode.CONSORTIUM
APPLICANT = EXAMPLES / "applicant.yaml"
REQUEST = f"join request {APPLICANT} --sponsor maker"
# The sponsor names the bundle's file, as on another machine.
PROPOSE = "join propose {home}/mill.bundle --as maker"
MEMBERS = ("maker", "factory", "bank")


def type_all(zunft: Zunft, *commands: str) -> str:
    """Runs all the commands. Returns the output of the last one."""
    return [zunft.must(words.format(home=zunft.home)).stdout for words in commands][-1]


def next_of(text: str) -> str:
    """The command after "Next: zunft"."""
    [line] = [line for line in text.splitlines() if line.startswith("Next: zunft ")]
    return line.removeprefix("Next: zunft ")


def steps(zunft: Zunft, company: str = "mill") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = zunft.must(f"join status {company} --json").json
    return found


def done(zunft: Zunft) -> list[str]:
    return [step["done"] for step in steps(zunft)]


def statuses(zunft: Zunft) -> dict[str, str]:
    return {row["member"]: row["status"] for row in zunft.must("consortium members --json").json}


def newest_block(zunft: Zunft) -> object:
    return zunft.must("ledger blocks --last 1 --json").json


def state(zunft: Zunft) -> tuple[object, ...]:
    """The newest block, the topology, and the names of all files that are not SQLite's own."""
    names = [path for path in sorted(zunft.home.rglob("*")) if ".db" not in path.name]
    return newest_block(zunft), (zunft.home / "consortium.yaml").read_bytes(), names


def assert_refused(outcome: Outcome, code: ExitCode, *pieces: str) -> None:
    """Checks that the command ended with this code and with one sentence, which has all the pieces."""
    assert outcome.exit_code == code, outcome
    assert outcome.stderr.count("\n") == 1, outcome
    assert all(piece in outcome.stderr for piece in pieces), outcome


# --- the way in -------------------------------------------------------------------------------------------------------


def test_a_company_becomes_a_member_by_the_commands_that_are_named_next(zunft: Zunft) -> None:
    printed = zunft.must(f"{REQUEST} --yes").stdout
    while "active member" not in printed:
        printed = zunft.must(next_of(printed), answer="y\n").stdout
    assert statuses(zunft) == {**dict.fromkeys(MEMBERS, "active"), "mill": "active"}
    assert done(zunft) == ["yes"] * 4
    zunft.must("token mint mill 10 --as bank --reference FOR-THE-MILL")
    zunft.must("token transfer factory 4 --as mill")
    assert {row["member"]: row["tokens"] for row in zunft.must("token balances --json").json}["mill"] == "6.00"


def test_status_names_the_members_that_must_act_and_their_command(zunft: Zunft) -> None:
    type_all(zunft, f"{REQUEST} --yes", PROPOSE)
    assert done(zunft) == ["yes", "no", "no", "no"]
    assert steps(zunft)[1] == {
        "step": "members approve (1 of 2 needed)",
        "done": "no",
        "who": ["bank", "factory"],
        "command": "zunft join approve MillMSP",
    }
    assert all(not step["who"] and not step["command"] for place, step in enumerate(steps(zunft)) if place != 1)
    shown = zunft.must("join status mill").stdout
    assert max(map(len, shown.splitlines())) <= 80
    zunft.must(f"{next_of(shown)} --yes")
    assert done(zunft) == ["yes", "yes", "yes", "no"]
    last = steps(zunft)[3]
    assert (last["who"], last["command"]) == (["mill"], "zunft join complete")
    shown = zunft.must("join status mill").stdout
    zunft.must(next_of(shown))
    assert done(zunft) == ["yes"] * 4
    assert "Next" not in zunft.must("join status mill").stdout
    assert steps(zunft, "MillMSP") == steps(zunft, "mill")


def test_every_command_can_be_typed_again(zunft: Zunft) -> None:
    type_all(zunft, f"{REQUEST} --yes")
    fingerprint = open_bundle_file(zunft.home / "mill.bundle").fingerprint
    assert fingerprint in type_all(zunft, f"{REQUEST} --yes")
    for words in (PROPOSE, "join approve mill --as bank --yes", "join complete --as mill"):
        printed = type_all(zunft, words)
        before = state(zunft)
        assert type_all(zunft, words) == printed
        assert state(zunft) == before
    for words in (PROPOSE, "join approve mill --as bank", "join approve mill --as factory"):
        assert "mill is an active member" in type_all(zunft, words)
    assert state(zunft) == before


def test_a_suspended_member_has_joined_and_an_excluded_one_cannot_join(zunft: Zunft) -> None:
    type_all(zunft, f"{REQUEST} --yes", PROPOSE, "join approve mill --as bank --yes", "join complete --as mill")
    decide(zunft, "member suspend mill --reason 'no invoice is paid' --as maker")
    assert (statuses(zunft)["mill"], done(zunft)) == ("suspended", ["yes"] * 4)
    decide(zunft, "member exclude mill --reason 'cannot be reached' --yes --as maker")
    for words in ("join status mill", "join approve mill --as bank --yes"):
        assert_refused(zunft(words), REFUSED, "MillMSP was excluded", "another MSP id")
    assert_refused(zunft("leave status --as mill"), REFUSED, "zunft leave complete --as mill")


def decide(zunft: Zunft, words: str) -> None:
    printed = zunft.must(words).stdout
    while "Decided" not in printed:
        printed = zunft.must(f"{next_of(printed)} --yes").stdout


def test_an_approver_that_has_not_voted_yet_is_asked_and_may_say_no(zunft: Zunft) -> None:
    type_all(zunft, f"{REQUEST} --yes", PROPOSE)
    fingerprint, before = open_bundle_file(zunft.home / "mill.bundle").fingerprint, state(zunft)
    outcome = zunft("join approve mill --as bank", answer="n\n")
    assert fingerprint in outcome.stdout
    assert (outcome.exit_code, "nothing was approved" in outcome.stderr) == (ExitCode.DECLINED, True)
    assert state(zunft) == before


def test_a_company_that_has_become_a_member_is_charged(zunft: Zunft, tmp_path: Path) -> None:
    type_all(zunft, f"{REQUEST} --yes", PROPOSE, "join approve mill --as bank --yes", "join complete --as mill")
    terms = yaml.safe_load((EXAMPLES / "agreements" / "steel-plant.yaml").read_text())
    terms |= {"agreement": "mill-energy", "customer": "mill", "meters": ["mill-supply"]}
    terms["tariff"] = str(EXAMPLES / "tariffs" / "steel-plant.yaml")
    (tmp_path / "mill.yaml").write_text(yaml.safe_dump(terms))
    zunft.must(f"agreement propose {tmp_path}/mill.yaml --as maker")
    zunft.must("agreement accept mill-energy --as mill --yes")
    zunft.must("account open mill-energy --as maker")
    zunft.must("meter register mill-supply --agreement mill-energy --as maker")
    zunft.must("token mint mill 1000 --as bank --reference FOR-ENERGY")
    zunft.must("account fund mill-energy 1000 --as mill")
    mapping = EXAMPLES / "mappings" / "steel-plant.yaml"
    rows = "date,Usage_kWh,Load_Type\n01-01-2018 00:15,3.5,Light_Load\n"
    (tmp_path / "usage.csv").write_text(rows)
    zunft.must(f"usage import mill-supply {tmp_path}/usage.csv --mapping {mapping} --as maker")
    balance = zunft.must("node balance mill-energy --as mill --json").json
    assert balance["accrued_micro"] > 0
    verdicts = zunft.must("audit --as mill --json").json["verdicts"]
    assert {one["status"] for one in verdicts if one["name"] != "reserve"} == {"holds"}


def test_when_two_companies_apply_under_one_name_the_members_choose_by_sponsor(zunft: Zunft, tmp_path: Path) -> None:
    """The factory puts in another company as MillMSP. The members that vote see both fingerprints."""
    type_all(zunft, f"{REQUEST} --yes", PROPOSE)
    true = open_bundle_file(zunft.home / "mill.bundle")
    company = replace(read_applicant(APPLICANT), identifiers={})
    company = replace(company, member=replace(company.member, orderer=None))
    accepted = Acceptance(true.bundle.consortium, 1, true.bundle.charter_digest, "FactoryMSP")
    sham = sign_bundle(company, MemberKeys.create(tmp_path / "sham", "MillMSP"), accepted, utc_now())
    (tmp_path / "sham.bundle").write_bytes(sham.signed)
    zunft.must(f"join propose {tmp_path}/sham.bundle --as factory")

    for words in ("join status mill", "join approve mill --yes --as bank"):
        assert_refused(zunft(words), REFUSED, "were put in by", "FactoryMSP", "MakerMSP", "--sponsor")
    assert_refused(zunft("member show mill"), REFUSED, "FactoryMSP and MakerMSP have each put in a MillMSP")
    for row in zunft.must("ballot list --json").json:
        shown = zunft.must(f"ballot show {row['ballot']} --json").json
        own, other = (true, sham) if shown["opened_by"] == "maker" else (sham, true)
        assert shown["fingerprint"] == own.fingerprint
        assert other.fingerprint in shown["same_company_as"][0]
    zunft.must("join approve mill --sponsor maker --yes --as bank")
    zunft.must("join complete --as mill")
    assert statuses(zunft)["mill"] == "active"
    assert zunft.must("member show mill --json").json["fingerprint"] == true.fingerprint


# --- refusals ---------------------------------------------------------------------------------------------------------

MILL = APPLICANT.read_text()
FILES = {
    "garbled.yaml": "a: [1\nb: }",
    "binary.yaml": b"\xff\xfe\x00",
    "list.yaml": "- 1\n",
    "without-ports.yaml": MILL.replace("first_port: 7900\n", ""),
    "wrong-lei.yaml": MILL.replace("AURSDO55", "AURSDO56"),
    "wrong-vat.yaml": MILL.replace("DE136695976", "DE136695977"),
    "unknown-scheme.yaml": MILL.replace("vat:", "duns:"),
    "typo.yaml": MILL.replace("legal_name", "legal_nam"),
    "path.yaml": MILL.replace("name: mill", "name: ../mill"),
    "members-name.yaml": MILL.replace("name: mill", "name: bank"),
    "members-msp.yaml": MILL.replace("MillMSP", "BankMSP"),
    "other-name.yaml": MILL.replace("Ruhr Rolling Mill", "Ruhr Rolling Mill Holding"),
    "noise.bundle": b"\x0a\xff\x00noise",
    "empty.bundle": b"",
    "other.invitation": "invitation: 1\n",
    "damaged.invitation": "invitation: 2\ntopology: {}\n",
}

# The commands that are refused at each stage of the way in, with the exit code and a piece of the sentence.
NOTHING = [
    (f"request {{files}}/{name}.yaml --sponsor maker --yes", USAGE, piece)
    for name, piece in {
        "missing": "cannot be read",
        "garbled": "cannot be read",
        "binary": "cannot be read",
        "list": "write keys with values here, of name, msp_id",
        "without-ports": "first_port is missing",
        "wrong-lei": "is no lei: check its digits",
        "wrong-vat": "is no vat: check its digits",
        "unknown-scheme": "known are lei, vat",
        "typo": "'legal_nam'",
        "path": "cannot be a member's name",
        "members-name": "take another name",
        "members-msp": "BankMSP already",
    }.items()
] + [
    (f"request {APPLICANT} --sponsor nobody --yes", USAGE, "the members are maker, factory, bank"),
    (f"request {APPLICANT} --sponsor maker --yes --home {{files}}/nowhere", NETWORK, "no consortium in"),
    (f"request {APPLICANT} --sponsor maker --invitation {{files}}/missing --yes", USAGE, "cannot be read"),
    (f"request {APPLICANT} --sponsor maker --invitation {{files}}/binary.yaml --yes", USAGE, "no invitation"),
    (f"request {APPLICANT} --sponsor maker --invitation {{files}}/other.invitation --yes", USAGE, "no invitation"),
    (f"request {APPLICANT} --sponsor maker --invitation {{files}}/damaged.invitation --yes", USAGE, "ask for another"),
    ("invite {files}/new.invitation", USAGE, "needs no invitation"),
    ("propose {files}/missing.bundle --as maker", USAGE, "No such file"),
    ("propose {files}/noise.bundle --as maker", USAGE, "noise.bundle cannot be used"),
    ("propose {files}/empty.bundle --as maker", USAGE, "empty.bundle cannot be used"),
    (f"propose {APPLICANT} --as maker", USAGE, "applicant.yaml cannot be used"),
    ("approve mill --as bank --yes", REFUSED, "nobody has put in a bundle of mill"),
    ("approve bank --as maker --yes", REFUSED, "nobody has put in a bundle of BankMSP"),
    ("status mill", REFUSED, "nobody has put in a bundle of mill"),
    ("complete", USAGE, "--as"),
    ("complete --as mill", USAGE, "the members are maker, factory, bank"),
]
REQUESTED = [
    ("request {files}/other-name.yaml --sponsor maker --yes", USAGE, "MillMSP already"),
    ("propose {home}/mill.bundle --as factory", USAGE, "asks MakerMSP to put this bundle in, not FactoryMSP"),
    ("propose {home}/mill.bundle --as mill", USAGE, "asks MakerMSP"),
    ("propose {home}/mill.bundle --as maker/auditor", REFUSED, "needs the role admin"),
    ("propose {files}/damaged.bundle --as maker", USAGE, "changed afterwards"),
    ("propose {files}/foreign.bundle --as maker", USAGE, "applies to 'Another guild'"),
    ("propose {files}/charter-2.bundle --as maker", REFUSED, "accepted another charter than version 1"),
    ("propose {files}/charter-text.bundle --as maker", REFUSED, "accepted another charter than version 1"),
    ("approve mill --as bank --yes", REFUSED, "nobody has put in a bundle of MillMSP"),
    ("status mill", REFUSED, "nobody has put in a bundle of MillMSP"),
    ("complete --as mill", REFUSED, "MillMSP is not admitted yet"),
]
PROPOSED = [
    ("propose {files}/later.bundle --as maker", REFUSED, "wait until it is decided"),
    ("approve mill --as bank/auditor --yes", REFUSED, "needs the role admin"),
    ("approve mill --as mill --yes", REFUSED, "mill is not in the channel"),
    ("approve mill --as stranger --yes", USAGE, "there is no member 'stranger'"),
    ("approve stranger --as bank --yes", REFUSED, "nobody has put in a bundle of stranger"),
    ("approve mill --as bank", USAGE, "nobody answered, nothing was done"),
    ("status stranger", REFUSED, "stranger"),
    ("complete --as mill", REFUSED, "MillMSP is not admitted yet"),
]
ACTIVE = [
    ("propose {files}/later.bundle --as maker", REFUSED, "the channel has admitted MillMSP already"),
    ("request {files}/other-name.yaml --sponsor maker --yes", USAGE, "MillMSP already"),
]
CASES = [(stage, *case) for stage, cases in enumerate((NOTHING, REQUESTED, PROPOSED, ACTIVE)) for case in cases]


@pytest.fixture(scope="module")
def stages(charged: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Zunft]:
    """A consortium at each stage of the mill's way in: nothing done, requested, proposed, active."""
    folder, found = tmp_path_factory.mktemp("stages"), []
    before = charged
    for number, commands in enumerate(
        ([], [f"{REQUEST} --yes"], [PROPOSE], ["join approve mill --as bank --yes", "join complete --as mill"])
    ):
        zunft = Zunft(Path(shutil.copytree(before, folder / str(number))))
        if commands:
            type_all(zunft, *commands)
        found.append(zunft)
        before = zunft.home
    return found


@pytest.fixture(scope="module")
def files(stages: list[Zunft], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files above and with bundles that the applicant's own root has signed."""
    folder = tmp_path_factory.mktemp("files")
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    topology = Topology.load(stages[1].home)
    company, own = read_applicant(APPLICANT), topology.keys(topology.member("mill"))
    company = replace(company, member=replace(company.member, orderer=None))
    whole = open_bundle_file(stages[1].home / "mill.bundle")
    right = Acceptance(topology.consortium, 1, whole.bundle.charter_digest, "MakerMSP")
    for name, accepted in {
        "foreign": replace(right, consortium="Another guild"),
        "charter-2": replace(right, charter_version=2),
        "charter-text": replace(right, charter_digest=bytes(32)),
        "later": right,
    }.items():
        (folder / f"{name}.bundle").write_bytes(sign_bundle(company, own, accepted, utc_now()).signed)
    signed = SignedBundle.FromString(whole.signed)
    signed.bundle = signed.bundle.replace(b"Ruhr", b"Ruin")
    (folder / "damaged.bundle").write_bytes(signed.SerializeToString())
    return folder


@pytest.mark.parametrize(("stage", "words", "code", "piece"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])
def test_a_wrong_step_is_refused_in_one_sentence_and_changes_nothing(
    stages: list[Zunft], files: Path, stage: int, words: str, code: ExitCode, piece: str
) -> None:
    zunft = stages[stage]
    before, names = state(zunft), sorted(files.rglob("*"))
    assert_refused(zunft(f"join {words.format(files=files, home=zunft.home)}"), code, piece)
    assert state(zunft) == before
    assert sorted(files.rglob("*")) == names


def test_a_company_that_does_not_accept_the_charter_makes_nothing(stages: list[Zunft]) -> None:
    zunft = stages[0]
    before, charter = state(zunft), (zunft.home / "charter.md").read_text()
    for answer, code in (("n\n", ExitCode.DECLINED), ("", USAGE)):
        outcome = zunft(REQUEST, answer=answer)
        assert_refused(outcome, code, "nothing was done")
        assert charter in outcome.stdout
    assert state(zunft) == before


@contextmanager
def changed_charter_text(zunft: Zunft) -> Iterator[None]:
    path = zunft.home / "charter.md"
    text = path.read_text()
    path.write_text(text + "4. The maker is always right.\n")
    try:
        yield
    finally:
        path.write_text(text)


def test_a_text_that_is_not_the_charters_is_not_shown_to_an_applicant(stages: list[Zunft]) -> None:
    zunft = stages[0]
    with changed_charter_text(zunft):
        outcome = zunft(REQUEST, answer="y\n")
    assert_refused(outcome, USAGE, "the text of version 1 of the charter is not in")
    assert outcome.stdout == ""
