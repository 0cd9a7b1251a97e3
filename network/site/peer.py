"""A member's peer: its process and its files.

Source: Fabric documentation, "Checklist for a production peer"; the names are those of Fabric's core.yaml.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from consortium.files import replace_private
from consortium.folder.topology import (
    FabricSettings,
    PeerEndpoints,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from network.running.process import (
    FabricProcess,
    ProcessKind,
)
from network.site.chaincode_package import PACKAGE_TYPE
from network.site.config_file import (
    Tree,
    lay_over,
    write_config,
)
from network.site.core_yaml import core_yaml
from network.site.detours import write_detours
from network.site.member_folders import (
    make_process_folder,
    process_folder,
    renew_msp,
)

# Log lines about every call would be gigabytes a day under load. The log has every block and every failure.
LOGGING = "info:comm.grpc.server,endorser,gateway=warn:grpc=error"

# Fabric's external builder: the chaincode runs as a service already, so the peer only gets its address.
_DETECT = '#!/bin/sh\ngrep -q \'"type": *"{type}"\' "$2/metadata.json"\n'
_BUILD = '#!/bin/sh\ncp -R "$1/." "$3"\n'
_RELEASE = '#!/bin/sh\nmkdir -p "$2/chaincode/server" && cp "{connection}" "$2/chaincode/server/connection.json"\n'


def peer_process(name: str, keys: MemberKeys, endpoints: PeerEndpoints) -> FabricProcess:
    """The peer process of the member called `name`."""
    folder = process_folder(keys, ProcessKind.PEER)
    return FabricProcess(
        member=name,
        kind=ProcessKind.PEER,
        program="peer",
        arguments=("node", "start"),
        environment={"FABRIC_CFG_PATH": str(folder), "FABRIC_LOGGING_SPEC": LOGGING},
        folder=folder,
        reads=(keys.folder / "peer", keys.folder / "tls" / "ca.pem"),
        listens=(endpoints.listening, endpoints.operations),
    )


def write_peer_files(keys: MemberKeys, endpoints: PeerEndpoints, settings: FabricSettings) -> None:
    """Writes the peer's files; this is done at every start, so that new certificates and settings count."""
    folder = make_process_folder(keys, ProcessKind.PEER)
    renew_msp(keys, NodeKind.PEER, folder)
    replace_private(folder / "connection.json", json.dumps(_connection(keys, endpoints)).encode())
    _write_builder(folder)
    # The peer keeps the builder's results; without them it runs the builder again.
    for build in folder.glob("data/externalbuilder/builds/*"):
        shutil.rmtree(build)
    tree = lay_over(core_yaml(keys, endpoints, folder), write_detours(folder))
    write_config(folder / "core.yaml", tree, settings.core)


def _connection(keys: MemberKeys, endpoints: PeerEndpoints) -> Tree:
    """The connection of the peer to its chaincode; each shows the other a certificate of the member's own."""
    tls = keys.node_tls()
    return {
        "address": str(endpoints.chaincode),
        "dial_timeout": "10s",
        "tls_required": True,
        "client_auth_required": True,
        "client_key": tls.key_pem().decode(),
        "client_cert": tls.certificate_pem().decode(),
        "root_cert": keys.tls_root_pem().decode(),
    }


def _write_builder(folder: Path) -> None:
    scripts = folder / "builder" / "bin"
    scripts.mkdir(parents=True, exist_ok=True)
    connection = folder / "connection.json"
    for name, text in (
        ("detect", _DETECT.format(type=PACKAGE_TYPE)),
        ("build", _BUILD),
        ("release", _RELEASE.format(connection=connection)),
    ):
        replace_private(scripts / name, text.encode(), mode=0o700)
