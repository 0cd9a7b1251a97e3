"""`make setup` finds a Python that serves, or says in one sentence what to install; the machine's Pythons are stubs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ROOT

# A Python of another version, or without venv, that makes an environment which notes each installation.
PYTHON = """#!/bin/sh
case "$1" in
  -c) exec "{python}" -c "import sys, ensurepip, venv; sys.version_info = {version}; {loss}; $2" ;;
  *) mkdir -p .venv/bin && cp "{pip}" .venv/bin/python && echo environment >> log ;;
esac
"""
PIP = '#!/bin/sh\n[ "$1" = -c ] || echo "$*" >> log\n'
TOOLS = ("make", "sh", "mkdir", "cp", "touch")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of a checkout that a set-up reads, with a PATH that has no Python yet in `bin`."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} on the PATH")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    write_program(tmp_path / "pip", PIP)
    return tmp_path


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def add_python(checkout: Path, name: str, version: tuple[int, int], *, has_venv: bool = True) -> None:
    loss = "pass" if has_venv else "sys.modules['ensurepip'] = None"
    text = PYTHON.format(python=sys.executable, version=version, loss=loss, pip=checkout / "pip")
    write_program(checkout / "bin" / name, text)


def make(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout / "bin"), "HOME": str(checkout)}
    return subprocess.run(["make", *words], cwd=checkout, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14", "python3"])
def test_any_python_that_is_new_enough_serves(checkout: Path, name: str) -> None:
    add_python(checkout, name, (3, 15) if name == "python3" else (3, int(name[-2:])))
    done = make(checkout, "setup")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"making .venv with {name}"
    assert done.stdout.splitlines()[-1].endswith("Next: make demo")


def test_a_python_that_is_old_or_has_no_venv_is_passed_over(checkout: Path) -> None:
    add_python(checkout, "python3.11", (3, 11), has_venv=False)
    add_python(checkout, "python3", (3, 9))
    add_python(checkout, "python3.13", (3, 13))
    assert make(checkout, "setup").stdout.startswith("making .venv with python3.13\n")


def test_a_python_without_venv_is_named_with_the_package_that_it_lacks(checkout: Path) -> None:
    add_python(checkout, "python3.12", (3, 12), has_venv=False)
    done = make(checkout, "setup")
    assert done.returncode != 0
    assert "python3.12 lacks venv" in done.stderr
    assert "apt-get install python3.12-venv" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("words", [["setup"], ["setup", "PYTHON=python3"], ["demo"], ["test"]])
def test_where_no_python_serves_the_ways_to_install_one_are_told(checkout: Path, words: list[str]) -> None:
    add_python(checkout, "python3", (3, 10))
    done = make(checkout, *words)
    assert done.returncode != 0
    assert "no Python from 3.11 on" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_the_python_that_is_named_is_taken(checkout: Path) -> None:
    add_python(checkout, "python3.11", (3, 11))
    add_python(checkout, "mine", (3, 12))
    assert make(checkout, "setup", "PYTHON=mine").stdout.startswith("making .venv with mine\n")


def test_the_tools_of_tests_are_installed_only_for_them(checkout: Path) -> None:
    add_python(checkout, "python3.11", (3, 11))
    log = checkout / "log"
    assert make(checkout, "setup").returncode == 0
    assert "[dev]" not in log.read_text()
    make(checkout, "setup")
    assert log.read_text().count("\n") == 2, "a second set-up installs nothing"
    make(checkout, "test")
    assert "[dev]" in log.read_text()


def test_a_set_up_that_was_interrupted_goes_on(checkout: Path) -> None:
    add_python(checkout, "python3.11", (3, 11))
    (checkout / ".venv" / "bin").mkdir(parents=True)
    assert make(checkout, "setup").returncode == 0
    assert (checkout / ".venv" / "ready").exists()
