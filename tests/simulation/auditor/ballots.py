"""Ballots and the questions that they are on, as the auditor writes them down and counts them."""

from __future__ import annotations

from dataclasses import dataclass, field

ADMISSION, EXCLUSION, SUSPENSION = "admission", "exclusion", "suspension"
REINSTATEMENT, DEPARTURE = "reinstatement", "departure"

# For these Fabric wants most of the channel's members to sign, too; whoever helps may do it once the ballot is carried.
SIGNED = (ADMISSION, EXCLUSION, DEPARTURE)
OPEN, CARRIED, REJECTED, EXECUTED = "open", "carried", "rejected", "executed"


@dataclass
class Ballot:
    subject: str
    about: str
    opener: str
    membership: int
    voters: tuple[str, ...]
    needed: int
    deadline_s: int
    status: str = OPEN
    # In favour or not, by voter.
    votes: dict[str, bool] = field(default_factory=dict)

    @property
    def approvals(self) -> int:
        return sum(self.votes.values())

    @property
    def is_carried(self) -> bool:
        return self.status in (CARRIED, EXECUTED)

    def only_signs(self, in_favour: bool) -> bool:
        """Whether a vote decides nothing any more, and is welcome for its signatures."""
        return self.is_carried and self.subject in SIGNED and in_favour

    def counted(self) -> str:
        """What the votes make of it."""
        still_possible = len(self.voters) - (len(self.votes) - self.approvals)
        if self.approvals >= self.needed:
            return CARRIED
        return REJECTED if still_possible < self.needed else OPEN


@dataclass
class Question:
    """`ballot` is the number of the one that counts; `not_before_s` says who has to wait, and until when."""

    ballot: int
    membership: int
    deadline_s: int
    is_decided: bool = False
    not_before_s: dict[str, int] = field(default_factory=dict)
