"""A member's peer: its files and how it is run.

Source: Fabric documentation, "Checklist for a production peer"; the names are those of Fabric's core.yaml.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fabric.running.process import FabricProcess, ProcessKind
from fabric.site.chaincode_package import PACKAGE_TYPE
from fabric.site.config_file import Tree, write_config
from fabric.site.member_folders import make_process_folder, process_folder, renew_msp
from network.certificates import NodeKind
from network.member_keys import MemberKeys
from network.topology import FabricSettings, PeerEndpoints
from node.files import write_atomically

MESSAGE_BYTES = 100 * 1024 * 1024
# The chaincode gives a transaction up when the peer does.
EXECUTE_TIMEOUT_S = 30
# What is said of every call would be gigabytes a day under load; every block is said, and whatever fails.
LOGGING = "info:comm.grpc.server,endorser,gateway=warn:grpc=error"

# Fabric's external builder: the chaincode is a service already, so the peer only learns where.
_DETECT = '#!/bin/sh\ngrep -q \'"type": *"{type}"\' "$2/metadata.json"\n'
_BUILD = '#!/bin/sh\ncp -R "$1/." "$3"\n'
_RELEASE = '#!/bin/sh\nmkdir -p "$2/chaincode/server" && cp "{connection}" "$2/chaincode/server/connection.json"\n'


def peer_process(name: str, keys: MemberKeys, endpoints: PeerEndpoints) -> FabricProcess:
    """Of the member called `name`."""
    folder = process_folder(keys, ProcessKind.PEER)
    return FabricProcess(
        member=name,
        kind=ProcessKind.PEER,
        program="peer",
        arguments=("node", "start"),
        environment={"FABRIC_CFG_PATH": str(folder), "FABRIC_LOGGING_SPEC": LOGGING},
        folder=folder,
        reads=(keys.folder / "peer", keys.folder / "tls" / "ca.pem"),
        listens=(endpoints.peer, endpoints.operations),
    )


def write_peer_files(keys: MemberKeys, endpoints: PeerEndpoints, settings: FabricSettings) -> None:
    """Again with every start, so that renewed certificates and changed settings count."""
    folder = make_process_folder(keys, ProcessKind.PEER)
    renew_msp(keys, NodeKind.PEER, folder)
    write_atomically(folder / "connection.json", json.dumps(_connection(keys, endpoints)).encode())
    _write_builder(folder)
    # The peer keeps what the builder said; it shall ask again.
    for build in folder.glob("data/externalbuilder/builds/*"):
        shutil.rmtree(build)
    write_config(folder / "core.yaml", core_yaml(keys, endpoints, folder), settings.core)


def core_yaml(keys: MemberKeys, endpoints: PeerEndpoints, folder: Path) -> Tree:
    """Everything that a peer needs to be told: it has few defaults of its own."""
    address = str(endpoints.peer)
    return {
        "peer": {
            "id": f"peer.{keys.msp_id}",
            "networkId": "zunft",
            "listenAddress": address,
            "address": address,
            # No chaincode dials in; they are services.
            "chaincodeListenAddress": f"{endpoints.peer.host}:0",
            "localMspId": keys.msp_id,
            "localMspType": "bccsp",
            "mspConfigPath": str(folder / "msp"),
            "fileSystemPath": str(folder / "data"),
            "tls": _peer_tls(keys),
            "authentication": {"timewindow": "15m"},
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
            "gateway": {
                "enabled": True,
                "endorsementTimeout": f"{EXECUTE_TIMEOUT_S}s",
                "broadcastTimeout": "30s",
                "dialTimeout": "10s",
            },
            "keepalive": {
                "interval": "7200s",
                "timeout": "20s",
                "minInterval": "60s",
                "client": {"interval": "60s", "timeout": "20s"},
                "deliveryClient": {"interval": "60s", "timeout": "20s"},
            },
            "gossip": _gossip(address),
            "client": {"connTimeout": "3s"},
            "deliveryclient": {
                "connTimeout": "3s",
                "reconnectTotalTimeThreshold": "3600s",
                "reConnectBackoffThreshold": "5s",
                "blockCensorshipTimeoutKey": "30s",
                "minimalReconnectInterval": "100ms",
                "policy": "cluster",
            },
            "handlers": {
                "authFilters": [{"name": "DefaultAuth"}, {"name": "ExpirationCheck"}, {"name": "TimeWindowCheck"}],
                "decorators": [{"name": "DefaultDecorator"}],
                "endorsers": {"escc": {"name": "DefaultEndorsement"}},
                "validators": {"vscc": {"name": "DefaultValidation"}},
            },
            "discovery": {"enabled": True, "authCacheEnabled": True, "authCacheMaxSize": 1000},
            "limits": {"concurrency": {"endorserService": 2500, "deliverService": 2500, "gatewayService": 500}},
            "maxRecvMsgSize": MESSAGE_BYTES,
            "maxSendMsgSize": MESSAGE_BYTES,
        },
        "vm": {"endpoint": ""},
        "chaincode": _chaincode(folder),
        "ledger": {
            "state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100_000},
            # No transaction asks for a key's history; the blocks have it.
            "history": {"enableHistoryDatabase": False},
            "pvtdataStore": {
                "collElgProcMaxDbBatchSize": 5000,
                "collElgProcDbBatchesInterval": 1000,
                "deprioritizedDataReconcilerInterval": "60m",
                "purgeInterval": 100,
                "purgedKeyAuditLogging": True,
            },
            "snapshots": {"rootDir": str(folder / "data" / "snapshots")},
        },
        "operations": {"listenAddress": str(endpoints.operations), "tls": {"enabled": False}},
        "metrics": {"provider": "prometheus"},
    }


def _peer_tls(keys: MemberKeys) -> Tree:
    tls = keys.node_tls()
    certificate, key = {"file": str(tls.certificate_path)}, {"file": str(tls.key_path)}
    return {
        "enabled": True,
        "cert": certificate,
        "key": key,
        "rootcert": {"file": str(keys.folder / "tls" / "ca.pem")},
        "clientAuthRequired": False,
        "clientCert": certificate,
        "clientKey": key,
    }


def _gossip(address: str) -> Tree:
    """One peer for each member, which gets its blocks from the orderers; gossip tells who is there."""
    return {
        "bootstrap": address,
        "endpoint": address,
        "externalEndpoint": address,
        "useLeaderElection": False,
        "orgLeader": True,
        # A peer that comes or goes is noticed within seconds.
        "membershipTrackerInterval": "2s",
        "aliveTimeInterval": "1s",
        "aliveExpirationTimeout": "10s",
        "reconnectInterval": "2s",
        "publishStateInfoInterval": "1s",
        "requestStateInfoInterval": "1s",
        "publishCertPeriod": "10s",
        "maxBlockCountToStore": 10,
        "maxPropagationBurstLatency": "10ms",
        "maxPropagationBurstSize": 10,
        "propagateIterations": 1,
        "propagatePeerNum": 3,
        "pullInterval": "4s",
        "pullPeerNum": 3,
        "dialTimeout": "3s",
        "connTimeout": "2s",
        "recvBuffSize": 200,
        "sendBuffSize": 200,
        "digestWaitTime": "1s",
        "requestWaitTime": "1500ms",
        "responseWaitTime": "2s",
        "maxConnectionAttempts": 120,
        "msgExpirationFactor": 20,
        "election": {
            "startupGracePeriod": "15s",
            "membershipSampleInterval": "1s",
            "leaderAliveThreshold": "10s",
            "leaderElectionDuration": "5s",
        },
        "pvtData": {
            # A peer that lacks private data asks for it later; blocks do not wait for what may never come.
            "pullRetryThreshold": "500ms",
            "transientstoreMaxBlockRetention": 20_000,
            "pushAckTimeout": "3s",
            "btlPullMargin": 10,
            "reconcileBatchSize": 10,
            "reconcileSleepInterval": "10s",
            "reconciliationEnabled": True,
            # Both parties endorse a two-party transaction, so each has its private data already.
            "implicitCollectionDisseminationPolicy": {"requiredPeerCount": 0, "maxPeerCount": 0},
        },
        "state": {
            "enabled": False,
            "checkInterval": "10s",
            "responseTimeout": "3s",
            "batchSize": 10,
            "blockBufferSize": 20,
            "maxRetries": 3,
        },
    }


def _chaincode(folder: Path) -> Tree:
    return {
        "mode": "net",
        "externalBuilders": [{"name": PACKAGE_TYPE, "path": str(folder / "builder")}],
        "installTimeout": "60s",
        "startuptimeout": "60s",
        "executetimeout": f"{EXECUTE_TIMEOUT_S}s",
        "keepalive": 0,
        "system": dict.fromkeys(("_lifecycle", "cscc", "lscc", "qscc"), "enable"),
        "logging": {"level": "info", "shim": "warning"},
        "runtimeParams": {
            "useWriteBatch": True,
            "maxSizeWriteBatch": 1000,
            "useGetMultipleKeys": True,
            "maxSizeGetMultipleKeys": 1000,
        },
    }


def _connection(keys: MemberKeys, endpoints: PeerEndpoints) -> Tree:
    """How the peer reaches its chaincode; either shows the other a certificate of the member's own."""
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
        write_atomically(scripts / name, text.encode(), mode=0o700)
