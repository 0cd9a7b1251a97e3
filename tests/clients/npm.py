"""Installs programs from the npm registry, in the versions of a lock file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import ROOT

UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT")
INSTALL_S = 300


def install_packages(name: str, source: Path, *files: str) -> Path:
    """A folder with the packages of `source` and its other files, kept from run to run. Skips the test without npm."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("node and npm are not installed; tests with programs of the npm registry need Node.js 20 or newer")
    folder = ROOT / "build" / name
    folder.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    installed = folder / "installed-lock.json"
    for file in ("package.json", "package-lock.json", *files):
        shutil.copyfile(source / file, folder / file)
    if not installed.exists() or installed.read_bytes() != lock:
        _install(npm, folder)
        installed.write_bytes(lock)
    return folder


def _install(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode and any(code in done.stderr for code in UNREACHABLE):
        pytest.skip("the npm registry cannot be reached, and a package of it is not installed yet")
    assert done.returncode == 0, done.stderr
