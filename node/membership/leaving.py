"""The steps by which a member leaves: notice, end of its business, departure, signatures for its removal."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode import keys
from chaincode.token import LEAST_TRANSFER_MICRO, free_micro
from consortium.errors import TooFewConsenters
from ledger.configuration import newest_channel
from ledger.gateway import RETRIES, Gateway
from ledger.records import read, read_all
from node.membership.edits import channel_edit
from node.membership.own_part import hide_orderers
from node.membership.records import read_member
from node.membership.voting import add_signatures
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_DEPARTURE, BALLOT_SUBJECT_EXCLUSION, Ballot
from zunft.v1.member_pb2 import DepartMember, ExcludeMember, LeaveConsortium, Member, Obligation


@dataclass(frozen=True, slots=True)
class DepartureConditions:
    """The conditions before a member may depart; the contract checks the same in member.depart."""

    # 0 before the member has given notice.
    depart_not_before_s: int
    # Keys of open accounts and active meters.
    obligations: tuple[str, ...]
    # Without the tokens that it owes, which stay on its balance for its customers.
    free_micro: int

    def are_met(self, now_s: int) -> bool:
        """Whether the member may depart now."""
        noticed = 0 < self.depart_not_before_s <= now_s
        return noticed and not self.obligations and self.is_spent

    @property
    def is_spent(self) -> bool:
        """Whether fewer tokens are left than a transfer moves at least; the issuer redeems those later."""
        return self.free_micro < LEAST_TRANSFER_MICRO


async def give_notice(gateway: Gateway) -> Member:
    """Gives notice for this member, and returns its new record. Raises ContractError, LedgerError."""
    committed = await gateway.submit("member.leave", LeaveConsortium(), retries=RETRIES)
    return Member.FromString(committed.result)


async def departure_conditions(gateway: Gateway, msp_id: str) -> DepartureConditions:
    """The member's conditions as the ledger has them now. Raises UnknownMember, LedgerError."""
    member, balance = await read_member(gateway, msp_id), await read(gateway, keys.balance(msp_id))
    obligations = await read_all(gateway, f"obligation/{msp_id}", Obligation)
    return DepartureConditions(
        depart_not_before_s=member.depart_not_before_s,
        obligations=tuple(one.record_key for one in obligations),
        free_micro=free_micro(balance) if balance else 0,
    )


async def missing_orderer(gateway: Gateway, msp_id: str) -> str:
    """The reason why the others could not order without the member's orderer; empty if they can. Raises LedgerError."""
    try:
        channel_edit(await newest_channel(gateway), BALLOT_SUBJECT_DEPARTURE, msp_id)
    except TooFewConsenters as error:
        return str(error)
    return ""


async def departure_ballot(gateway: Gateway, member: Member) -> Ballot | None:
    """The ballot that collects the signatures for the member's removal; None before it has departed.

    An undecided ballot of an earlier contract does not count, so that it holds nobody up.
    """
    ballot = await read(gateway, keys.ballot(member.carried_ballot_id)) if member.carried_ballot_id else None
    if ballot is None or (ballot.subject, ballot.membership) != (BALLOT_SUBJECT_DEPARTURE, member.membership):
        return None
    return ballot


async def depart(gateway: Gateway) -> Ballot:
    """Submits the departure of this member, which has ended everything, with its signatures over its own removal.

    Raises TooFewConsenters, ContractError, LedgerError.
    """
    await hide_orderers(gateway)
    updates = channel_edit(await newest_channel(gateway), BALLOT_SUBJECT_DEPARTURE, gateway.identity.msp_id)
    request = DepartMember()
    add_signatures(request, updates, gateway.identity)
    committed = await gateway.submit("member.depart", request, retries=RETRIES)
    return Ballot.FromString(committed.result)


async def check_exclusion(gateway: Gateway, msp_id: str, reason: str) -> None:
    """Checks that the exclusion can be put to the vote, as the own peer sees it. Raises the errors of `exclude`."""
    channel_edit(await newest_channel(gateway), BALLOT_SUBJECT_EXCLUSION, msp_id)
    await gateway.evaluate("member.exclude", ExcludeMember(msp_id=msp_id, reason=reason))


async def exclude(gateway: Gateway, msp_id: str, reason: str) -> Ballot:
    """Opens the ballot on another member's exclusion. Raises TooFewConsenters, ContractError, LedgerError."""
    channel_edit(await newest_channel(gateway), BALLOT_SUBJECT_EXCLUSION, msp_id)
    request = ExcludeMember(msp_id=msp_id, reason=reason)
    committed = await gateway.submit("member.exclude", request, retries=RETRIES)
    return Ballot.FromString(committed.result)
