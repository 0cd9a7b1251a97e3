"""Why an account's batches wait, and its machines must not start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaincode.checks import format_duration
from chaincode.errors import ContractError, HeadTooLarge, InsufficientFunds
from node.errors import NodeError, NotEntitled, OtherPartyRefuses, PrivateDataMissing, UsageNotCharged
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_STATUS_SUBMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
    BatchStatus,
    MissingValue,
)

WAITING = (
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
)

# A node that gets on charges within seconds. For so long a ledger may be away before machines must not start: what
# they use meanwhile stands in no balance.
LONGEST_WAIT_US = 120 * 10**6


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
    def ends_with_account(self) -> bool:
        """Whether it ends with a change of the account or of what is known of it, and not by trying again."""
        return self.is_shortage or self.status == BATCH_STATUS_WAITING_FOR_PRIVATE_DATA

    @property
    def error(self) -> ContractError | NodeError:
        """What a machine is told that wants to start."""
        kinds = (
            InsufficientFunds,
            HeadTooLarge,
            OtherPartyRefuses,
            NotEntitled,
            PrivateDataMissing,
            UsageNotCharged,
        )
        kind = next(one for one in kinds if one.__name__ == self.refusal.error)
        return kind(self.refusal.message)


def shortage(error: InsufficientFunds | HeadTooLarge) -> Halt:
    """The account does not cover what was used, or holds no more before a claim: it has to change."""
    return Halt(BATCH_STATUS_WAITING_FOR_FUNDS, _refusal(error))


def refused_by_other(error: OtherPartyRefuses) -> Halt:
    return Halt(BATCH_STATUS_WAITING_FOR_OTHER_PARTY, _refusal(error))


def not_entitled(error: NotEntitled) -> Halt:
    return Halt(BATCH_STATUS_WAITING_FOR_RIGHTS, _refusal(error))


def overdue(waited_us: int) -> Halt | None:
    """Whatever keeps the oldest batch from being charged: None as long as it has not waited for too long."""
    if waited_us <= LONGEST_WAIT_US:
        return None
    error = UsageNotCharged(
        f"a batch of the agreement has waited for {format_duration(waited_us // 10**6)} to be charged, and nobody "
        "knows what the account still covers: see the node's log for the reason, and do not let a machine of the "
        "agreement start before it is charged"
    )
    return Halt(BATCH_STATUS_SUBMITTED, _refusal(error))


def lacking(missing: Sequence[MissingValue]) -> Halt:
    """The member's peer has not got these values of the account; there is at least one."""
    return Halt(BATCH_STATUS_WAITING_FOR_PRIVATE_DATA, _refusal(private_data_missing(missing)))


def private_data_missing(missing: Sequence[MissingValue]) -> PrivateDataMissing:
    """Which account waits for what."""
    first = missing[0]
    more = f" and {len(missing) - 1} more values" if missing[1:] else ""
    key, number = first.key or "a private value", first.block_number
    return PrivateDataMissing(
        f"the account of {first.agreement_id} waits for {key} of block {number}, "
        f"transaction {first.tx_id[:12]}{more}: the member's peer has not got it. The node goes on asking; restore the "
        "peer's data, or ask the other party what it holds"
    )


def _refusal(error: Exception) -> Refusal:
    return Refusal(error=type(error).__name__, message=str(error))
