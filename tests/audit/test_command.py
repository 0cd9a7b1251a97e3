"""`zunft audit` on an archive: its exit code on an honest and a forged one, and a report whatever byte is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from audit import (
    Archive,
    ArchiveDamaged,
    Status,
    audit,
    export,
)
from cli.audit import audit as command
from consortium.exit_codes import ExitCode
from tests.audit.run import genesis
from tests.harness import Consortium

app = typer.Typer()
app.command()(command)


@pytest.fixture(scope="module")
def archive(story: Consortium, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    path = tmp_path_factory.mktemp("archive") / "factory.zunft"
    gateway = story.gateway("FactoryMSP", "auditor")
    return story.run(export(path, "FactoryMSP", genesis(story), gateway.present_blocks()))


def test_an_honest_archive_ends_with_exit_code_0(story: Consortium, archive: Archive) -> None:
    words = ["--archive", str(archive.path), "--genesis", str(story.topology.genesis_path), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output


def test_a_forged_archive_ends_with_another_exit_code(story: Consortium, archive: Archive, tmp_path: Path) -> None:
    forged = tmp_path / "forged.zunft"
    data = archive.path.read_bytes()
    place = data.index(b"camt-")
    forged.write_bytes(data[:place] + b"C" + data[place + 1 :])
    words = ["--archive", str(forged), "--genesis", str(story.topology.genesis_path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == ExitCode.FOUND_WRONG, result.output


def test_no_byte_goes_unnoticed(story: Consortium, archive: Archive, tmp_path: Path) -> None:
    """Any flipped byte either leaves the bills as they are or shows in a verdict, or the archive cannot be read."""
    honest = audit(archive.blocks(), genesis(story), "FactoryMSP")
    data, path = archive.path.read_bytes(), tmp_path / "flipped.zunft"
    for place in range(len(data) // 7, len(data), len(data) // 60):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        try:
            flipped = Archive(path)
            report = audit(flipped.blocks(), genesis(story), "FactoryMSP")
        except ArchiveDamaged:
            continue
        if all(verdict.status is Status.HOLDS for verdict in report.verdicts):
            assert json.dumps(report.to_dict()) == json.dumps(honest.to_dict()), place
