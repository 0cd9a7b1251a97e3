"""Who may vote, and how many of them it takes: from the members' records and the charter's rules."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.channel_edit import changes_channel
from chaincode.transaction import Transaction
from zunft.v1.ballot_pb2 import (
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    BALLOT_SUBJECT_EXCLUSION,
    BALLOT_SUBJECT_REINSTATEMENT,
    BALLOT_SUBJECT_SUSPENSION,
    Ballot,
    BallotSubject,
)
from zunft.v1.charter_pb2 import Threshold, VotingRules
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_SUSPENDED,
    Member,
)

BALLOT_PERIOD_S = 14 * 86_400

# Whose organisations the channel's configuration has, as far as the ledger knows.
_SEATED = frozenset({MEMBER_STATUS_ACTIVE, MEMBER_STATUS_SUSPENDED, MEMBER_STATUS_LEAVING})


@dataclass(frozen=True, slots=True)
class Electorate:
    """The members when a ballot is opened."""

    active_msp_ids: tuple[str, ...]
    seated_count: int

    def voters(self, msp_id: str) -> list[str]:
        """Nobody votes on itself."""
        return [voter for voter in self.active_msp_ids if voter != msp_id]

    def needed_approvals(self, voting: VotingRules, ballot: Ballot) -> int:
        """Of all active members, the one concerned included: of two, neither can suspend the other."""
        needed = approvals(_threshold(voting, ballot.subject), len(self.active_msp_ids))
        if changes_channel(ballot.subject):
            # Fabric, too, wants a majority of the channel's members to sign, whatever the charter says.
            return max(needed, self.seated_count // 2 + 1)
        return needed


async def load_electorate(tx: Transaction) -> Electorate:
    members = await tx.load_all("member/", Member)
    active = tuple(member.msp_id for member in members if member.status == MEMBER_STATUS_ACTIVE)
    return Electorate(active, sum(member.status in _SEATED for member in members))


def approvals(threshold: Threshold, active_count: int) -> int:
    """At least the threshold's share of the active members; without a threshold more than half of them."""
    if threshold.denominator:
        return -(-active_count * threshold.numerator // threshold.denominator)
    return active_count // 2 + 1


def ballot_period_s(voting: VotingRules) -> int:
    return voting.ballot_period_s if voting.HasField("ballot_period_s") else BALLOT_PERIOD_S


def _threshold(voting: VotingRules, subject: BallotSubject) -> Threshold:
    """A departure needs no more than the signatures: nobody is kept against its will."""
    return {
        BALLOT_SUBJECT_ADMISSION: voting.admission,
        BALLOT_SUBJECT_EXCLUSION: voting.exclusion,
        BALLOT_SUBJECT_SUSPENSION: voting.suspension,
        BALLOT_SUBJECT_REINSTATEMENT: voting.suspension,
        BALLOT_SUBJECT_AMENDMENT: voting.amendment,
    }.get(subject, Threshold())
