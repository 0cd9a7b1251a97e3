"""How many companies a member may put to the vote at once: each has a record for good, and all members are asked."""

from __future__ import annotations

from chaincode import keys
from chaincode.errors import TooManyApplications
from chaincode.opening import is_put_to_vote
from chaincode.transaction import Transaction
from zunft.v1.member_pb2 import MEMBER_STATUS_APPLIED, Member, Sponsored

MAX_OPEN_APPLICATIONS = 20


async def load_open_applications(tx: Transaction, sponsor_msp_id: str) -> list[str]:
    """The MSP ids of those that the member has put in and that are still put to the vote."""
    key = keys.sponsored(sponsor_msp_id)
    noted = (await tx.load(key)).find(key) or Sponsored()
    members = await tx.load(*map(keys.member, noted.msp_ids))
    return [msp_id for msp_id in noted.msp_ids if _is_open(tx, members.require(keys.member(msp_id)), sponsor_msp_id)]


def check_may_sponsor(sponsor_msp_id: str, open_msp_ids: list[str]) -> None:
    """Raises TooManyApplications."""
    if len(open_msp_ids) >= MAX_OPEN_APPLICATIONS:
        raise TooManyApplications(
            f"{len(open_msp_ids)} companies that {sponsor_msp_id} has put in are still put to the vote: wait until the "
            "members have decided on one, or have another member put in the bundle"
        )


def put_sponsored(tx: Transaction, sponsor_msp_id: str, msp_ids: list[str]) -> None:
    tx.put(keys.sponsored(sponsor_msp_id), Sponsored(msp_ids=msp_ids))


def _is_open(tx: Transaction, member: Member, sponsor_msp_id: str) -> bool:
    applies = member.status == MEMBER_STATUS_APPLIED and member.sponsor_msp_id == sponsor_msp_id
    return applies and is_put_to_vote(tx, member)
