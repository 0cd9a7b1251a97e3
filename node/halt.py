"""The reasons for which an account's batches wait and its machines must not start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaincode.checks import format_duration
from chaincode.errors import ContractError, HeadTooLarge, InsufficientFunds
from chaincode.refusal import refusal
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

# A node normally charges within seconds. After this time without the ledger machines must not start, because no
# balance has the usage of that time.
LONGEST_WAIT_US = 120 * 10**6


@dataclass(frozen=True, slots=True)
class Halt:
    """The event that the batches wait for, and the refusal that made them wait."""

    status: BatchStatus
    refusal: Refusal

    @property
    def is_shortage(self) -> bool:
        """Whether the batches wait for a change of the account, in most cases for funds."""
        return self.status == BATCH_STATUS_WAITING_FOR_FUNDS

    @property
    def ends_with_account(self) -> bool:
        """Whether only a change of the account, or new private data of it, ends the halt, and trying again does not."""
        return self.is_shortage or self.status == BATCH_STATUS_WAITING_FOR_PRIVATE_DATA

    @property
    def error(self) -> ContractError | NodeError:
        """The error for a machine that wants to start."""
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
    """The halt of an account that does not cover the usage, or whose head holds no more lines before a claim."""
    return Halt(BATCH_STATUS_WAITING_FOR_FUNDS, refusal(error))


def refused_by_other(error: OtherPartyRefuses) -> Halt:
    """The halt of an account whose usage the other party's peer refuses."""
    return Halt(BATCH_STATUS_WAITING_FOR_OTHER_PARTY, refusal(error))


def not_entitled(error: NotEntitled) -> Halt:
    """The halt of an account for which this member may not submit usage for now."""
    return Halt(BATCH_STATUS_WAITING_FOR_RIGHTS, refusal(error))


def overdue(waited_us: int) -> Halt | None:
    """The halt of an account whose oldest batch has waited for so long, for any reason; None within LONGEST_WAIT_US."""
    if waited_us <= LONGEST_WAIT_US:
        return None
    error = UsageNotCharged(
        f"a batch of the agreement has waited for {format_duration(waited_us // 10**6)} to be charged, and nobody "
        "knows how much the account still covers: see the node's log for the reason, and do not let a machine of the "
        "agreement start before the batch is charged"
    )
    return Halt(BATCH_STATUS_SUBMITTED, refusal(error))


def lacking(missing: Sequence[MissingValue]) -> Halt:
    """The halt of an account of which the member's peer lacks these values; there is at least one."""
    return Halt(BATCH_STATUS_WAITING_FOR_PRIVATE_DATA, refusal(private_data_missing(missing)))


def private_data_missing(missing: Sequence[MissingValue]) -> PrivateDataMissing:
    """The error that names the account, the first missing value and the number of the others."""
    first = missing[0]
    more = f" and {len(missing) - 1} more values" if missing[1:] else ""
    key, number = first.key or "a private value", first.block_number
    return PrivateDataMissing(
        f"the account of {first.agreement_id} waits for {key} of block {number}, "
        f"transaction {first.tx_id[:12]}{more}: the member's peer does not have it, and the node keeps asking: "
        "restore the peer's data, or ask the other party for the value"
    )
