"""The opening of ballots, and the effects of votes, which the auditor counts for itself."""

from __future__ import annotations

from tests.simulation.auditor.ballots import (
    ADMISSION,
    CARRIED,
    EXCLUSION,
    OPEN,
    REINSTATEMENT,
    SIGNED,
    SUSPENSION,
    Ballot,
    Question,
)
from tests.simulation.auditor.companies import (
    ACTIVE,
    ADMITTED,
    EXCLUDED,
    LEAVING,
    LEFT,
    STRANGER,
    SUSPENDED,
    Company,
)
from tests.simulation.auditor.rules import ISSUER, LAPSES_S, Share, refuse
from tests.simulation.auditor.state import State

# The statuses of a company about which the members can decide this.
ABOUT = {
    ADMISSION: (STRANGER, LEFT),
    SUSPENSION: (ACTIVE, LEAVING),
    REINSTATEMENT: (SUSPENDED,),
    EXCLUSION: (ADMITTED, ACTIVE, SUSPENDED, LEAVING, EXCLUDED),
}
# The statuses in which an open ballot on it may still be carried.
STILL_ABOUT = {**ABOUT, EXCLUSION: (*ABOUT[EXCLUSION], LEFT)}


class Votes(State):
    def suspend(self, actor: str, company: str) -> None:
        self._put_to_vote(actor, SUSPENSION, company)

    def reinstate(self, actor: str, company: str) -> None:
        self._put_to_vote(actor, REINSTATEMENT, company)

    def exclude(self, actor: str, company: str) -> None:
        self._put_to_vote(actor, EXCLUSION, company)

    def vote(self, actor: str, ballot: int, in_favour: bool) -> None:
        self.check_takes_part(actor)
        if ballot > len(self.ballots):
            refuse("NotFound")
        one = self.ballots[ballot - 1]
        helps = one.only_signs(in_favour) and actor != one.about
        if actor not in one.voters and not helps:
            refuse("Forbidden")
        if actor in one.votes:
            refuse("VotedAlready")
        self._check_takes_vote(ballot, one, in_favour)
        if one.status == OPEN and in_favour and one.approvals + 1 >= one.needed:
            self._check_can_be_carried(one)
        one.votes[actor] = in_favour
        if one.status == OPEN:
            one.status = one.counted()
            self._decide(ballot, one)

    def question_of(self, subject: str, about: str, opener: str) -> tuple[str, ...]:
        """The question's key; each sponsor's application is a question of its own."""
        return (subject, about, opener) if subject == ADMISSION else (subject, about)

    def check_no_other(self, subject: str, about: str, opener: str, membership: int) -> None:
        asked = self.questions.get(self.question_of(subject, about, opener))
        is_same = asked is not None and asked.membership == membership
        if asked and is_same and not asked.is_decided and self.now_s <= asked.deadline_s + LAPSES_S:
            refuse("AnotherBallot")

    def check_asked_long_ago(self, subject: str, about: str, opener: str, membership: int) -> None:
        asked = self.questions.get(self.question_of(subject, about, opener))
        if asked and asked.membership == membership and self.now_s < asked.not_before_s.get(opener, 0):
            refuse("AskedBefore")

    def open_ballot(self, subject: str, about: str, opener: str, membership: int) -> None:
        voters = tuple(name for name in self.voting if name != about)
        needed = self.needed(subject)
        if needed > len(voters):
            refuse("WrongStatus")
        deadline_s = self.now_s + self.rules.ballot_s
        self.ballots.append(Ballot(subject, about, opener, membership, voters, needed, deadline_s))
        key = self.question_of(subject, about, opener)
        before = self.questions.get(key)
        waiting = before.not_before_s if before and before.membership == membership else {}
        waiting = {**waiting, opener: deadline_s}
        self.questions[key] = Question(len(self.ballots), membership, deadline_s, not_before_s=waiting)

    def needed(self, subject: str) -> int:
        """The needed approvals: the charter's share, and more than half of the channel where that must change."""
        share = {EXCLUSION: self.rules.exclusion, SUSPENSION: self.rules.suspension}
        share[REINSTATEMENT] = self.rules.suspension
        needed = share_of(len(self.voting), share.get(subject))
        return max(needed, share_of(len(self.seated), None)) if subject in SIGNED else needed

    # --- details ------------------------------------------------------------------------------------------------------

    def _put_to_vote(self, actor: str, subject: str, company: str) -> None:
        self.check_takes_part(actor)
        membership = self.known(company).membership
        if self.companies[company].status not in ABOUT[subject]:
            refuse("WrongStatus")
        self.check_no_other(subject, company, actor, membership)
        self.check_asked_long_ago(subject, company, actor, membership)
        if subject == EXCLUSION and company == ISSUER:
            refuse("ExitCondition")
        self.open_ballot(subject, company, actor, membership)

    def _check_takes_vote(self, number: int, one: Ballot, in_favour: bool) -> None:
        company = self.companies[one.about]
        if one.only_signs(in_favour):
            if company.carried != number:
                refuse("WrongStatus")
            return
        if one.status != OPEN or self.now_s > one.deadline_s:
            refuse("BallotClosed")
        if self.questions[self.question_of(one.subject, one.about, one.opener)].ballot != number:
            refuse("BallotClosed")
        if one.subject == ADMISSION and company.status not in STILL_ABOUT[ADMISSION]:
            refuse("AlreadyExists")
        if one.membership != company.membership + (one.subject == ADMISSION):
            refuse("WrongStatus")
        if company.status not in STILL_ABOUT[one.subject]:
            refuse("WrongStatus")

    def _check_can_be_carried(self, one: Ballot) -> None:
        """Refuses an admission whose sponsor is not active any more."""
        if one.subject == ADMISSION and self.companies[one.opener].status != ACTIVE:
            refuse("WrongStatus")

    def _decide(self, number: int, one: Ballot) -> None:
        if one.status == OPEN:
            return
        question = self.questions[self.question_of(one.subject, one.about, one.opener)]
        question.is_decided = True
        if one.status == CARRIED:
            question.not_before_s.pop(one.opener, None)
            self._carry(number, one)

    def _carry(self, number: int, one: Ballot) -> None:
        company = self.companies[one.about]
        if one.subject == ADMISSION:
            made_s = self.applications.pop((one.about, one.opener))
            admitted = Company(ADMITTED, one.membership, company.deposit, made_s=made_s)
            company = self.companies[one.about] = admitted
        elif one.subject == REINSTATEMENT:
            company.become(LEAVING if company.departs_s else ACTIVE, self.now_s)
        else:
            company.become(EXCLUDED if one.subject == EXCLUSION else SUSPENDED, self.now_s)
        if one.subject in SIGNED:
            company.carried = number


def share_of(count: int, share: Share) -> int:
    """The least number that is this share of the count; without a share more than half."""
    if share is None:
        return count // 2 + 1
    return -(-count * share[0] // share[1])
