"""The limit of a member's unanswered proposals to another one: each proposal puts terms into the other one's archive.

The other one is not asked before: it reads the proposal in its own archive. So the number of unanswered proposals there
is limited. A proposal that its author has taken back can be made anew under its name; there is a limit to how often,
too, since everything that an archive has held stays in its history.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.errors import AlreadyExists, TooManyProposals
from chaincode.keys import Key
from chaincode.recent import check_not_too_often, note_change
from chaincode.transaction_context import TransactionContext
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_PROPOSED, Agreement, Proposals

MAX_PROPOSALS = 20


def other_party(agreement: Agreement, msp_id: str) -> str:
    """The party of the agreement that is not this member."""
    parties = (agreement.provider_msp_id, agreement.customer_msp_id)
    return parties[1] if parties[0] == msp_id else parties[0]


def proposals_key(agreement: Agreement) -> Key[Proposals]:
    """The key of the unanswered proposals from the proposer of this agreement to the other party."""
    return keys.proposals(agreement.pending_by_msp_id, other_party(agreement, agreement.pending_by_msp_id))


async def load_proposals(tx: TransactionContext, agreement: Agreement) -> Proposals:
    """The unanswered proposals of this agreement's proposer to the other party; empty if the agreement is in force."""
    if agreement.status != AGREEMENT_STATUS_PROPOSED:
        return Proposals()
    key = proposals_key(agreement)
    return (await tx.load(key)).find(key) or Proposals()


def check_may_propose(proposals: Proposals, agreement: Agreement, now_s: int, *, is_anew: bool) -> None:
    """Checks that the member may make one more proposal. Raises TooManyProposals, TooOften.

    `is_anew` says that something was proposed under that name before.
    """
    other = other_party(agreement, agreement.pending_by_msp_id)
    if is_anew:
        deed = f"{agreement.pending_by_msp_id} has proposed agreements anew to {other}"
        check_not_too_often(proposals.proposed_anew, now_s, deed)
    if agreement.agreement_id in proposals.agreement_ids or len(proposals.agreement_ids) < MAX_PROPOSALS:
        return
    raise TooManyProposals(
        f"{other} has not answered {len(proposals.agreement_ids)} proposals of {agreement.pending_by_msp_id}: have it "
        "accept one or turn it down, or propose one of them anew, under its name"
    )


def check_free(existing: Agreement | None, agreement: Agreement) -> None:
    """Checks that the name is free, or names an agreement of the same parties that was never in force.

    A proposal that waits for the new author's own answer counts as taken.

    Raises AlreadyExists.
    """
    if existing is None:
        return
    name, waits_for = agreement.agreement_id, existing.pending_by_msp_id
    if existing.HasField("terms"):
        raise AlreadyExists(f"agreement {name} exists: amend it, or choose another name")
    if {*_parties(existing)} != {*_parties(agreement)}:
        raise AlreadyExists(f"agreement {name} is between other members: choose another name")
    if existing.status == AGREEMENT_STATUS_PROPOSED and waits_for != agreement.pending_by_msp_id:
        raise AlreadyExists(f"{waits_for} has proposed {name}: accept it, or turn it down first")


def note_proposal(tx: TransactionContext, proposals: Proposals, agreement: Agreement, *, is_anew: bool) -> None:
    if is_anew:
        note_change(proposals.proposed_anew, tx.timestamp_s)
    if agreement.agreement_id not in proposals.agreement_ids:
        proposals.agreement_ids.append(agreement.agreement_id)
    tx.put(proposals_key(agreement), proposals)


def note_answered(tx: TransactionContext, key: Key[Proposals], proposals: Proposals, agreement_id: str) -> None:
    """Removes an answered proposal from the record, if an earlier contract has noted it there.

    The count of proposals made anew within the hour stays.
    """
    if agreement_id not in proposals.agreement_ids:
        return
    proposals.agreement_ids.remove(agreement_id)
    if proposals.agreement_ids or proposals.HasField("proposed_anew"):
        tx.put(key, proposals)
    else:
        tx.delete(key)


def _parties(agreement: Agreement) -> tuple[str, str]:
    return agreement.provider_msp_id, agreement.customer_msp_id
