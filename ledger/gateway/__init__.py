"""The client of a ledger: it speaks Fabric's gateway protocol over a `LedgerTransport`."""

from ledger.gateway.blocks import NEWEST, BlocksRequest, blocks_request, present_blocks
from ledger.gateway.calls import RETRIES, Limits
from ledger.gateway.checkpoint import (
    Checkpoint,
    FileCheckpoints,
    MemoryCheckpoints,
)
from ledger.gateway.clock import ClockUs, system_clock_us
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
from ledger.gateway.proposal import NONCE_BYTES, Call, Inputs, Proposal, make_proposal, timestamp
from ledger.gateway.transaction import Transaction

__all__ = [
    "NEWEST",
    "NONCE_BYTES",
    "RETRIES",
    "BlocksRequest",
    "Call",
    "ChaincodeEvent",
    "Checkpoint",
    "CheckpointDamaged",
    "ClockUs",
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
    "Inputs",
    "Limits",
    "MemoryCheckpoints",
    "OfflineIdentity",
    "Proposal",
    "SigningIdentity",
    "StreamError",
    "SubmitError",
    "Submitted",
    "Transaction",
    "blocks_request",
    "make_proposal",
    "present_blocks",
    "system_clock_us",
    "timestamp",
]
