"""How much a member may propose to another one before that one answers: each proposal puts terms into its archive.

Nobody asks the other one before: it is in its own archive that it reads what it is asked. So what lies there unasked is
bounded, and the name of a proposal that its author has taken back is used again; that, too, so often only, since what
an archive has held stays in its history.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.errors import AlreadyExists, TooManyProposals
from chaincode.keys import Key
from chaincode.recent import check_not_too_often, note_change
from chaincode.transaction import Transaction
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_PROPOSED, Agreement, Proposals

MAX_PROPOSALS = 20


def other_party(agreement: Agreement, msp_id: str) -> str:
    """Of the two parties the one that is not this one."""
    parties = (agreement.provider_msp_id, agreement.customer_msp_id)
    return parties[1] if parties[0] == msp_id else parties[0]


def proposals_key(agreement: Agreement) -> Key[Proposals]:
    """Where it is noted who has proposed this agreement and is not answered yet."""
    return keys.proposals(agreement.pending_by_msp_id, other_party(agreement, agreement.pending_by_msp_id))


async def load_proposals(tx: Transaction, agreement: Agreement) -> Proposals:
    """Those that are not answered yet of who has proposed this agreement; none of one that is in force."""
    if agreement.status != AGREEMENT_STATUS_PROPOSED:
        return Proposals()
    key = proposals_key(agreement)
    return (await tx.load(key)).find(key) or Proposals()


def check_may_propose(proposals: Proposals, agreement: Agreement, now_s: int, *, is_anew: bool) -> None:
    """`is_anew`: something was proposed under that name before. Raises TooManyProposals, TooOften."""
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
    """Whether the name is free: what was never in force can be proposed anew, unless it waits for one's own answer.

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


def note_proposal(tx: Transaction, proposals: Proposals, agreement: Agreement, *, is_anew: bool) -> None:
    if is_anew:
        note_change(proposals.proposed_anew, tx.timestamp_s)
    if agreement.agreement_id not in proposals.agreement_ids:
        proposals.agreement_ids.append(agreement.agreement_id)
    tx.put(proposals_key(agreement), proposals)


def note_answered(tx: Transaction, key: Key[Proposals], proposals: Proposals, agreement_id: str) -> None:
    """An earlier contract has not noted what was proposed. What is answered does not begin the hour anew."""
    if agreement_id not in proposals.agreement_ids:
        return
    proposals.agreement_ids.remove(agreement_id)
    if proposals.agreement_ids or proposals.HasField("proposed_anew"):
        tx.put(key, proposals)
    else:
        tx.delete(key)


def _parties(agreement: Agreement) -> tuple[str, str]:
    return agreement.provider_msp_id, agreement.customer_msp_id
