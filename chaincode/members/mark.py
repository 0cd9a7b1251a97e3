"""Marks: what tells one company from another. No two members have the same legal identifier, or the same root.

Applicants may show the same: whoever copies a company's identifier shall not keep it out. The members see it when they
vote, and the first admission takes the mark. It is not wiped when its member goes; it counts as long as the member's
record says that the member is there, and with just the bundle that showed the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaincode import keys
from chaincode.errors import TakenAlready
from chaincode.keys import Key
from chaincode.members.identifiers import distinct_value
from chaincode.members.membership import is_there
from chaincode.transaction import Transaction
from zunft.v1.member_pb2 import LegalIdentifier, Mark, Member


def marks_of(identifiers: Iterable[LegalIdentifier], root_digests: Iterable[bytes]) -> list[Key[Mark]]:
    """Where they stand on the ledger. A root's digest is the SHA-256 of its DER form."""
    legal = [keys.mark(one.scheme, distinct_value(one)) for one in identifiers]
    return legal + [keys.mark("root", digest.hex()) for digest in root_digests]


async def check_free(tx: Transaction, msp_id: str, marks: Sequence[Key[Mark]]) -> None:
    """Whether no other member has any of these marks. Raises TakenAlready."""
    loaded = await tx.load(*marks)
    known = [(key, mark) for key in marks if (mark := loaded.find(key)) is not None and mark.msp_id != msp_id]
    members = await tx.load(*(keys.member(mark.msp_id) for _, mark in known))
    for key, mark in known:
        if _counts(mark, members.require(keys.member(mark.msp_id))):
            raise taken(key, mark.msp_id)


def put_marks(tx: Transaction, member: Member, marks: Iterable[Key[Mark]]) -> None:
    """From now on they are the member's, as long as its record says so."""
    for key in marks:
        tx.put(key, Mark(msp_id=member.msp_id, bundle_made_at_s=member.bundle_made_at_s))


def taken(key: Key[Mark], msp_id: str) -> TakenAlready:
    _, scheme, value = key.name.split("/")
    return TakenAlready(
        f"the {scheme} {value} is {msp_id}'s: give one of the company's own, or wait until {msp_id} has left"
    )


def _counts(mark: Mark, member: Member) -> bool:
    return member.bundle_made_at_s == mark.bundle_made_at_s and is_there(member)
