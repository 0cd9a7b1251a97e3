"""Downloads the official release of Hyperledger Fabric, compares its checksum and keeps its programs."""

from __future__ import annotations

import errno
import gzip
import hashlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from network.errors import (
    ChecksumMismatch,
    DamagedArchive,
    NoDiskSpace,
    NoNetwork,
    NoReleaseForPlatform,
    ReleaseUnavailable,
)
from network.finding.causes import reason
from network.finding.release import (
    OFFICIAL,
    PROGRAMS,
    Release,
    program_folder,
    this_platform,
)

TIMEOUT_S = 30
CHUNK_BYTES = 1 << 20
# A release has about 125 MB, a program about 65 MB.
ARCHIVE_BYTES_MAX = 400 << 20
PROGRAM_BYTES_MAX = 400 << 20

# It gets the bytes that are here, and all bytes if the server says how many there will be.
Progress = Callable[[int, int | None], None]


def install(cache: Path, progress: Progress, *, release: Release = OFFICIAL, platform_name: str | None = None) -> Path:
    """The folder with `peer` and `orderer`, `<cache>/<version>/bin`; downloads them unless they are there.

    Several processes may install at once. An interrupted one leaves nothing that a later one would take for complete.

    Raises NoReleaseForPlatform, NoNetwork, ReleaseUnavailable, ChecksumMismatch, DamagedArchive, NoDiskSpace, OSError.
    """
    folder = program_folder(cache, release)
    if all((folder / program).exists() for program in PROGRAMS):
        return folder
    platform_name = platform_name or this_platform()
    if platform_name not in release.sha256:
        raise NoReleaseForPlatform(
            f"Hyperledger Fabric {release.version} has no release for {platform_name}: use Docker, "
            "or build peer and orderer from source and put them on PATH"
        )
    with _room_in(cache):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as temporary:
            archive = Path(temporary, "archive.tar.gz")
            _download(release.url(platform_name), release.sha256[platform_name], archive, progress)
            _unpack(archive, Path(temporary))
            folder.mkdir(parents=True, exist_ok=True)
            for program in PROGRAMS:
                Path(temporary, program).replace(folder / program)
    return folder


def _download(url: str, sha256: str, archive: Path, progress: Progress) -> None:
    digest = hashlib.sha256()
    with archive.open("wb") as file:
        for chunk in _chunks(url, progress):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != sha256:
        raise ChecksumMismatch(
            f"{url} has SHA-256 {digest.hexdigest()} instead of {sha256} and was not used: "
            "try again on another network, or put peer and orderer on PATH yourself"
        )


def _chunks(url: str, progress: Progress) -> Iterator[bytes]:
    done_bytes = 0
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code != requests.codes.ok:
                raise ReleaseUnavailable(f"{url} answers {response.status_code} {response.reason}: try again later")
            length = response.headers.get("Content-Length", "")
            total_bytes = int(length) if length.isdecimal() else None
            for chunk in response.iter_content(CHUNK_BYTES):
                done_bytes += len(chunk)
                if done_bytes > ARCHIVE_BYTES_MAX:
                    raise DamagedArchive(f"{url} is larger than any release, more than {ARCHIVE_BYTES_MAX} bytes")
                yield chunk
                progress(done_bytes, total_bytes)
    except requests.RequestException as error:
        raise NoNetwork(
            f"{url} could not be downloaded ({reason(error)}): check the network and the proxy (HTTPS_PROXY), "
            "or put peer and orderer on PATH yourself"
        ) from error


def _unpack(archive: Path, folder: Path) -> None:
    """Writes the programs into `folder` under their own names, whatever other names the archive has."""
    missing = set(PROGRAMS)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                parent, _, program = member.name.removeprefix("./").rpartition("/")
                if parent == "bin" and program in missing:
                    _unpack_program(tar, member, folder / program)
                    missing.remove(program)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedArchive(f"the release archive cannot be read: {error}") from error
    if missing:
        raise DamagedArchive(f"the release archive has no {' and no '.join(f'bin/{name}' for name in sorted(missing))}")


def _unpack_program(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member) if member.isfile() else None
    if source is None or member.size > PROGRAM_BYTES_MAX:
        raise DamagedArchive(f"{member.name} in the release archive is no file of at most {PROGRAM_BYTES_MAX} bytes")
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file)
    path.chmod(0o755)


@contextmanager
def _room_in(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise NoDiskSpace(
            f"{cache} has no room for Hyperledger Fabric: free 500 MB there, "
            "or set XDG_CACHE_HOME to a folder on another disk"
        ) from error
