"""YAML files that people write are read in one way everywhere: as exact text, with no key twice, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consortium.errors import ConsortiumError
from consortium.folder.charter_rules import read_amendment
from consortium.folder.founding import read_plan
from consortium.folder.topology import Topology
from consortium.joining.applicant import (
    load_applicant,
    read_applicant,
)
from consortium.keys.signed_text import read_signed_text
from node.agreement_file import read_agreement
from node.correction_file import read_correction
from node.meter.csv_readings import read_mapping
from node.tariff.file import read_tariff

WORDS = """\
consortium: 2026-01-05
currency: EUR
issuer: bank
{}
members:
  - {{name: 010, msp_id: 007, legal_name: Yes}}
  - {{name: maker, msp_id: 0x1F, legal_name: 1.10}}
  - {{name: bank, msp_id: BankMSP, legal_name: ~}}
"""
APPLICANT = "name: 010\nmsp_id: 007\nlegal_name: 1.10\nfirst_port: 7900\nidentifiers: {{}}\n{}\n"

READERS: dict[str, Callable[[Path], object]] = {
    "plan": read_plan,
    "applicant": read_applicant,
    "amendment": read_amendment,
    "tariff": read_tariff,
    "agreement": lambda path: read_agreement(path, str),
    "correction": read_correction,
    "mapping": read_mapping,
    "consortium.yaml": lambda path: Topology.load(path.parent),
    "applicant.yaml": lambda path: load_applicant(path.parent),
    "signed text": lambda path: read_signed_text(path.read_bytes()),
}
HOSTILE = {
    "a date that does not exist": "a: 2026-02-30\n",
    "digits": f"a: {'9' * 5_000}\n",
    "brackets": "[" * 3_000,
    "braces": "a: " + "{a: " * 3_000,
    "dashes": "- " * 3_000,
    "laughs": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{key}: &{key} [{', '.join([f'*{before}'] * 9)}]\n" for before, key in zip("abcdefgh", "bcdefghi")),  # noqa: B905
    "itself": "a: &a [*a]\n",
    "twice": "a: 1\na: 2\n",
    "a list as a key": "? [a, b]\n: c\n",
    "no text": "\x00\x01",
    "other text": "\xff\xfe",
}


@pytest.mark.fault(26)
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("reader", READERS)
def test_no_file_ends_in_anything_but_a_refusal(tmp_path: Path, reader: str, hostile: str) -> None:
    path = tmp_path / (reader if reader.endswith(".yaml") else "file.yaml")
    path.write_bytes(HOSTILE[hostile].encode("latin-1"))
    with pytest.raises(ConsortiumError) as refusal:
        READERS[reader](path)
    assert 0 < len(str(refusal.value)) < 1_000


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("entry: {deposit: 1e9999999}", "line 1, entry.deposit: '1e9999999' is no number"),
        ("entry: {deposit: 12:30}", "line 1, entry.deposit: '12:30' is no number"),
        ("entry: {identifiers: [{a: b}]}", "line 1, entry.identifiers[1]: write a single value"),
        ("entry: {identifiers: {a: b}}", "line 1, entry.identifiers: it must be a list"),
        ("entry: {deposit: 1}\nentry: {deposit: 2}", "line 2, entry: the key 'entry' stands here twice"),
        ("voting: {admission: [1, 2]}", "line 1, voting.admission: write a single value"),
        ("exit: 30", "line 1, exit: it must have fields"),
    ],
)
def test_a_charters_rules_are_refused_with_their_line(tmp_path: Path, rules: str, says: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(rules + "\n")
    with pytest.raises(ConsortiumError) as refusal:
        read_amendment(path)
    assert f"{path}, {says}" in str(refusal.value)
    path.write_text(WORDS.format(rules))
    with pytest.raises(ConsortiumError) as refusal:
        read_plan(path)
    assert says.split(", ", 1)[1] in str(refusal.value)


def test_a_plan_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(WORDS.format("entry: {deposit: 750.10}"))
    plan = read_plan(path)
    assert plan.consortium == "2026-01-05"
    assert plan.members == (("010", "007", "Yes"), ("maker", "0x1F", "1.10"), ("bank", "BankMSP", "~"))
    assert plan.rules == {"entry": {"deposit": "750.10"}}


def test_an_applicant_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "applicant.yaml"
    path.write_text(APPLICANT.format(""))
    company = read_applicant(path)
    assert (company.member.name, company.member.msp_id, company.member.legal_name) == ("010", "007", "1.10")
    path.write_text(APPLICANT.format("name: other"))
    with pytest.raises(ConsortiumError, match="line 6, name: the key 'name' stands here twice"):
        read_applicant(path)


def test_settings_of_other_programs_are_read_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(WORDS.format("fabric: {core: {peer: {limits: {concurrency: 25}, on: true}}}"))
    plan = read_plan(path)
    assert plan.fabric is not None
    assert plan.fabric.core == {"peer": {"limits": {"concurrency": 25}, True: True}}


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"a" * 1_000_001)
    for large in (path, Path("/dev/zero")):
        with pytest.raises(ConsortiumError, match="larger than"):
            read_plan(large)
