"""The members that may vote, and the approvals that a ballot needs: from the members' records and the charter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chaincode import keys
from chaincode.errors import OutOfReach
from chaincode.members.channel_edit import changes_channel
from chaincode.rights.business import TAKING_PART
from chaincode.transaction_context import TransactionContext
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
    MEMBER_STATUS_SUSPENDED,
    Member,
    Seat,
)
from zunft.v1.member_pb2 import Electorate as ElectorateRecord

BALLOT_PERIOD_S = 14 * 86_400

# Statuses of the members whose organisations are in the channel's configuration, as far as the ledger knows.
SEATED = TAKING_PART | {MEMBER_STATUS_SUSPENDED}


@dataclass(frozen=True, slots=True)
class Electorate:
    """The members that are in the consortium when a ballot is opened, each with a flag whether it votes.

    This is one record and not a range of the members' records: else a sponsor could make that range, which every peer
    reads, longer and longer with applications.
    """

    votes: Mapping[str, bool]
    # Whether it is not on the ledger yet, but read from the members' records, as an earlier contract left them.
    is_new: bool = False

    @property
    def voting_msp_ids(self) -> list[str]:
        return sorted(msp_id for msp_id, votes in self.votes.items() if votes)

    def voters(self, msp_id: str) -> list[str]:
        """The members that vote on a question about this member: all but itself."""
        return [voter for voter in self.voting_msp_ids if voter != msp_id]

    def needed_approvals(self, voting: VotingRules, ballot: Ballot) -> int:
        """The needed approvals, of all voters with the one concerned: of two members, neither can suspend the other."""
        needed = approvals(_threshold(voting, ballot.subject), len(self.voting_msp_ids))
        if changes_channel(ballot.subject):
            # Fabric wants a majority of the channel's members to sign, whatever the charter says.
            return max(needed, len(self.votes) // 2 + 1)
        return needed

    def seating(self, *changed: Member) -> Electorate:
        """The electorate with the seats and votes that these members' statuses give them."""
        votes = {**self.votes, **_votes(changed)}
        gone = {member.msp_id for member in changed if member.status not in SEATED}
        return Electorate({msp_id: vote for msp_id, vote in votes.items() if msp_id not in gone}, self.is_new)


async def load_electorate(tx: TransactionContext) -> Electorate:
    """The electorate. A transaction that loads it also puts it, and so adds it to the ledger of an earlier contract."""
    record = (await tx.load(keys.ELECTORATE)).find(keys.ELECTORATE)
    if record is None:
        return Electorate(_votes(await tx.load_all("member/", Member)), is_new=True)
    if not record.leavers_vote:
        seated = [keys.member(seat.msp_id) for seat in record.seats]
        loaded = await tx.load(*seated)
        return Electorate(_votes(map(loaded.require, seated)), is_new=True)
    return Electorate({seat.msp_id: seat.votes for seat in record.seats})


def put_electorate(tx: TransactionContext, electorate: Electorate, *changed: Member) -> None:
    """Does WRITE of the electorate, if it is new or changed; `changed` are the members with new statuses."""
    after = electorate.seating(*changed)
    if electorate.is_new or after.votes != electorate.votes:
        seats = [Seat(msp_id=msp_id, votes=votes) for msp_id, votes in sorted(after.votes.items())]
        tx.put(keys.ELECTORATE, ElectorateRecord(seats=seats, leavers_vote=True))


def _votes(members: Iterable[Member]) -> dict[str, bool]:
    """Whether each of the members votes, without those that are not in the consortium."""
    return {one.msp_id: one.status in TAKING_PART for one in members if one.status in SEATED}


def approvals(threshold: Threshold, voter_count: int) -> int:
    """The number that reaches the threshold's share of the voting members; without a threshold more than half."""
    if threshold.denominator:
        return -(-voter_count * threshold.numerator // threshold.denominator)
    return voter_count // 2 + 1


def check_reachable(voting: VotingRules, before: VotingRules, member_count: int) -> None:
    """Checks that this number of members can reach the new thresholds, as nobody votes on itself. Raises OutOfReach.

    Two members can never suspend or exclude each other. So with two members any rules are right; they hold for later.
    """
    others = member_count - 1
    if approvals(Threshold(), member_count) > others:
        return
    for name in ("exclusion", "suspension"):
        threshold: Threshold = getattr(voting, name)
        needed = approvals(threshold, member_count)
        if threshold != getattr(before, name) and needed > others:
            raise OutOfReach(
                f"voting.{name}: {threshold.numerator}/{threshold.denominator} of {member_count} members are {needed}, "
                f"and nobody votes on itself: write {others}/{member_count} or less"
            )


def ballot_period_s(voting: VotingRules) -> int:
    return voting.ballot_period_s if voting.HasField("ballot_period_s") else BALLOT_PERIOD_S


def _threshold(voting: VotingRules, subject: BallotSubject) -> Threshold:
    """The charter's threshold for the subject; a departure has none, as nobody is kept against its will."""
    return {
        BALLOT_SUBJECT_ADMISSION: voting.admission,
        BALLOT_SUBJECT_EXCLUSION: voting.exclusion,
        BALLOT_SUBJECT_SUSPENSION: voting.suspension,
        BALLOT_SUBJECT_REINSTATEMENT: voting.suspension,
        BALLOT_SUBJECT_AMENDMENT: voting.amendment,
    }.get(subject, Threshold())
