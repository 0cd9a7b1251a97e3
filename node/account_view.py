"""The view of an account for the member's own people and machines: pure, computed from its state on the ledger."""

from __future__ import annotations

from chaincode.account.account import (
    claimed,
    drawable_micro,
    escrow_micro,
)
from chaincode.account.head import accrued_micro
from chaincode.account.withdrawal import holds_from_us
from chaincode.checks import format_amount
from chaincode.errors import (
    AmountOutOfRange,
    InsufficientFunds,
    MeterNotInAgreement,
    MeterRevoked,
    WrongStatus,
)
from chaincode.readings.stream import StreamPosition
from node.account_state import AccountState
from node.errors import UnknownMeter
from node.halt import Halt
from zunft.v1 import node_pb2
from zunft.v1.account_pb2 import ACCOUNT_STATUS_OPEN
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_ACTIVE
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, Meter
from zunft.v1.node_pb2 import AccountBalance


def available_micro(state: AccountState) -> int:
    """The amount that usage may still cost, in micro-tokens, with the credit limit; negative after a withdrawal."""
    limit_micro = drawable_micro(state.account) + state.terms.credit_limit_micro
    return limit_micro - accrued_micro(state.head)


def notice_holds_from_us(state: AccountState) -> int:
    """The time from which a notice of withdrawal holds its amount back, past or future; 0 where there is no notice."""
    return holds_from_us(state.account, state.agreement) if state.account.HasField("notice") else 0


def check_start(state: AccountState, meter_id: str, meter: Meter | None, wanted_micro: int, halt: Halt | None) -> None:
    """Checks that the machine may start. Raises an error about the agreement, the meter, the funds or the other party.

    `halt` is the reason for which batches of the account wait already. The machine may start only if some tokens are
    available, and at least `wanted_micro`.
    """
    if state.agreement.status != AGREEMENT_STATUS_ACTIVE or state.account.status != ACCOUNT_STATUS_OPEN:
        raise WrongStatus("the agreement is not in force, or its account is closed: agree on a new one")
    check_meter(state, meter_id, meter)
    if halt:
        raise halt.error
    if wanted_micro < 0:
        raise AmountOutOfRange(f"a job cannot be expected to cost {format_amount(wanted_micro)}: ask for 0 or more")
    left_micro = available_micro(state)
    if left_micro <= 0 or left_micro < wanted_micro:
        raise InsufficientFunds(
            f"{format_amount(left_micro)} tokens are available, {format_amount(wanted_micro)} are wanted: "
            "have the customer fund the account"
        )


def check_meter(state: AccountState, meter_id: str, meter: Meter | None) -> None:
    """Raises UnknownMeter, MeterNotInAgreement or MeterRevoked unless the meter may count for the agreement."""
    if meter is None:
        raise UnknownMeter(f"the ledger has no meter {meter_id[:64]!r}: register it first")
    if meter_id not in state.terms.meter_ids:
        raise MeterNotInAgreement(f"meter {meter_id} is not part of the agreement: amend it first")
    if meter.status != METER_STATUS_ACTIVE:
        raise MeterRevoked(f"meter {meter_id} was revoked: register a new one")


def balance(state: AccountState, *, pending_batches: int, halt: Halt | None, height: int) -> AccountBalance:
    """The account's amounts, streams and states in one message."""
    account, commitment, head = state.account, state.commitment, state.head
    return AccountBalance(
        agreement_id=account.agreement_id,
        provider_msp_id=account.provider_msp_id,
        customer_msp_id=account.customer_msp_id,
        agreement_status=state.agreement.status,
        account_status=account.status,
        funded_micro=account.funded_micro,
        withdrawn_micro=account.withdrawn_micro,
        paid_micro=account.paid_micro,
        noticed_micro=account.notice.amount_micro,
        notice_not_before_s=account.notice.not_before_s,
        escrow_micro=escrow_micro(account),
        accrued_micro=accrued_micro(head),
        credit_limit_micro=state.terms.credit_limit_micro,
        available_micro=available_micro(state),
        claimed_micro=claimed(account, commitment).micro,
        invoiced_micro=account.invoiced_usage_micro + account.invoiced_correction_micro,
        streams=[position_message(stream.meter_id, StreamPosition.of(stream)) for stream in head.streams],
        open_lines=head.open_lines,
        open_correction_lines=head.open_correction_lines,
        sequence=commitment.sequence,
        terms_version=state.terms.version,
        pending_batches=pending_batches,
        waiting_for_funds=halt is not None and halt.is_shortage,
        halt=halt.refusal if halt else None,
        height=height,
    )


def position_message(meter_id: str, position: StreamPosition) -> node_pb2.StreamPosition:
    """The position as the message that the API sends."""
    return node_pb2.StreamPosition(
        meter_id=meter_id,
        next_sequence=position.next_sequence,
        last_batch_digest=position.last_batch_digest,
        last_time_us=position.last_time_us,
    )
