"""The charter's text in the consortium's folder. The ledger has only its digest, so every member keeps the text itself.

<home>/charter.md       the version in force
       charter-2.md     another version, once it is proposed
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from consortium.errors import CharterTextMissing
from consortium.files import replace_public
from consortium.folder.topology import Topology
from zunft.v1.charter_pb2 import Charter


def digest_of(text: str) -> bytes:
    """The text's SHA-256, as the ledger has it."""
    return hashlib.sha256(text.encode()).digest()


def keep_text(topology: Topology, charter: Charter, text: str) -> Path:
    """Writes the text of a proposed version into a file, and returns the path.

    Raises CharterTextMissing if the version has another text.
    """
    if digest_of(text) != charter.text_digest:
        raise CharterTextMissing(
            f"this is not the text of version {charter.version} of the charter: get the one whose SHA-256 is "
            f"{charter.text_digest.hex()}"
        )
    path = topology.home / f"charter-{charter.version}.md"
    replace_public(path, text.encode())
    return path


def find_text(topology: Topology, charter: Charter) -> Path:
    """The file with this version's text. Raises CharterTextMissing."""
    for path in (topology.charter_path, *sorted(topology.home.glob("charter-*.md"))):
        if path.exists() and hashlib.sha256(path.read_bytes()).digest() == charter.text_digest:
            return path
    raise CharterTextMissing(
        f"the text of version {charter.version} of the charter is not in {topology.home}: get it from another member"
    )


def adopt_text(topology: Topology, charter: Charter) -> None:
    """Makes the text of this version, which is in force, the file charter.md. Raises CharterTextMissing."""
    path = find_text(topology, charter)
    if path != topology.charter_path:
        replace_public(topology.charter_path, path.read_bytes())
