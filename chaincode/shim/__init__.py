"""Fabric's chaincode protocol in asyncio. Start reading at `server.py`; the README shows its use."""

from __future__ import annotations

from chaincode.shim.client import ChaincodeClient, ClientTls
from chaincode.shim.composite_key import composite_key, split_composite_key
from chaincode.shim.conversation import DEFAULT_TIMEOUT_S
from chaincode.shim.errors import (
    InvalidEvent,
    InvalidKey,
    InvalidKeyPolicy,
    InvalidRequest,
    InvalidValue,
    ListenError,
    MessageTooLarge,
    PeerError,
    ProtocolError,
    ShimError,
    StreamEnded,
    TransactionOver,
)
from chaincode.shim.key_policy import VALIDATION_PARAMETER, check_policy, policy_msp_ids, signed_by_peers
from chaincode.shim.response import ERROR_FROM, Response, ResponseLike
from chaincode.shim.results import HistoryEntry, Page, Rows
from chaincode.shim.server import ChaincodeServer, ServerTls
from chaincode.shim.stub import FabricStub
from chaincode.shim.transaction import Handler

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "ERROR_FROM",
    "VALIDATION_PARAMETER",
    "ChaincodeClient",
    "ChaincodeServer",
    "ClientTls",
    "FabricStub",
    "Handler",
    "HistoryEntry",
    "InvalidEvent",
    "InvalidKey",
    "InvalidKeyPolicy",
    "InvalidRequest",
    "InvalidValue",
    "ListenError",
    "MessageTooLarge",
    "Page",
    "PeerError",
    "ProtocolError",
    "Response",
    "ResponseLike",
    "Rows",
    "ServerTls",
    "ShimError",
    "StreamEnded",
    "TransactionOver",
    "check_policy",
    "composite_key",
    "policy_msp_ids",
    "signed_by_peers",
    "split_composite_key",
]
