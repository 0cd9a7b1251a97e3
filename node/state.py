"""The state of a running node that several of its parts set and read; it begins anew at every start."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaincode.readings.stream import StreamPosition
from node.halt import Halt

# A meter under an agreement: agreement_id, meter_id.
StreamId = tuple[str, str]


@dataclass(slots=True)
class NodeState:
    """The follower, the lanes and the intake write it; the API reads it."""

    # Whether the ledger shows its blocks.
    ledger_reachable: bool = True
    # The reason for which an account's batches wait, by agreement.
    halts: dict[str, Halt] = field(default_factory=dict)
    # Where a stream continues after its last accepted batch, ahead of the ledger.
    positions: dict[StreamId, StreamPosition] = field(default_factory=dict)
