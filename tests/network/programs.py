"""Stand-ins for Fabric's two programs, for tests of how they are found. They print a version and do nothing else."""

from __future__ import annotations

from pathlib import Path


def version_script(name: str, version: str) -> str:
    return f"#!/bin/sh\ncat <<END\n{name}:\n Version: {version}\n Commit SHA: 86c1172\n OS/Arch: linux/amd64\nEND\n"


def write_programs(folder: Path, *, peer: str = "v3.1.5", orderer: str = "v3.1.5") -> Path:
    """Writes both programs into the folder, and returns it."""
    write_program(folder / "peer", version_script("peer", peer))
    write_program(folder / "orderer", version_script("orderer", orderer))
    return folder


def write_program(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o755)
