"""The detours of a peer that joins: they lead to the present orderers, and not to those of the channel's first block.

The peer reads them from its core.yaml at its start, so a file beside it keeps them until the peer has caught up. The
peer checks each block from an orderer against the blocks before it.
Source: Fabric's core.yaml, on peer.deliveryclient.addressOverrides.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from consortium.files import replace_private
from consortium.joining.known_orderers import Detour
from network.site.config_file import Tree

_FILE = "detours.yaml"


def set_detours(folder: Path, detours: Sequence[Detour]) -> bool:
    """Writes the detours into the peer's folder; returns whether they have changed."""
    ways = [
        {"from": str(one.origin), "to": str(one.orderer.endpoint), "roots": one.orderer.tls_roots.decode()}
        for one in detours
    ]
    if ways == _read(folder):
        return False
    replace_private(folder / _FILE, yaml.safe_dump(ways, sort_keys=False).encode())
    return True


def end_detours(folder: Path) -> None:
    """Removes the detours: from its next start on the peer takes the orderers from its own blocks."""
    (folder / _FILE).unlink(missing_ok=True)


def write_detours(folder: Path) -> Tree:
    """The part of core.yaml with the detours; writes their certificates into files."""
    overrides = []
    for number, way in enumerate(_read(folder)):
        roots = folder / f"detour-{number}.pem"
        replace_private(roots, way["roots"].encode())
        overrides.append({"from": way["from"], "to": way["to"], "caCertsFile": str(roots)})
    return {"peer": {"deliveryclient": {"addressOverrides": overrides}}} if overrides else {}


def _read(folder: Path) -> list[dict[str, str]]:
    try:
        return list(yaml.safe_load((folder / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []
