"""Ballots and their questions, as the auditor notes and counts them."""

from __future__ import annotations

from dataclasses import dataclass, field

ADMISSION, EXCLUSION, SUSPENSION = "admission", "exclusion", "suspension"
REINSTATEMENT, DEPARTURE = "reinstatement", "departure"

# For these Fabric wants most of the channel's members to sign, too; others may sign after the ballot is carried.
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
    # The votes, in favour or not, by voter.
    votes: dict[str, bool] = field(default_factory=dict)

    @property
    def approvals(self) -> int:
        return sum(self.votes.values())

    @property
    def is_carried(self) -> bool:
        return self.status in (CARRIED, EXECUTED)

    def only_signs(self, in_favour: bool) -> bool:
        """Whether a vote decides nothing any more, and is only taken for its signatures."""
        return self.is_carried and self.subject in SIGNED and in_favour

    def counted(self) -> str:
        """The ballot's status by its votes."""
        still_possible = len(self.voters) - (len(self.votes) - self.approvals)
        if self.approvals >= self.needed:
            return CARRIED
        return REJECTED if still_possible < self.needed else OPEN


@dataclass
class Question:
    """A question; `ballot` is the number of the ballot that counts, `not_before_s` how long each member has to wait."""

    ballot: int
    membership: int
    deadline_s: int
    is_decided: bool = False
    not_before_s: dict[str, int] = field(default_factory=dict)
