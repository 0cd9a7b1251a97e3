"""Members: a company comes in with its deposit, gives notice, and leaves."""

from __future__ import annotations

from tests.simulation.auditor.ballots import ADMISSION, CARRIED, DEPARTURE, EXECUTED, Ballot
from tests.simulation.auditor.companies import ACTIVE, ADMITTED, LEAVING, LEFT
from tests.simulation.auditor.rules import ISSUER, MILLION, Move, refuse
from tests.simulation.auditor.votes import ABOUT, Votes


class Members(Votes):
    def put_in(self, actor: str, company: str) -> None:
        """Puts in a company's bundle, which was made just now."""
        self.check_status(actor, ACTIVE)
        known = self.companies[company]
        if known.status not in ABOUT[ADMISSION]:
            refuse("AlreadyExists")
        membership = known.membership + 1
        self.check_no_other(ADMISSION, company, actor, membership)
        if self.now_s <= max(known.made_s, self.applications.get((company, actor), 0)):
            refuse("Replay")
        self.check_asked_long_ago(ADMISSION, company, actor, membership)
        self.open_ballot(ADMISSION, company, actor, membership)
        self.applications[company, actor] = self.now_s

    def activate(self, actor: str, ballot: int) -> list[Move]:
        self.check_status(actor, ADMITTED)
        if ballot > len(self.ballots):
            refuse("NotFound")
        one, company = self.ballots[ballot - 1], self.companies[actor]
        if (one.subject, one.about, company.carried) != (ADMISSION, actor, ballot):
            refuse("WrongStatus")
        missing = self.rules.deposit - company.deposit
        self.check_balance(actor, missing)
        self.balances[actor] -= missing
        company.deposit += missing
        company.status, one.status = ACTIVE, EXECUTED
        return [(f"balance/{actor}", f"deposit/{actor}", missing)] if missing else []

    def leave(self, actor: str) -> None:
        self.check_status(actor, ACTIVE)
        if self.seated == [actor] or actor == ISSUER:
            refuse("ExitCondition")
        self.companies[actor].become(LEAVING, self.now_s)
        self.companies[actor].departs_s = self.now_s + self.rules.notice_s

    def depart(self, actor: str) -> None:
        """Departs without a vote; the ballot that is opened only collects the others' signatures."""
        self.check_status(actor, LEAVING)
        company = self.companies[actor]
        if self.now_s < company.departs_s or self.has_obligations(actor) or self.free(actor) >= MILLION:
            refuse("ExitCondition")
        voters = tuple(name for name in self.voting if name != actor)
        deadline_s, needed = self.now_s + self.rules.ballot_s, self.needed(DEPARTURE)
        collecting = Ballot(DEPARTURE, actor, actor, company.membership, voters, needed, deadline_s, CARRIED)
        collecting.votes[actor] = True
        self.ballots.append(collecting)
        company.carried = len(self.ballots)
        company.become(LEFT, self.now_s)
