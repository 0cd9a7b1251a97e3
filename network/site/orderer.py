"""A member's orderer: its process and its files.

Source: Fabric documentation, "Setting up an ordering node"; the names are those of Fabric's orderer.yaml.
"""

from __future__ import annotations

from pathlib import Path

from chaincode.limits import MESSAGE_BYTES
from consortium.folder.topology import (
    FabricSettings,
    OrdererEndpoints,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from network.running.process import (
    FabricProcess,
    ProcessKind,
)
from network.site.config_file import (
    Tree,
    write_config,
)
from network.site.member_folders import (
    make_process_folder,
    process_folder,
    renew_msp,
)

# Log lines about every call would be gigabytes a day under load. The log has every block and every failure.
LOGGING = "info:comm.grpc.server,orderer.common.broadcast=warn:grpc=error"


def orderer_process(name: str, keys: MemberKeys, endpoints: OrdererEndpoints) -> FabricProcess:
    """The orderer process of the member called `name`."""
    folder = process_folder(keys, ProcessKind.ORDERER)
    return FabricProcess(
        member=name,
        kind=ProcessKind.ORDERER,
        program="orderer",
        arguments=(),
        environment={"FABRIC_CFG_PATH": str(folder), "FABRIC_LOGGING_SPEC": LOGGING},
        folder=folder,
        reads=(keys.folder / "orderer", keys.folder / "tls" / "ca.pem"),
        listens=(endpoints.listening, endpoints.admin, endpoints.operations),
    )


def write_orderer_files(keys: MemberKeys, endpoints: OrdererEndpoints, settings: FabricSettings) -> None:
    """Writes the orderer's files; this is done at every start, so that new certificates and settings count."""
    folder = make_process_folder(keys, ProcessKind.ORDERER)
    renew_msp(keys, NodeKind.ORDERER, folder)
    write_config(folder / "orderer.yaml", orderer_yaml(keys, endpoints, folder), settings.orderer)


def orderer_yaml(keys: MemberKeys, endpoints: OrdererEndpoints, folder: Path) -> Tree:
    """The orderer.yaml: settings that differ from an orderer's own defaults, or that have none."""
    tls = keys.node_tls(NodeKind.ORDERER)
    certificate, key, roots = str(tls.certificate_path), str(tls.key_path), [str(keys.folder / "tls" / "ca.pem")]
    server_tls = {"Enabled": True, "Certificate": certificate, "PrivateKey": key}
    data = folder / "data"
    return {
        "General": {
            "ListenAddress": endpoints.listening.host,
            "ListenPort": endpoints.listening.port,
            "TLS": {**server_tls, "RootCAs": roots, "ClientAuthRequired": False},
            "Cluster": {"ClientCertificate": certificate, "ClientPrivateKey": key, "RootCAs": roots},
            "Keepalive": {"ServerMinInterval": "60s", "ServerInterval": "7200s", "ServerTimeout": "20s"},
            "MaxRecvMsgSize": MESSAGE_BYTES,
            "MaxSendMsgSize": MESSAGE_BYTES,
            "BootstrapMethod": "none",
            "LocalMSPDir": str(folder / "msp"),
            "LocalMSPID": keys.msp_id,
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
            "Authentication": {"TimeWindow": "15m"},
        },
        "FileLedger": {"Location": str(data)},
        "Consensus": {"WALDir": str(data / "wal"), "SnapDir": str(data / "snapshots")},
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "10 MB"},
        # Only the member's own nodes may administer it.
        "Admin": {
            "ListenAddress": str(endpoints.admin),
            "TLS": {**server_tls, "ClientAuthRequired": True, "ClientRootCAs": roots},
        },
        "Operations": {"ListenAddress": str(endpoints.operations), "TLS": {"Enabled": False}},
        "Metrics": {"Provider": "prometheus"},
    }
