"""The official release of Hyperledger Fabric: its version and digests, and the place of its programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

# They are put into place in this order: if the last one is there, all are.
PROGRAMS = ("orderer", "peer")

_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Release:
    """A release. `sha256` has one hex digest for each platform ("linux-amd64") that has an archive."""

    version: str
    base_url: str
    sha256: Mapping[str, str]

    def url(self, platform_name: str) -> str:
        archive = f"hyperledger-fabric-{platform_name}-{self.version}.tar.gz"
        return f"{self.base_url}/v{self.version}/{archive}"


# The page of the release at github.com/hyperledger/fabric shows each archive's digest beside it.
OFFICIAL = Release(
    version="3.1.5",
    base_url="https://github.com/hyperledger/fabric/releases/download",
    sha256=MappingProxyType(
        {
            "darwin-amd64": "866b64b036ba9eff51ba2131bbe34b4b9057192f5766859ede22ea1cdd564158",
            "darwin-arm64": "d67a5c3366746a984f8ee9ae0ebf5c8b357c9d33dd589fa0b7668d739472cef0",
            "linux-amd64": "b9c31fd490991e76f8acb1835dee09fc19fee5428cb13e190ee6e0bdd2c37858",
            "linux-arm64": "4a42cad740a7e0373eda6bf1e27c86e9b06132f9bb751daf7f0f7dc1d1bbfed9",
        }
    ),
)


def program_folder(cache: Path, release: Release = OFFICIAL) -> Path:
    return cache / release.version / "bin"


def is_installed(cache: Path) -> bool:
    """Whether the official release is in the cache."""
    return (program_folder(cache) / PROGRAMS[-1]).exists()


def default_cache() -> Path:
    """`~/.cache/zunft/fabric`, or the place by the XDG Base Directory Specification, which ignores relative paths."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = configured if configured.is_absolute() else Path.home() / ".cache"
    return root / "zunft" / "fabric"


def this_platform() -> str:
    """This machine's platform as the Fabric project names it: "linux-amd64", "darwin-arm64"."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_PROCESSORS.get(machine, machine)}"
