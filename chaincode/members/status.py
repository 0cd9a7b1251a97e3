"""The conditions on other members' statuses, and the obligations that a member must end before it can leave."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import ExitCondition, WrongStatus
from chaincode.keys import Key
from chaincode.rights.business import (
    TAKING_PART,
    status_name,
)
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_APPLIED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    MEMBER_STATUS_SUSPENDED,
    Member,
    MemberStatus,
    Obligation,
)

# An applicant that is admitted gets tokens for its deposit; a suspended member is still paid.
_HOLDING_TOKENS = frozenset(
    {MEMBER_STATUS_ADMITTED, MEMBER_STATUS_ACTIVE, MEMBER_STATUS_SUSPENDED, MEMBER_STATUS_LEAVING}
)
ABSENT = frozenset({MEMBER_STATUS_LEFT, MEMBER_STATUS_EXCLUDED})
# Members that can send no transactions, and may have tokens from before; also one that applies again after it has left.
GONE = ABSENT | {MEMBER_STATUS_APPLIED}


def is_there(member: Member) -> bool:
    """Whether the members have admitted this member, and it is not gone."""
    return member.status in _HOLDING_TOKENS


def check_active(member: Member, purpose: str) -> None:
    """Checks that the member is active; `purpose` completes "and cannot …". Raises WrongStatus."""
    if member.status != MEMBER_STATUS_ACTIVE:
        raise WrongStatus(f"{member.msp_id} is {status_name(member)} and cannot {purpose}")


def check_not_issuer(charter: Charter, msp_id: str) -> None:
    """Checks that the member is not the issuer of the token. Raises ExitCondition."""
    if charter.token.issuer_msp_id == msp_id:
        raise ExitCondition(f"{msp_id} is the issuer of the token: amend the charter so that another is")


def check_new_business(loaded: Loaded, *msp_ids: str) -> None:
    """Checks that all are active: others have no new agreements and accounts. Raises NotFound, WrongStatus."""
    for msp_id in msp_ids:
        member = loaded.require(keys.member(msp_id))
        if member.status != MEMBER_STATUS_ACTIVE:
            raise WrongStatus(f"{msp_id} is {status_name(member)}: no new business with it, running business goes on")


async def check_parties_new_business(tx: TransactionContext, msp_ids: Iterable[str]) -> None:
    """Checks as `check_new_business` does; for parties that are known only once the agreement has been read."""
    parties = tuple(msp_ids)
    check_new_business(await tx.load(*map(keys.member, parties)), *parties)


def check_holds_tokens(loaded: Loaded, msp_id: str) -> None:
    """Checks that tokens would not be stranded with this member. Raises NotFound, WrongStatus."""
    member = loaded.require(keys.member(msp_id))
    if member.status not in _HOLDING_TOKENS:
        raise WrongStatus(f"{msp_id} is {status_name(member)}: it gets no tokens")


def check_takes_transfers(loaded: Loaded, msp_id: str) -> None:
    """Checks that the member takes transfers. A leaver has to get rid of its tokens, so nobody may send it more.

    Raises NotFound, WrongStatus.
    """
    check_holds_tokens(loaded, msp_id)
    if loaded.require(keys.member(msp_id)).status == MEMBER_STATUS_LEAVING:
        raise WrongStatus(f"{msp_id} is leaving, and takes no more transfers: pay it outside the ledger")


def check_gone(loaded: Loaded, msp_id: str) -> None:
    """Checks that the member is gone, so that the issuer redeems its tokens. Raises NotFound, WrongStatus."""
    member = loaded.require(keys.member(msp_id))
    if member.status not in GONE:
        raise WrongStatus(f"{msp_id} is {status_name(member)}: it redeems its tokens itself")


def check_takes_part(member: Member) -> None:
    """Checks that the member may send transactions: nobody binds one that may not. Raises WrongStatus."""
    if member.status not in TAKING_PART:
        raise WrongStatus(f"{member.msp_id} is {status_name(member)}: agree when it takes part again")


async def check_ends_itself(tx: TransactionContext, *msp_ids: str) -> tuple[Member, ...]:
    """The records of those members that are gone, for which the caller acts; none if the caller is one of the members.

    Raises WrongStatus where none is gone and the caller is another member.
    """
    if tx.caller.msp_id in msp_ids:
        return ()
    loaded = await tx.load(*map(keys.member, msp_ids))
    members = [loaded.require(keys.member(msp_id)) for msp_id in msp_ids]
    gone = tuple(member for member in members if member.status in ABSENT)
    if not gone:
        raise WrongStatus(f"{' and '.join(msp_ids)} are still members: they settle and close their account themselves")
    return gone


def suspended_s(member: Member, now_s: int) -> int:
    """The whole time for which the member has been suspended until now."""
    if member.status != MEMBER_STATUS_SUSPENDED:
        return member.suspended_s
    return member.suspended_s + max(now_s - member.suspended_since_s, 0)


def note_suspension(member: Member, after: MemberStatus, now_s: int) -> None:
    """Notes in place the times of suspension, before the status changes."""
    member.suspended_s = suspended_s(member, now_s)
    member.suspended_since_s = now_s if after == MEMBER_STATUS_SUSPENDED else 0


# --- obligations ----------------------------------------------------------------------------------------------------
#
# One key for each, below a prefix of the member's own. A counter in the member's record would do as well, but every
# transaction of the member reads that record, and would fail whenever an account or a meter is added meanwhile.


def note_obligation(tx: TransactionContext, msp_id: str, record: Key[Message]) -> None:
    """Notes that the member cannot leave before this record is ended."""
    tx.put(keys.obligation(msp_id, record), Obligation(msp_id=msp_id, record_key=record.name))


def end_obligation(tx: TransactionContext, msp_id: str, record: Key[Message]) -> None:
    tx.delete(keys.obligation(msp_id, record))


async def load_obligations(tx: TransactionContext, msp_id: str) -> list[str]:
    """The keys of the records that the member still has to end."""
    return [one.record_key for one in await tx.load_all(f"obligation/{msp_id}/", Obligation)]
