"""The steps of a company that joins: those done, the members that have to take the next one, and its command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chaincode import keys
from chaincode.checks import format_amount
from chaincode.token import LEAST_TRANSFER_MICRO
from consortium.channel.consenters import consenters
from consortium.channel.reader import Channel
from ledger.gateway import Gateway
from ledger.records import read
from node.membership.joining import missing_deposit_micro
from node.membership.records import read_applicant, read_bundle
from node.membership.voting import Voting, silent_msp_ids
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED, Ballot
from zunft.v1.bundle_pb2 import Bundle
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import MEMBER_STATUS_ADMITTED, MEMBER_STATUS_APPLIED, Member


@dataclass(frozen=True, slots=True)
class MembershipStep:
    """A step; `msp_ids` can take it now, none if it is done or not due yet. `command` comes after `zunft`."""

    what: str
    is_done: bool
    msp_ids: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Joining:
    """The ledger's records of one company that joins."""

    member: Member
    ballot: Ballot
    bundle: Bundle
    charter: Charter
    channel: Channel
    missing_deposit_micro: int
    # Members whose signatures are over a configuration that was changed since.
    to_sign_again: tuple[str, ...]

    @classmethod
    async def read(cls, gateway: Gateway, ballot: Ballot) -> Joining:
        """The records for the ballot on its admission. Raises UnknownMember, NoBallot, ConsortiumError, LedgerError."""
        voting = await Voting.open(gateway, ballot.ballot_id)
        member = await read_applicant(gateway, voting.ballot)
        return cls(
            member,
            voting.ballot,
            (await read_bundle(gateway, voting.ballot)).bundle,
            await read(gateway, keys.CHARTER) or Charter(),
            voting.channel,
            await missing_deposit_micro(gateway, member),
            voting.to_sign_again,
        )

    def steps(self) -> list[MembershipStep]:
        """The steps in their order; only the first that is not done names members and a command."""
        steps = list(self._steps())
        next_place = next((place for place, step in enumerate(steps) if not step.is_done), len(steps))
        return [
            step if place == next_place else MembershipStep(step.what, step.is_done) for place, step in enumerate(steps)
        ]

    def _steps(self) -> Iterator[MembershipStep]:
        msp_id, ballot = self.member.msp_id, self.ballot
        became_active = self.member.status not in (MEMBER_STATUS_APPLIED, MEMBER_STATUS_ADMITTED)
        approvals = sum(vote.in_favour for vote in ballot.votes)
        silent, approve = silent_msp_ids(ballot), f"join approve {msp_id}"
        complete = (msp_id,)
        yield MembershipStep("its sponsor puts the bundle in", True)
        yield MembershipStep(
            f"members approve ({approvals} of {ballot.needed_approvals} needed)",
            ballot.status in (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED),
            silent,
            approve,
        )
        signers = self.to_sign_again or silent or (ballot.opened_by_msp_id,)
        yield MembershipStep("the channel admits it", msp_id in self.channel.members, signers, approve)
        if self.bundle.HasField("orderer"):
            yield MembershipStep("its processes run, its orderer takes part", self._orders, complete, "join complete")
        if self.charter.entry.deposit_micro:
            paid, issuer = became_active or not self.missing_deposit_micro, (self.charter.token.issuer_msp_id,)
            amount = format_amount(max(self.missing_deposit_micro, LEAST_TRANSFER_MICRO))
            mint = f"token mint {msp_id} {amount} --reference BANK-REFERENCE"
            yield MembershipStep("it has the tokens for its deposit", paid, issuer, mint)
        yield MembershipStep("it has become active", became_active, complete, "join complete")

    @property
    def _orders(self) -> bool:
        return any(one.msp_id == self.member.msp_id for one in consenters(self.channel.config.channel_group))
