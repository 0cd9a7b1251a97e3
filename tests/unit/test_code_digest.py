"""The contract's digest is the same wherever it is installed, and another contract has another digest."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chaincode
import zunft
from chaincode.code_digest import code_digest


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder of a copy of the contract's two packages."""
    for package in (chaincode, zunft):
        source = Path(package.__file__ or "").parent
        shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def digest_of(folder: Path) -> str:
    code = "import sys; sys.path.insert(0, '.'); from chaincode.code_digest import *; print(code_digest().hex())"
    return subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True).strip()


def test_the_digest_does_not_depend_on_the_place(copy: Path) -> None:
    (copy / "zunft/v1/node_pb2.py").write_text("# The node's API is not the contract's.")
    assert digest_of(copy) == code_digest().hex()


@pytest.mark.parametrize("name", ["chaincode/account/usage.py", "chaincode/rating/rate.py", "zunft/v1/tariff_pb2.py"])
def test_one_byte_more_is_another_contract(copy: Path, name: str) -> None:
    with (copy / name).open("a") as file:
        file.write("\n")
    assert digest_of(copy) != code_digest().hex()


def test_one_file_more_is_another_contract(copy: Path) -> None:
    (copy / "chaincode/empty.py").touch()
    assert digest_of(copy) != code_digest().hex()
