"""The choice of peer and orderer among the places that may have them, and the errors about unusable ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from network import errors
from network.finding.binaries import (
    Binaries,
    find_binaries,
)
from network.finding.release import program_folder
from network.status import read_version
from tests.network.programs import (
    version_script,
    write_program,
    write_programs,
)

# An executable's first bytes as they are on any Unix, for a processor that does not exist.
ELF_OF_NO_PROCESSOR = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + b"\x02\x00\xff\xff\x01\x00\x00\x00".ljust(112, b"\0")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder of PATH. The system's own folders follow, for the scripts' `cat`."""
    folder = tmp_path / "on-path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_the_first_place_that_has_fabric_is_taken(tmp_path: Path, cache: Path, on_path: Path) -> None:
    write_programs(tmp_path / "configured", peer="3.1.0", orderer="3.1.0")
    write_programs(on_path, peer="3.1.4", orderer="3.1.4")
    write_programs(program_folder(cache))

    def version(configured: Path | None) -> str:
        return find_binaries(configured, cache).version

    assert version(tmp_path / "configured") == "3.1.0"
    assert version(None) == "3.1.4"
    (on_path / "peer").unlink()
    (on_path / "orderer").unlink()
    assert version(None) == "3.1.5"
    shutil.rmtree(cache)
    with pytest.raises(errors.FabricNotFound, match=r"^Hyperledger Fabric is not on this machine: `zunft network inst"):
        version(None)


@pytest.mark.parametrize("printed", ["3.1.5", "v3.1.5"])
def test_status_names_the_version_of_official_programs_as_that_of_others(printed: str) -> None:
    assert read_version(f'{{"CommitSHA":"86c1172","Version":"{printed}"}}') == "3.1.5"


def test_programs_are_named_absolutely(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_programs(tmp_path / "fabric")
    monkeypatch.chdir(tmp_path)

    found = find_binaries(Path("fabric"), cache)

    assert found == Binaries(folder / "peer", folder / "orderer", "3.1.5")


@pytest.mark.parametrize("version", ["3.1.0", "v3.1.5", "3.1.17"])
def test_every_patch_of_3_1_is_accepted(tmp_path: Path, cache: Path, version: str) -> None:
    folder = write_programs(tmp_path, peer=version, orderer=version)

    assert find_binaries(folder, cache).version == version.removeprefix("v")


@pytest.mark.parametrize("version", ["2.5.16", "v3.0.0", "3.2.0", "4.1.5", "3.1", "3.1.5-beta", "13.1.5", "latest"])
def test_every_other_release_is_refused_by_its_name(tmp_path: Path, cache: Path, version: str) -> None:
    folder = write_programs(tmp_path, orderer=version)

    with pytest.raises(errors.WrongFabricVersion, match=rf"orderer is of Fabric {version.removeprefix('v')};"):
        find_binaries(folder, cache)


def test_both_must_be_of_one_release(tmp_path: Path, cache: Path) -> None:
    folder = write_programs(tmp_path, peer="3.1.5", orderer="3.1.4")

    with pytest.raises(errors.WrongFabricVersion, match=r"peer is of Fabric 3\.1\.5 and .*orderer of Fabric 3\.1\.4"):
        find_binaries(folder, cache)


@pytest.mark.parametrize(
    ("orderer", "refusal", "words"),
    [
        (ELF_OF_NO_PROCESSOR, errors.WrongArchitecture, "was built for another processor"),
        ("#!/bin/sh\nexec sleep 60\n", errors.BinaryHangs, "has not answered for 0.5 s"),
        ("#!/bin/sh\necho GLIBC_9 not found >&2; exit 1\n", errors.NotFabric, "but 'GLIBC_9 not found'"),
        ("#!/bin/sh\necho\n", errors.NotFabric, "but 'nothing'"),
        (version_script("orderer", "3.1.5") + "exit 3\n", errors.NotFabric, "does not print a Fabric version"),
        ("#!/there/is/no/such/shell\n", errors.NotFabric, "No such file or directory"),
    ],
)
def test_a_program_that_does_not_run_is_refused(
    tmp_path: Path, cache: Path, orderer: str | bytes, refusal: type[errors.NetworkError], words: str
) -> None:
    folder = write_programs(tmp_path)
    write_program(folder / "orderer", orderer)

    with pytest.raises(refusal) as refused:
        find_binaries(folder, cache, timeout_s=0.5)

    sentence = str(refused.value)
    assert str(folder / "orderer") in sentence
    assert words in sentence
    assert "`zunft network install`" in sentence
    assert "\n" not in sentence


def test_a_file_without_the_right_to_run_is_refused(tmp_path: Path, cache: Path) -> None:
    folder = write_programs(tmp_path)
    (folder / "peer").chmod(0o644)

    with pytest.raises(errors.BinaryNotExecutable, match=f"chmod \\+x {folder / 'peer'}"):
        find_binaries(folder, cache)


@pytest.mark.parametrize("missing", ["peer", "orderer"])
def test_one_of_both_is_not_enough(tmp_path: Path, cache: Path, on_path: Path, missing: str) -> None:
    configured = write_programs(tmp_path / "configured")
    (configured / missing).unlink()
    with pytest.raises(errors.BinaryMissing, match=f"{configured / missing} is missing"):
        find_binaries(configured, cache)

    write_programs(on_path)
    (on_path / missing).unlink()
    with pytest.raises(errors.BinaryMissing, match=f"PATH has {on_path}/.* but no {missing}"):
        find_binaries(None, cache)


def test_an_installed_release_helps_against_an_older_one_on_path(cache: Path, on_path: Path) -> None:
    write_programs(on_path, peer="2.5.16", orderer="2.5.16")
    with pytest.raises(errors.WrongFabricVersion, match=r"peer is of Fabric 2\.5\.16"):
        find_binaries(None, cache)

    installed = write_programs(program_folder(cache))
    assert find_binaries(None, cache).peer == installed / "peer"


def test_a_configured_folder_is_never_replaced_by_another(tmp_path: Path, cache: Path, on_path: Path) -> None:
    write_programs(on_path)
    write_programs(program_folder(cache))

    with pytest.raises(errors.BinaryMissing):
        find_binaries(tmp_path / "nowhere", cache)


@pytest.mark.skipif(not (shutil.which("peer") and shutil.which("orderer")), reason="needs Fabric's peer and orderer")
def test_the_real_programs_are_found(cache: Path) -> None:
    found = find_binaries(None, cache)

    assert found.version.startswith("3.1.")
    assert os.access(found.peer, os.X_OK)
    assert os.access(found.orderer, os.X_OK)
