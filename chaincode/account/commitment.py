"""The commitment, and an open agreement's head, which a majority of the members reads as foreign input.

Two parties alone endorse them, by whatever contract they run. So nothing is accepted that the true contract could not
have written, and anything else that stands there stops its own account and no other.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.account.head_digest import (
    amounts_of,
    proven_head,
)
from chaincode.errors import HeadMismatch, UnsoundRecord
from chaincode.transaction_context import Loaded
from chaincode.unknown_fields import has_unknown_fields
from zunft.v1.account_pb2 import Account
from zunft.v1.usage_pb2 import Commitment, HeadAmounts

MAX_ACCRUED_MICRO = 2**62
_DIGEST_BYTES = 32


def read_commitment(loaded: Loaded, account: Account) -> Commitment:
    """The commitment of the two parties, if the contract can have written it. Raises NotFound, UnsoundRecord."""
    commitment = loaded.require(keys.commitment(account.agreement_id))
    fault = _fault(account, commitment)
    if fault:
        raise UnsoundRecord(
            f"the commitment of {account.agreement_id} {fault}: the contract did not write that, "
            f"{account.provider_msp_id} and {account.customer_msp_id} have to put back what it wrote"
        )
    return commitment


def read_open_amounts(loaded: Loaded, commitment: Commitment) -> HeadAmounts | None:
    """The amounts of an open agreement's head; None where the head is not public. Raises UnsoundRecord."""
    data = loaded.raw(keys.head(commitment.agreement_id))
    if data is None or not commitment.sequence:
        return None
    try:
        return amounts_of(proven_head(data, commitment))
    except HeadMismatch:
        raise UnsoundRecord(
            f"the public head of {commitment.agreement_id} is not the one that its parties have committed to: "
            "both have to put it back"
        ) from None


def is_plausible(usage_micro: int, correction_micro: int) -> bool:
    """Whether an account can have these amounts, so that no difference of two such amounts leaves 64 bits."""
    return abs(usage_micro) < MAX_ACCRUED_MICRO and abs(correction_micro) < MAX_ACCRUED_MICRO


def _fault(account: Account, commitment: Commitment) -> str:
    """The reason in words why the contract cannot have written it; empty if it can."""
    if commitment.agreement_id != account.agreement_id:
        return "names another agreement"
    if has_unknown_fields(commitment):
        return "has fields that this contract does not know"
    if not is_plausible(commitment.claimed_usage_micro, commitment.claimed_correction_micro):
        return "claims more than an account can come to"
    if not _is_digest(commitment.head_digest, commitment.sequence):
        return "has no head's digest"
    if not _is_digest(commitment.claim_digest, commitment.claim_number):
        return "has no claim's digest"
    if commitment.sequence < max(commitment.claimed_sequence, account.shown.sequence):
        return "goes back behind what is claimed already"
    return ""


def _is_digest(digest: bytes, number: int) -> bool:
    """Whether it is a digest; before the first head or claim there is none."""
    return len(digest) == (_DIGEST_BYTES if number else 0)
