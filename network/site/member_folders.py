"""The folders of a member's Fabric processes.

<member>/fabric/orderer/    orderer.yaml, msp/, data/, log
                peer/       core.yaml, msp/, data/, builder/, connection.json, log
                chaincode/  log
"""

from __future__ import annotations

import shutil
from pathlib import Path

from consortium.files import make_private_folder
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from consortium.keys.msp_folder import write_msp_folder
from network.running.process import ProcessKind


def process_folder(keys: MemberKeys, kind: ProcessKind) -> Path:
    return keys.folder / "fabric" / kind


def make_process_folder(keys: MemberKeys, kind: ProcessKind) -> Path:
    """Makes a process's folder, for its owner only."""
    make_private_folder(keys.folder / "fabric")
    folder = process_folder(keys, kind)
    make_private_folder(folder)
    return folder


def renew_msp(keys: MemberKeys, kind: NodeKind, folder: Path) -> None:
    """Writes the node's identity and its member's roots, as they are now, in the form that Fabric reads."""
    msp = folder / "msp"
    shutil.rmtree(msp, ignore_errors=True)
    write_msp_folder(msp, keys.public_material(), keys.node(kind))
