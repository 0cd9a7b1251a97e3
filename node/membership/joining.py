"""How a company becomes a member: the steps of sponsor and applicant at the ledger. The votes are in voting.py.

propose (sponsor) ─► votes ─► the applicant's processes run ─► take_part (its orderer) ─► activate (its deposit)
"""

from __future__ import annotations

from chaincode import keys
from node.ledger.configuration import newest_channel
from node.ledger.gateway import Gateway
from node.membership.edits import channel_edit
from node.membership.errors import AlreadyAdmitted, NotDecided
from node.membership.own_part import show_orderers
from node.membership.records import newest_ballot, read, read_member
from node.membership.voting import RETRIES, Voting
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_ADMISSION, Ballot
from zunft.v1.bundle_pb2 import Bundle, SignedBundle
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    ActivateMember,
    ApplyMember,
    Member,
)


async def propose(gateway: Gateway, signed_bundle: bytes, bundle: Bundle) -> Ballot:
    """The sponsor puts the bundle in, which opens the ballot; for one that is in already it is the ballot on that.

    Raises AlreadyAdmitted, ContractError, LedgerError, NetworkError.
    """
    if await read(gateway, keys.bundle(bundle.msp_id)) == SignedBundle.FromString(signed_bundle):
        return await newest_ballot(gateway, bundle.msp_id, BALLOT_SUBJECT_ADMISSION)
    edit = channel_edit(await newest_channel(gateway), BALLOT_SUBJECT_ADMISSION, bundle.msp_id, bundle)
    if not edit.config_updates:
        raise AlreadyAdmitted(
            f"the channel has {bundle.msp_id} already: zunft join status {bundle.msp_id} says what is left to do"
        )
    request = ApplyMember(msp_id=bundle.msp_id, signed_bundle=signed_bundle, edit=edit)
    committed = await gateway.submit("member.apply", request, retries=RETRIES)
    return Ballot.FromString(committed.result)


async def take_part(gateway: Gateway) -> None:
    """The applicant's orderer, which follows already, becomes one of those that order.

    The members have signed that with their votes. Raises NotDecided, MissingSignatures, ContractError, LedgerError.
    """
    member = await read_member(gateway, gateway.identity.msp_id)
    if member.carried_ballot_id:
        voting = await (await Voting.open(gateway, member.carried_ballot_id)).carry_out()
        if not voting.is_in_force:
            raise NotDecided(
                f"the channel's configuration was changed meanwhile, and the members must approve {member.msp_id}'s "
                f"orderer again: zunft join approve {member.msp_id}"
            )
    await show_orderers(gateway)


async def activate(gateway: Gateway) -> Member:
    """The applicant's first transaction of its own; nothing where it is active already.

    Raises NotDecided, UnknownMember, ContractError, LedgerError.
    """
    member = await read_member(gateway, gateway.identity.msp_id)
    if member.status == MEMBER_STATUS_ACTIVE:
        return member
    if member.status != MEMBER_STATUS_ADMITTED:
        raise NotDecided(
            f"{member.msp_id} is not admitted yet: zunft join status {member.msp_id} shows who must approve"
        )
    request = ActivateMember(ballot_id=member.carried_ballot_id)
    committed = await gateway.submit("member.activate", request, retries=RETRIES)
    return Member.FromString(committed.result)


async def missing_deposit_micro(gateway: Gateway, member: Member) -> int:
    """What an applicant lacks of the deposit that the charter asks for, in micro-tokens."""
    charter, balance = await read(gateway, keys.CHARTER), await read(gateway, keys.balance(member.msp_id))
    deposit_micro = charter.entry.deposit_micro if charter else 0
    return max(deposit_micro - (balance.amount_micro if balance else 0), 0)
