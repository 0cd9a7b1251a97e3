"""Why an account's batches wait, and its machines must not start."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.errors import ContractError, HeadTooLarge, InsufficientFunds
from node.errors import NodeError, OtherPartyRefuses
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BatchStatus,
)

WAITING = (BATCH_STATUS_WAITING_FOR_FUNDS, BATCH_STATUS_WAITING_FOR_OTHER_PARTY)


@dataclass(frozen=True, slots=True)
class Halt:
    """What the batches wait for, and in which words they were refused."""

    status: BatchStatus
    refusal: Refusal

    @property
    def is_shortage(self) -> bool:
        """Whether the account has to change, by funds in most cases."""
        return self.status == BATCH_STATUS_WAITING_FOR_FUNDS

    @property
    def error(self) -> ContractError | NodeError:
        """What a machine is told that wants to start."""
        kinds = (InsufficientFunds, HeadTooLarge, OtherPartyRefuses)
        kind = next(one for one in kinds if one.__name__ == self.refusal.error)
        return kind(self.refusal.message)


def shortage(error: InsufficientFunds | HeadTooLarge) -> Halt:
    """The account does not cover what was used, or holds no more before a claim: it has to change."""
    return Halt(BATCH_STATUS_WAITING_FOR_FUNDS, _refusal(error))


def refused_by_other(error: OtherPartyRefuses) -> Halt:
    return Halt(BATCH_STATUS_WAITING_FOR_OTHER_PARTY, _refusal(error))


def _refusal(error: Exception) -> Refusal:
    return Refusal(error=type(error).__name__, message=str(error))
