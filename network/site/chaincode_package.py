"""The package that peers install: it does not hold the contract, only the digest of its code.

All members that run the same contract make the same bytes, so its id is the same everywhere.
Source: Fabric documentation, "Running chaincode as an external service"; "Fabric chaincode lifecycle", on packages.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

PACKAGE_TYPE = "zunft"
LABEL = "zunft"


@dataclass(frozen=True)
class ChaincodePackage:
    """The package of a contract; `code_digest` is that of chaincode/code_digest.py."""

    code_digest: bytes

    def to_bytes(self) -> bytes:
        """The package as peers install it, a tar.gz."""
        metadata = {"type": PACKAGE_TYPE, "label": LABEL}
        code = _tar({"contract.json": json.dumps({"code_digest": self.code_digest.hex()}).encode()})
        return _tar({"metadata.json": json.dumps(metadata).encode(), "code.tar.gz": code})

    @property
    def package_id(self) -> str:
        """The id "label:hash", which the peer gives the package and with which the chaincode registers."""
        return f"{LABEL}:{hashlib.sha256(self.to_bytes()).hexdigest()}"


def _tar(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz of the files that always has the same bytes: without times and owners."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)
