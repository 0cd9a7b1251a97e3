"""The client of a ledger: Fabric's gateway protocol over a `LedgerTransport`."""

from node.ledger.gateway.blocks import BlocksRequest
from node.ledger.gateway.calls import Limits
from node.ledger.gateway.checkpoint import Checkpoint, FileCheckpoints, MemoryCheckpoints
from node.ledger.gateway.commit import Commit, Committed, Submitted
from node.ledger.gateway.errors import (
    CheckpointDamaged,
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    GatewayError,
    OfflineIdentity,
    StreamError,
    SubmitError,
)
from node.ledger.gateway.events import ChaincodeEvent, EventsRequest
from node.ledger.gateway.gateway import Gateway
from node.ledger.gateway.identity import SigningIdentity
from node.ledger.gateway.proposal import Proposal
from node.ledger.gateway.transaction import Transaction

__all__ = [
    "BlocksRequest",
    "ChaincodeEvent",
    "Checkpoint",
    "CheckpointDamaged",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "Committed",
    "EndorseError",
    "EvaluateError",
    "EventsRequest",
    "FileCheckpoints",
    "Gateway",
    "GatewayError",
    "Limits",
    "MemoryCheckpoints",
    "OfflineIdentity",
    "Proposal",
    "SigningIdentity",
    "StreamError",
    "SubmitError",
    "Submitted",
    "Transaction",
]
