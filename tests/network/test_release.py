"""The release archive over a real connection: only a checked one is unpacked, and a failure leaves nothing behind."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network import errors
from network.finding import installation
from network.finding.binaries import find_binaries
from network.finding.installation import install
from network.finding.release import (
    OFFICIAL,
    Release,
    default_cache,
    program_folder,
)
from tests.network.programs import version_script

PLATFORM = "linux-amd64"
ARCHIVE_PATH = "/v3.1.5/hyperledger-fabric-linux-amd64-3.1.5.tar.gz"


class Server(ThreadingHTTPServer):
    """Serves `archive` at ARCHIVE_PATH, declares `declared_bytes` as its length, and stalls after it if `is_silent`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.archive = b""
        self.declared_bytes: int | None = None
        self.is_silent = False
        self.closing = threading.Event()
        self.requests: list[str] = []

    def release(self, sha256: str | None = None) -> Release:
        digest = sha256 or hashlib.sha256(self.archive).hexdigest()
        return Release(OFFICIAL.version, f"http://127.0.0.1:{self.server_port}", {PLATFORM: digest})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path != ARCHIVE_PATH:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.declared_bytes or len(self.server.archive)))
        self.end_headers()
        self.wfile.write(self.server.archive)
        if self.server.is_silent:
            self.server.closing.wait()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Logs nothing, as the requests are in `Server.requests`."""


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def server(shared_server: Server) -> Server:
    shared_server.archive = archive({"bin/peer": program("peer"), "bin/orderer": program("orderer")})
    shared_server.declared_bytes = None
    shared_server.is_silent = False
    shared_server.requests.clear()
    return shared_server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def program(name: str) -> bytes:
    return version_script(name, "v3.1.5").encode()


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def no_progress(done_bytes: int, total_bytes: int | None) -> None:
    """Reports nothing."""


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


PROGRAMS_IN_PLACE = {"3.1.5/bin/orderer", "3.1.5/bin/peer"}


def test_an_installed_release_is_found_and_not_downloaded_again(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    seen: list[tuple[int, int | None]] = []

    folder = install(cache, lambda *report: seen.append(report), release=server.release(), platform_name=PLATFORM)

    found = find_binaries(None, cache)
    assert (found.peer, found.orderer, found.version) == (folder / "peer", folder / "orderer", "3.1.5")
    assert seen[-1] == (len(server.archive), len(server.archive))
    assert files_below(cache) == PROGRAMS_IN_PLACE
    assert install(cache, no_progress, release=server.release(), platform_name=PLATFORM) == folder
    assert server.requests == [ARCHIVE_PATH]


def test_a_program_that_was_lost_is_installed_again(server: Server, cache: Path) -> None:
    folder = install(cache, no_progress, release=server.release(), platform_name=PLATFORM)
    (folder / "orderer").unlink()

    install(cache, no_progress, release=server.release(), platform_name=PLATFORM)

    assert (folder / "orderer").read_bytes() == program("orderer")


def test_several_processes_may_install_at_once(server: Server, cache: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        tasks = [
            pool.submit(install, cache, no_progress, release=server.release(), platform_name=PLATFORM) for _ in range(6)
        ]

    assert {task.result() for task in tasks} == {program_folder(cache)}
    assert files_below(cache) == PROGRAMS_IN_PLACE
    assert (program_folder(cache) / "peer").read_bytes() == program("peer")


def test_another_content_is_not_unpacked(server: Server, cache: Path) -> None:
    published = "ab" * 32

    with pytest.raises(errors.ChecksumMismatch, match=f"instead of {published} and was not used"):
        install(cache, no_progress, release=server.release(published), platform_name=PLATFORM)

    assert not any(cache.iterdir())


def test_a_connection_that_breaks_is_no_network(server: Server, cache: Path) -> None:
    server.declared_bytes = len(server.archive) + 1

    with pytest.raises(errors.NoNetwork, match="1 more expected"):
        install(cache, no_progress, release=server.release(), platform_name=PLATFORM)

    assert not any(cache.iterdir())


def test_a_silent_server_is_not_waited_for_forever(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "TIMEOUT_S", 0.3)
    server.declared_bytes = len(server.archive) + 1
    server.is_silent = True

    with pytest.raises(errors.NoNetwork, match="timed out"):
        install(cache, no_progress, release=server.release(), platform_name=PLATFORM)


def test_no_server_is_no_network(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    nowhere = Release(OFFICIAL.version, f"http://127.0.0.1:{port}", {PLATFORM: "00" * 32})

    with pytest.raises(errors.NoNetwork, match=r"Connection refused\): check the network and the proxy"):
        install(cache, no_progress, release=nowhere, platform_name=PLATFORM)


def test_a_release_that_the_server_lacks_is_unavailable(server: Server, cache: Path) -> None:
    gone = Release("3.1.4", server.release().base_url, {PLATFORM: "00" * 32})

    with pytest.raises(errors.ReleaseUnavailable, match=r"linux-amd64-3\.1\.4\.tar\.gz answers 404 Not Found"):
        install(cache, no_progress, release=gone, platform_name=PLATFORM)


@pytest.mark.parametrize("platform_name", ["windows-amd64", "linux-riscv64", "freebsd-amd64"])
def test_other_platforms_have_no_release(cache: Path, platform_name: str) -> None:
    with pytest.raises(errors.NoReleaseForPlatform, match=f"no release for {platform_name}: use Docker"):
        install(cache, no_progress, platform_name=platform_name)


def huge_member() -> bytes:
    """A member of an archive whose header declares a tebibyte, without content."""
    member = tarfile.TarInfo("bin/peer")
    member.size = 1 << 40
    return member.tobuf(tarfile.GNU_FORMAT)


def link_member() -> bytes:
    member = tarfile.TarInfo("bin/peer")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member.tobuf()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no archive at all", "cannot be read"),
        (archive({"bin/peer": program("peer")}), "has no bin/orderer"),
        (archive({"peer": b"", "orderer": b""}), "has no bin/orderer and no bin/peer"),
        (archive({"bin/peer": bytes(5000), "bin/orderer": bytes(5000)})[:-30], "cannot be read"),
        (huge_member(), "is no file of at most"),
        (link_member(), "is no file of at most"),
    ],
    ids=["text", "one program", "programs elsewhere", "cut", "a tebibyte", "a link"],
)
def test_a_damaged_archive_leaves_nothing(server: Server, cache: Path, content: bytes, words: str) -> None:
    server.archive = content if content[:2] == b"\x1f\x8b" else gzip.compress(content)

    with pytest.raises(errors.DamagedArchive, match=words):
        install(cache, no_progress, release=server.release(), platform_name=PLATFORM)

    assert not any(cache.iterdir())


def test_an_archive_without_an_end_is_not_stored(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "ARCHIVE_BYTES_MAX", len(server.archive) - 1)

    with pytest.raises(errors.DamagedArchive, match="larger than any release"):
        install(cache, no_progress, release=server.release(), platform_name=PLATFORM)


paths = st.lists(st.sampled_from(["..", ".", "", "bin", "peer", "orderer", "evil"]), min_size=1, max_size=6).map(
    "/".join
)


@settings(max_examples=40, deadline=None)
@given(names=st.lists(paths, max_size=8))
def test_no_name_in_an_archive_leads_out_of_the_folder(
    shared_server: Server, tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    files = {"bin/peer": program("peer"), "bin/orderer": program("orderer")}
    shared_server.archive = archive(files | {name: b"evil" for name in names if name not in files})

    install(folder / "a/b/cache", no_progress, release=shared_server.release(), platform_name=PLATFORM)

    assert files_below(folder) == {f"a/b/cache/{name}" for name in PROGRAMS_IN_PLACE}
    assert (program_folder(folder / "a/b/cache") / "peer").read_bytes() == program("peer")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small-disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_named(server: Server, small_disk: Path) -> None:
    noise = b"".join(hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(10_000))
    server.archive = archive({"bin/peer": noise, "bin/orderer": noise})

    with pytest.raises(errors.NoDiskSpace, match=f"{small_disk} has no room for Hyperledger Fabric: free 500 MB"):
        install(small_disk, no_progress, release=server.release(), platform_name=PLATFORM)

    assert not any(small_disk.iterdir())


@pytest.mark.parametrize(
    ("xdg_cache_home", "folder"),
    [
        ("/var/cache/me", "/var/cache/me/zunft/fabric"),
        ("", "/home/me/.cache/zunft/fabric"),
        ("here", "/home/me/.cache/zunft/fabric"),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, xdg_cache_home: str, folder: str
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", xdg_cache_home)

    assert default_cache() == Path(folder)
