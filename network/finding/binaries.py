"""Finds Fabric's two programs on this machine and asks them for their version."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from network.errors import (
    BinaryHangs,
    BinaryMissing,
    BinaryNotExecutable,
    FabricNotFound,
    NetworkError,
    NotFabric,
    WrongArchitecture,
    WrongFabricVersion,
)
from network.finding.release import (
    is_installed,
    program_folder,
)

VERSION_TIMEOUT_S = 10.0

# `peer version` of the official release prints "v3.1.5", a program built from source "3.1.5".
_VERSION_LINE = re.compile(r"^ Version: v?(\S+)$", re.MULTILINE)
_ACCEPTED_VERSION = re.compile(r"3\.1\.\d+")
_NEEDED = "Fabric 3.1 is needed, and `zunft network install` downloads it for use where no folder is named"

# macOS reports EBADARCH for a program of another processor; Python's errno has the name only there.
_WRONG_ARCHITECTURE = {errno.ENOEXEC, getattr(errno, "EBADARCH", errno.ENOEXEC)}


@dataclass(frozen=True)
class Binaries:
    """The two programs, which are of the same `version`, "3.1.5"."""

    peer: Path
    orderer: Path
    version: str


def find_binaries(configured: Path | None, cache: Path, *, timeout_s: float = VERSION_TIMEOUT_S) -> Binaries:
    """The programs in the `configured` folder; without one those on PATH, else in the cache (release.default_cache).

    Programs on PATH that cannot be used (often an older Fabric) are an error only if the cache has none either.

    Raises FabricNotFound, BinaryMissing, BinaryNotExecutable, WrongArchitecture, BinaryHangs, NotFabric,
    WrongFabricVersion.
    """
    if configured is not None:
        return _binaries_in(configured, timeout_s)
    try:
        found = _binaries_on_path(timeout_s)
    except NetworkError:
        if not is_installed(cache):
            raise
        found = None
    if found:
        return found
    if is_installed(cache):
        return _binaries_in(program_folder(cache), timeout_s)
    raise FabricNotFound(
        "Hyperledger Fabric is not on this machine: `zunft network install` downloads the official release, "
        "or put peer and orderer of Fabric 3.1 on PATH, or use Docker"
    )


def _binaries_on_path(timeout_s: float) -> Binaries | None:
    peer, orderer = shutil.which("peer"), shutil.which("orderer")
    if peer and orderer:
        return _checked(Path(peer).absolute(), Path(orderer).absolute(), timeout_s)
    if peer or orderer:
        raise BinaryMissing(
            f"PATH has {peer or orderer} but no {'orderer' if peer else 'peer'}: "
            "put both there, or have `zunft network install` download the official release"
        )
    return None


def _binaries_in(folder: Path, timeout_s: float) -> Binaries:
    for path in (folder / "peer", folder / "orderer"):
        if not path.is_file():
            raise BinaryMissing(f"{path} is missing: peer and orderer must both be there; {_NEEDED}")
        if not os.access(path, os.X_OK):
            raise BinaryNotExecutable(f"{path} may not be run: chmod +x {path}")
    return _checked((folder / "peer").absolute(), (folder / "orderer").absolute(), timeout_s)


def _checked(peer: Path, orderer: Path, timeout_s: float) -> Binaries:
    version, orderer_version = _version(peer, timeout_s), _version(orderer, timeout_s)
    if version != orderer_version:
        raise WrongFabricVersion(
            f"{peer} is of Fabric {version} and {orderer} of Fabric {orderer_version}: use both of one release"
        )
    return Binaries(peer, orderer, version)


def _version(program: Path, timeout_s: float) -> str:
    """The program's version, if this software runs on it. Raises NotFabric, WrongFabricVersion, and as its start."""
    answer = _version_answer(program, timeout_s)
    line = _VERSION_LINE.search(answer.stdout)
    if answer.returncode != 0 or line is None:
        printed = (answer.stdout + answer.stderr).strip().rpartition("\n")[2] or "nothing"
        raise NotFabric(f"`{program} version` does not print a Fabric version but {printed!r}; {_NEEDED}")
    if not _ACCEPTED_VERSION.fullmatch(line[1]):
        raise WrongFabricVersion(f"{program} is of Fabric {line[1]}; {_NEEDED}")
    return line[1]


def _version_answer(program: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the user's own programs
            [program, "version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BinaryHangs(f"`{program} version` has not answered for {timeout_s:g} s; {_NEEDED}") from error
    except OSError as error:
        if error.errno in _WRONG_ARCHITECTURE:
            raise WrongArchitecture(f"{program} was built for another processor or system; {_NEEDED}") from error
        raise NotFabric(f"{program} cannot be run ({error.strerror}); {_NEEDED}") from error
