"""Marks: things that only one company can have. No two members have the same legal identifier, or the same root.

Two applicants may show the same mark, so that a company that copies another one's identifier cannot keep it out. The
members see this when they vote, and the first admission takes the mark. Its record stays when the member goes. It
counts only while the member is present with the same bundle that showed the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaincode import keys
from chaincode.errors import TakenAlready
from chaincode.keys import Key
from chaincode.members.identifiers import distinct_value
from chaincode.members.status import is_there
from chaincode.transaction_context import TransactionContext
from zunft.v1.member_pb2 import LegalIdentifier, Mark, Member


def marks_of(identifiers: Iterable[LegalIdentifier], root_digests: Iterable[bytes]) -> list[Key[Mark]]:
    """The marks' keys on the ledger. A root's digest is the SHA-256 of its DER form."""
    legal = [keys.mark(one.scheme, distinct_value(one)) for one in identifiers]
    return legal + [keys.mark("root", digest.hex()) for digest in root_digests]


async def check_free(tx: TransactionContext, msp_id: str, marks: Sequence[Key[Mark]]) -> None:
    """Checks that no other member has any of these marks. Raises TakenAlready."""
    loaded = await tx.load(*marks)
    known = [(key, mark) for key in marks if (mark := loaded.find(key)) is not None and mark.msp_id != msp_id]
    members = await tx.load(*(keys.member(mark.msp_id) for _, mark in known))
    for key, mark in known:
        if _counts(mark, members.require(keys.member(mark.msp_id))):
            raise taken(key, mark.msp_id)


def put_marks(tx: TransactionContext, member: Member, marks: Iterable[Key[Mark]]) -> None:
    """Writes the marks as the member's own, for as long as its record says so."""
    for key in marks:
        tx.put(key, Mark(msp_id=member.msp_id, bundle_made_at_s=member.bundle_made_at_s))


def taken(key: Key[Mark], msp_id: str) -> TakenAlready:
    _, scheme, value = key.name.split("/")
    return TakenAlready(
        f"the {scheme} {value} is {msp_id}'s: give one of the company's own, or wait until {msp_id} has left"
    )


def _counts(mark: Mark, member: Member) -> bool:
    return member.bundle_made_at_s == mark.bundle_made_at_s and is_there(member)
