"""A node's MSP folder has the files that Fabric's own processes read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from consortium.keys.member_keys import MemberKeys
from consortium.keys.msp_folder import write_msp_folder


def test_the_folder_holds_roots_identity_and_node_ous(tmp_path: Path) -> None:
    member = MemberKeys.create(tmp_path / "maker", "MakerMSP")
    folder = tmp_path / "msp"
    write_msp_folder(folder, member.public_material(), member.node())
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    units = yaml.safe_load(files.pop("config.yaml"))["NodeOUs"]
    assert files == {
        "cacerts/0.pem": (member.folder / "msp/ca.pem").read_bytes(),
        "tlscacerts/0.pem": (member.folder / "tls/ca.pem").read_bytes(),
        "signcerts/0.pem": member.node().certificate_pem(),
        "keystore/node.key": member.node().key_pem(),
    }
    assert units.pop("Enable") is True
    assert {unit["OrganizationalUnitIdentifier"] for unit in units.values()} == {"client", "peer", "admin", "orderer"}
    assert (folder / "keystore/node.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_msp_folder(folder, member.public_material(), member.node())
