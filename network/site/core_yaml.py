"""A peer's core.yaml: it has nearly all settings, as a peer has few defaults of its own.

Source: Fabric documentation, "Checklist for a production peer"; the names are those of Fabric's core.yaml.
"""

from __future__ import annotations

from pathlib import Path

from chaincode.limits import MESSAGE_BYTES
from consortium.folder.topology import PeerEndpoints
from consortium.keys.member_keys import MemberKeys
from network.site.chaincode_package import PACKAGE_TYPE
from network.site.config_file import Tree

# The chaincode gives a transaction up when the peer does.
EXECUTE_TIMEOUT_S = 30


def core_yaml(keys: MemberKeys, endpoints: PeerEndpoints, folder: Path) -> Tree:
    """The core.yaml of the peer that has its files in `folder`."""
    return {
        "peer": {
            **_identity(keys, endpoints, folder),
            **_connections(),
            **_services(),
            "gossip": _gossip(str(endpoints.peer)),
        },
        "vm": {"endpoint": ""},
        "chaincode": _chaincode(folder),
        "ledger": _ledger(folder),
        "operations": {"listenAddress": str(endpoints.operations), "tls": {"enabled": False}},
        "metrics": {"provider": "prometheus"},
    }


def _identity(keys: MemberKeys, endpoints: PeerEndpoints, folder: Path) -> Tree:
    """The settings of the peer's identity, addresses and files."""
    address = str(endpoints.peer)
    return {
        "id": f"peer.{keys.msp_id}",
        "networkId": "zunft",
        "listenAddress": str(endpoints.listening),
        "address": address,
        # Chaincodes are services here, so none connects to the peer.
        "chaincodeListenAddress": f"{endpoints.listening.host}:0",
        "localMspId": keys.msp_id,
        "localMspType": "bccsp",
        "mspConfigPath": str(folder / "msp"),
        "fileSystemPath": str(folder / "data"),
        "tls": _peer_tls(keys),
        "authentication": {"timewindow": "15m"},
        "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
    }


def _connections() -> Tree:
    """The settings of connections to clients, other peers and orderers."""
    often = {"interval": "60s", "timeout": "20s"}
    return {
        "keepalive": {
            "interval": "7200s",
            "timeout": "20s",
            "minInterval": "60s",
            "client": dict(often),
            "deliveryClient": dict(often),
        },
        "client": {"connTimeout": "3s"},
        "deliveryclient": {
            "connTimeout": "3s",
            "reconnectTotalTimeThreshold": "3600s",
            "reConnectBackoffThreshold": "5s",
            "blockCensorshipTimeoutKey": "30s",
            "minimalReconnectInterval": "100ms",
            "policy": "cluster",
        },
        "maxRecvMsgSize": MESSAGE_BYTES,
        "maxSendMsgSize": MESSAGE_BYTES,
    }


def _services() -> Tree:
    """The settings of the peer's services for clients, and their limits."""
    return {
        "gateway": {
            "enabled": True,
            "endorsementTimeout": f"{EXECUTE_TIMEOUT_S}s",
            # Afterwards the gateway tries another orderer: one that was removed from a raft may take a transaction
            # and never answer.
            "broadcastTimeout": "5s",
            "dialTimeout": "10s",
        },
        "handlers": {
            "authFilters": [{"name": "DefaultAuth"}, {"name": "ExpirationCheck"}, {"name": "TimeWindowCheck"}],
            "decorators": [{"name": "DefaultDecorator"}],
            "endorsers": {"escc": {"name": "DefaultEndorsement"}},
            "validators": {"vscc": {"name": "DefaultValidation"}},
        },
        "discovery": {"enabled": True, "authCacheEnabled": True, "authCacheMaxSize": 1000},
        "limits": {"concurrency": {"endorserService": 2500, "deliverService": 2500, "gatewayService": 500}},
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
    """The settings of gossip: each member has one peer, which gets blocks from orderers; gossip only finds peers."""
    return {
        "bootstrap": address,
        "endpoint": address,
        "externalEndpoint": address,
        "useLeaderElection": False,
        "orgLeader": True,
        **_presence(),
        **_spreading(),
        "election": {
            "startupGracePeriod": "15s",
            "membershipSampleInterval": "1s",
            "leaderAliveThreshold": "10s",
            "leaderElectionDuration": "5s",
        },
        "pvtData": _private_data(),
        "state": {
            "enabled": False,
            "checkInterval": "10s",
            "responseTimeout": "3s",
            "batchSize": 10,
            "blockBufferSize": 20,
            "maxRetries": 3,
        },
    }


def _presence() -> Tree:
    """Gossip intervals with which a peer that comes or goes is noticed within seconds."""
    return {
        "membershipTrackerInterval": "2s",
        "aliveTimeInterval": "1s",
        "aliveExpirationTimeout": "10s",
        "reconnectInterval": "2s",
        "publishStateInfoInterval": "1s",
        "requestStateInfoInterval": "1s",
        "publishCertPeriod": "10s",
    }


def _spreading() -> Tree:
    """Gossip settings with Fabric's own values."""
    return {
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
    }


def _private_data() -> Tree:
    return {
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


def _ledger(folder: Path) -> Tree:
    return {
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
    }
