"""The client of a ledger: it speaks Fabric's gateway protocol over a `LedgerTransport`."""

from ledger.gateway.blocks import BlocksRequest
from ledger.gateway.calls import Limits
from ledger.gateway.checkpoint import (
    Checkpoint,
    FileCheckpoints,
    MemoryCheckpoints,
)
from ledger.gateway.commit import (
    Commit,
    Committed,
    Submitted,
)
from ledger.gateway.errors import (
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
from ledger.gateway.events import (
    ChaincodeEvent,
    EventsRequest,
)
from ledger.gateway.gateway import Gateway
from ledger.gateway.identity import SigningIdentity
from ledger.gateway.proposal import Proposal
from ledger.gateway.transaction import Transaction

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
