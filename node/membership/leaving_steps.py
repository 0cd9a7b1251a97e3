"""The steps that a member must finish before it can leave, each with the members that take it and the command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from chaincode import keys
from chaincode.account.account import (
    due_micro,
    escrow_micro,
)
from chaincode.account.invoice import is_invoiced
from chaincode.checks import format_amount
from ledger.gateway import Gateway
from ledger.records import read, read_all
from node.membership.joining_steps import MembershipStep
from node.membership.leaving import departure_ballot, departure_conditions, missing_orderer
from node.membership.records import read_member
from node.membership.voting import Voting
from zunft.v1.account_pb2 import Account
from zunft.v1.agreement_pb2 import AGREEMENT_STATUS_TERMINATED, Agreement
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED
from zunft.v1.token_pb2 import REDEMPTION_STATUS_HELD, Redemption
from zunft.v1.usage_pb2 import Commitment


async def leaving_steps(gateway: Gateway, msp_id: str, now_s: int) -> list[MembershipStep]:
    """The steps in their order; accounts, meters and tokens in any. Raises UnknownMember, LedgerError."""
    member, conditions = await read_member(gateway, msp_id), await departure_conditions(gateway, msp_id)
    ends_at_s, own = conditions.depart_not_before_s, (msp_id,)
    steps = [MembershipStep("notice is given", bool(ends_at_s), own, "leave start")]
    steps += [await _obligation(gateway, msp_id, key) for key in conditions.obligations]
    tokens = format_amount(conditions.free_micro)
    steps.append(
        MembershipStep(
            f"{tokens} tokens are redeemed or transferred", conditions.is_spent, own, f"token redeem {tokens}"
        )
    )
    steps += [step async for step in _redemptions(gateway, msp_id)]
    steps.append(MembershipStep("the notice has run", 0 < ends_at_s <= now_s))
    ballot, is_due = await departure_ballot(gateway, member), conditions.are_met(now_s)
    if ballot is None and await missing_orderer(gateway, msp_id):
        steps.append(
            MembershipStep("another company joins that runs an orderer: without its own too few are left", False)
        )
        is_due = False
    if ballot is None:
        return [*steps, MembershipStep("it has departed", False, *((msp_id,), "leave complete") if is_due else ())]
    return [*steps, *_removal_steps(await Voting.open(gateway, ballot.ballot_id))]


async def _obligation(gateway: Gateway, msp_id: str, record_key: str) -> MembershipStep:
    noun, _, name = record_key.partition("/")
    if noun == "meter":
        return MembershipStep(f"meter {name} is revoked", False, (msp_id,), f"meter revoke {name}")
    agreement = await read(gateway, keys.agreement(name)) or Agreement()
    account = await read(gateway, keys.account(name)) or Account()
    commitment = await read(gateway, keys.commitment(name)) or Commitment()
    is_left_alone = await _is_excluded(gateway, _other(msp_id, account))
    who, command = _next_for_account(msp_id, agreement, account, commitment, is_left_alone=is_left_alone)
    return MembershipStep(f"the account of {name} is closed", False, who, command)


def _next_for_account(
    msp_id: str, agreement: Agreement, account: Account, commitment: Commitment, *, is_left_alone: bool
) -> tuple[tuple[str, ...], str]:
    """The members that may type the command, each of which is enough, and the command.

    `is_left_alone` says that the other party is excluded.
    """
    name, missing_micro = agreement.agreement_id, due_micro(account, commitment) - escrow_micro(account)
    if agreement.status != AGREEMENT_STATUS_TERMINATED and not is_left_alone:
        return (msp_id,), f"agreement terminate {name}"
    if not is_invoiced(account, commitment):
        return (msp_id,), f"account settle {name}"
    if missing_micro > 0 and msp_id == account.customer_msp_id:
        return (msp_id,), f"account fund {name} {format_amount(missing_micro)}"
    # The provider can close at once; the customer has to wait until no more late readings can be charged.
    provider = () if is_left_alone or msp_id == account.provider_msp_id else (account.provider_msp_id,)
    return (*provider, msp_id), f"account close {name}"


def _other(msp_id: str, account: Account) -> str:
    return next(one for one in (account.customer_msp_id, account.provider_msp_id) if one != msp_id)


async def _is_excluded(gateway: Gateway, msp_id: str) -> bool:
    member = await read(gateway, keys.member(msp_id))
    return member is not None and member.status == MEMBER_STATUS_EXCLUDED


async def _redemptions(gateway: Gateway, msp_id: str) -> AsyncIterator[MembershipStep]:
    """The redemptions that are not paid out. The departure does not wait: the issuer owes the money also afterwards."""
    charter = await read(gateway, keys.CHARTER) or Charter()
    for one in await read_all(gateway, "redemption", Redemption):
        if (one.msp_id, one.status) == (msp_id, REDEMPTION_STATUS_HELD):
            yield MembershipStep(
                f"the issuer has paid out {format_amount(one.amount_micro)} tokens (the departure does not wait)",
                False,
                (charter.token.issuer_msp_id,),
                f"token confirm {one.redemption_id[:16]} --reference BANK-REFERENCE",
            )


def _removal_steps(voting: Voting) -> Iterator[MembershipStep]:
    """The steps of the removal. The leaver signs again where the configuration has moved on."""
    msp_id, waits = voting.ballot.msp_id, voting.waits_for_signatures
    approve, others = f"leave approve {msp_id}", tuple(voting.ballot.voter_msp_ids)
    yield MembershipStep("it has departed", True)
    if msp_id in voting.to_sign_again:
        yield MembershipStep("it signs its removal again, as the channel is now", False, (msp_id,), "leave complete")
    counted = f"{len(voting.signed_msp_ids)} of {voting.needed_signatures} needed"
    yield MembershipStep(
        f"members sign its removal ({counted})", not waits, *(voting.may_sign, approve) if waits else ()
    )
    yield MembershipStep("the channel is without it", False, *() if waits else (others, approve))
