"""The steps of sponsor and applicant at the ledger by which a company becomes a member; voting.py has the votes.

propose (sponsor) ─► votes ─► the applicant's processes run ─► take_part (its orderer; own_part.show_orderers as soon as
it orders) ─► activate (its deposit)
"""

from __future__ import annotations

import grpc

from chaincode import keys
from chaincode.members.bundle import bundle_digest
from consortium.errors import MemberInChannel
from ledger.configuration import newest_channel
from ledger.gateway import (
    RETRIES,
    Gateway,
    StreamError,
)
from ledger.records import read
from node.membership.edits import channel_edit
from node.membership.errors import MissingSignatures, NotDecided
from node.membership.records import ballots_about, read_member
from node.membership.voting import Voting
from zunft.v1.ballot_pb2 import BALLOT_STATUS_REJECTED, BALLOT_SUBJECT_ADMISSION, Ballot
from zunft.v1.bundle_pb2 import Bundle, SignedBundle
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_APPLIED,
    ActivateMember,
    ApplyMember,
    Member,
)

_ON_ITS_WAY = (MEMBER_STATUS_APPLIED, MEMBER_STATUS_ADMITTED, MEMBER_STATUS_ACTIVE)


async def propose(gateway: Gateway, signed_bundle: bytes, bundle: Bundle) -> Ballot:
    """Puts the bundle in for the sponsor, which opens the ballot; an earlier ballot on the same bytes is returned.

    Raises MemberInChannel, ContractError, LedgerError, ConsortiumError.
    """
    opened = await _opened_before(gateway, signed_bundle, bundle.msp_id)
    if opened:
        return opened
    if not channel_edit(await newest_channel(gateway), BALLOT_SUBJECT_ADMISSION, bundle.msp_id, bundle):
        raise MemberInChannel(
            f"the channel has admitted {bundle.msp_id} already: put in no other bundle, and have the company type "
            "zunft join complete"
        )
    request = ApplyMember(msp_id=bundle.msp_id, signed_bundle=signed_bundle)
    committed = await gateway.submit("member.apply", request, retries=RETRIES)
    return Ballot.FromString(committed.result)


async def take_part(gateway: Gateway) -> None:
    """Makes the applicant's orderer, which follows already, one of those that order.

    The members have signed the change with their votes. The orderer takes a moment to begin. Until then peers should
    not hand it any transactions, so `show_orderers` comes later. Raises NotDecided, ContractError, LedgerError.
    """
    await _check_in_channel(gateway)
    member = await read_member(gateway, gateway.identity.msp_id)
    if not member.carried_ballot_id:
        return
    try:
        await (await Voting.open(gateway, member.carried_ballot_id)).carry_out()
    except MissingSignatures as error:
        raise NotDecided(
            f"the channel's configuration was changed meanwhile, and the members must approve {member.msp_id}'s "
            f"orderer again: zunft join approve {member.msp_id}"
        ) from error


async def activate(gateway: Gateway) -> Member:
    """Submits the applicant's own first transaction; does nothing where it is active already.

    Raises NotDecided, UnknownMember, ContractError, LedgerError.
    """
    member = await read_member(gateway, gateway.identity.msp_id)
    if member.status == MEMBER_STATUS_ACTIVE:
        return member
    if member.status != MEMBER_STATUS_ADMITTED:
        raise _not_admitted(member.msp_id)
    request = ActivateMember(ballot_id=member.carried_ballot_id)
    committed = await gateway.submit("member.activate", request, retries=RETRIES)
    return Member.FromString(committed.result)


async def missing_deposit_micro(gateway: Gateway, member: Member) -> int:
    """The amount that an applicant lacks for the charter's deposit, in micro-tokens."""
    charter, balance = await read(gateway, keys.CHARTER), await read(gateway, keys.balance(member.msp_id))
    deposit_micro = charter.entry.deposit_micro if charter else 0
    return max(deposit_micro - member.deposit_micro - (balance.amount_micro if balance else 0), 0)


async def _check_in_channel(gateway: Gateway) -> None:
    """Checks that the channel shows its blocks to this member. Raises NotDecided if it refuses, StreamError."""
    try:
        await gateway.height()
    except StreamError as error:
        if error.grpc_code is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        raise _not_admitted(gateway.identity.msp_id) from error


def _not_admitted(msp_id: str) -> NotDecided:
    return NotDecided(f"{msp_id} is not admitted yet: zunft join status {msp_id} shows who must approve")


async def _opened_before(gateway: Gateway, signed_bundle: bytes, msp_id: str) -> Ballot | None:
    """The ballot on the same bytes, if it was not rejected and the company has not left since."""
    digest, member = bundle_digest(SignedBundle.FromString(signed_bundle)), await read(gateway, keys.member(msp_id))
    for ballot in await ballots_about(gateway, msp_id, BALLOT_SUBJECT_ADMISSION):
        if ballot.bundle_digest == digest and ballot.status != BALLOT_STATUS_REJECTED:
            return None if member is not None and _is_over(ballot, member) else ballot
    return None


def _is_over(ballot: Ballot, member: Member) -> bool:
    """Whether the ballot was about a membership that has ended."""
    return ballot.membership <= member.membership and member.status not in _ON_ITS_WAY
