"""The part of the random script in which companies come and go, and members vote."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.auditor import (
    ACTIVE,
    ADMITTED,
    GONE,
    ISSUER,
    LEAVING,
    LEFT,
    MILLION,
    STRANGER,
    SUSPENDED,
    Auditor,
    Ballot,
    Book,
)
from tests.simulation.step import Step

# How often an honest member votes in favour; a hostile one tosses a coin.
IN_FAVOUR = {"admission": 0.95, "suspension": 0.6, "reinstatement": 0.95, "exclusion": 0.7, "departure": 0.9}

Make = Callable[[], Step]


class MemberScript:
    """Makes steps from the auditor's members: some that they may take, some that they must not."""

    def __init__(self, random: Random, auditor: Auditor, hostile: str = "") -> None:
        self._random = random
        self._auditor = auditor
        self._hostile = hostile

    def next(self) -> Step:
        makes = {make: weight for make, weight in self._weights() if weight}
        [make] = self._random.choices(list(makes), list(makes.values()))
        return make()

    def are_waiting(self) -> bool:
        """Whether there is a ballot to decide, or a company waits for the others."""
        waiting = self._auditor.with_status(STRANGER, LEFT, ADMITTED, SUSPENDED, LEAVING)
        return bool(self._undecided() or waiting or self._owed())

    def _weights(self) -> list[tuple[Make, float]]:
        auditor = self._auditor
        newcomers = auditor.with_status(STRANGER, LEFT)
        return [
            (self._vote, 12 if self._undecided() else 2),
            (self._put_in, 3 if newcomers else 0.4),
            (self._activate, 6 if auditor.with_status(ADMITTED) else 0.3),
            (self._pay_in, 5 if auditor.with_status(ADMITTED) else 0),
            (self._on("reinstate", SUSPENDED), 5 if auditor.with_status(SUSPENDED) else 0.3),
            (self._on("suspend", ACTIVE, LEAVING), 1.3),
            (self._exclude, 0.8),
            (self._leave, 1.2),
            (self._depart, 10 if self._ready() else 0.4),
            (self._part_with_tokens, 8 if self._rich() else 0),
            (self._wind_up, 8 if self._can_end() else 0),
            (self._redeem_for, 5 if self._owed() else 0.3),
            (self._offer, 0.5),
        ]

    # --- ballots ------------------------------------------------------------------------------------------------------

    def _vote(self) -> Step:
        ballots, undecided = self._auditor.ballots, self._undecided()
        if undecided and self._mostly():
            number = self._random.choice(undecided)
        else:
            number = self._random.randint(1, len(ballots) + 1)
        ballot = ballots[number - 1] if number <= len(ballots) else None
        actor = self._voter(ballot) if ballot and self._mostly() else self._anybody()
        return Step("vote", actor, {"ballot": number, "in_favour": self._is_in_favour(actor, ballot)})

    def _voter(self, ballot: Ballot) -> str:
        """A voter that has not voted yet, if there is one; often the hostile member, also a second time."""
        waiting = [name for name in ballot.voters if name not in ballot.votes and self._auditor.takes_part(name)]
        if self._hostile and self._random.random() < 0.3:
            return self._hostile
        return self._random.choice(waiting) if waiting else self._anybody()

    def _is_in_favour(self, actor: str, ballot: Ballot | None) -> bool:
        if ballot is None or actor == self._hostile:
            return self._random.random() < 0.5
        usual = IN_FAVOUR[ballot.subject]
        return self._random.random() < (usual / 10 if ballot.subject == "exclusion" and self._are_few() else usual)

    def _on(self, verb: str, *statuses: str) -> Make:
        def make() -> Step:
            fitting = self._auditor.with_status(*statuses)
            company = self._random.choice(fitting) if fitting and self._mostly() else self._anybody()
            return Step(verb, self._taking_part(), {"company": company})

        return make

    def _exclude(self) -> Step:
        fitting = self._rather_with_deposit(self._auditor.with_status(ACTIVE, SUSPENDED, LEAVING, ADMITTED))
        company = self._random.choice(fitting) if fitting and self._mostly() else self._anybody()
        return Step("exclude", self._taking_part(), {"company": company})

    # --- coming and going ---------------------------------------------------------------------------------------------

    def _put_in(self) -> Step:
        newcomers = self._auditor.with_status(STRANGER, LEFT)
        company = self._random.choice(newcomers) if newcomers and self._mostly() else self._anybody()
        return Step("put_in", self._taking_part(), {"company": company})

    def _activate(self) -> Step:
        admitted = self._auditor.with_status(ADMITTED)
        actor = self._random.choice(admitted) if admitted and self._mostly() else self._anybody()
        carried = self._auditor.companies[actor].carried
        number = carried if carried and self._mostly() else self._random.randint(1, len(self._auditor.ballots) + 1)
        return Step("activate", actor, {"ballot": number})

    def _pay_in(self) -> Step:
        """A mint for an applicant, which gets its deposit from the issuer."""
        to, deposit = self._random.choice(self._auditor.with_status(ADMITTED)), self._auditor.rules.deposit
        reference = f"deposit-{len(self._auditor.references)}"
        return Step("mint", ISSUER, {"to": to, "amount": max(deposit, MILLION), "reference": reference})

    def _leave(self) -> Step:
        """A notice by a member that may leave, if there are enough members; else by one that must not."""
        staying = [name for name in self._auditor.with_status(ACTIVE) if name != ISSUER]
        others = [name for name in self._auditor.companies if name not in staying]
        is_allowed = staying and self._mostly() and not self._are_few()
        return Step("leave", self._random.choice(self._rather_with_deposit(staying) if is_allowed else others))

    def _depart(self) -> Step:
        """A departure, but never of the last member that can vote."""
        ready = self._ready()
        actor = self._random.choice(ready) if ready and self._mostly() else self._anybody()
        return self._vote() if self._auditor.voting == [actor] else Step("depart", actor)

    def _part_with_tokens(self) -> Step:
        actor = self._random.choice(self._rich())
        whole = self._auditor.free(actor)
        if self._random.random() < 0.5:
            return Step("redeem", actor, {"amount": whole})
        return Step("transfer", actor, {"to": self._taking_part(), "amount": whole})

    def _offer(self) -> Step:
        """An offer to a company that can make no new agreement, not yet or not any more."""
        others = [name for name, company in self._auditor.companies.items() if company.status != ACTIVE]
        if not others:
            return self._vote()
        return Step("offer", self._taking_part(), {"deal": "offered", "customer": self._random.choice(others)})

    def _redeem_for(self) -> Step:
        owed = self._owed()
        company = self._random.choice(owed) if owed and self._mostly() else self._anybody()
        purse, actor = self._auditor.purse(company), ISSUER if self._mostly() else self._anybody()
        amount = self._random.choice([purse, purse, self._random.randint(1, max(purse, 1)), purse + 1])
        return Step("redeem_for", actor, {"company": company, "amount": amount})

    # --- accounts that a member ends before it goes, or others after it is gone ---------------------------------------

    def _can_end(self) -> list[str]:
        """Accounts of leavers and of members that are gone."""
        ending = self._auditor.with_status(LEAVING, *GONE)
        return [name for name, book in self._auditor.books.items() if self._is_ending(book, ending)]

    def _is_ending(self, book: Book, ending: list[str]) -> bool:
        is_left = not book.closed or book.escrow or book.owed
        has_meters = book.provider in ending and not all(stream.revoked for stream in book.streams)
        return bool(is_left and {*book.parties} & {*ending}) or has_meters

    def _wind_up(self) -> Step:
        name = self._random.choice(self._can_end())
        book = self._auditor.books[name]
        here = [one for one in book.parties if self._auditor.takes_part(one)]
        actor = self._random.choice(here) if here and self._random.random() < 0.7 else ISSUER
        verb = self._random.choice(self._ways(book))
        if verb == "revoke":
            meters = [number for number, stream in enumerate(book.streams) if not stream.revoked]
            return Step("revoke", book.provider, {"deal": name, "meter": self._random.choice(meters)})
        leaves: dict[str, Any] = {"leaves": True} if verb == "close" and self._random.random() < 0.4 else {}
        return Step(verb, actor, {"deal": name, **leaves})

    def _ways(self, book: Book) -> list[str]:
        """The verbs that may come next for this account."""
        meters = [] if all(stream.revoked for stream in book.streams) else ["revoke"]
        if book.closed:
            return [*meters, "settle"]
        is_over = book.ended_s is not None or any(self._auditor.is_gone(name) for name in book.parties)
        claim = ["claim_alone", "settle"] if book.is_unclaimed or any(book.bills) else []
        return [*meters, *claim, "close", "close"] if is_over else ["terminate"]

    def _owed(self) -> list[str]:
        """The members that are gone, and have tokens that the issuer must pay out."""
        return [name for name in self._auditor.with_status(*GONE) if self._auditor.free(name)]

    def _ready(self) -> list[str]:
        """Leavers that fulfil all exit conditions."""
        companies, now_s = self._auditor.companies, self._auditor.now_s
        return [
            name for name in self._free_leavers() if now_s >= companies[name].departs_s and name not in self._rich()
        ]

    def _rich(self) -> list[str]:
        """Leavers that have nothing left but tokens."""
        return [name for name in self._free_leavers() if self._auditor.free(name) >= MILLION]

    def _free_leavers(self) -> list[str]:
        return [name for name in self._auditor.with_status(LEAVING) if not self._auditor.has_obligations(name)]

    # --- choices ------------------------------------------------------------------------------------------------------

    def _undecided(self) -> list[int]:
        now_s = self._auditor.now_s
        numbered = enumerate(self._auditor.ballots, 1)
        return [number for number, one in numbered if one.status == "open" and now_s <= one.deadline_s]

    def _rather_with_deposit(self, names: list[str]) -> list[str]:
        return [name for name in names if self._auditor.companies[name].deposit] or names

    def _are_few(self) -> bool:
        """Whether there are so few members that business would end if another one went."""
        return len(self._auditor.with_status(ACTIVE)) < 4

    def _taking_part(self) -> str:
        voting = self._auditor.voting
        return self._random.choice(voting) if voting and self._mostly() else self._anybody()

    def _anybody(self) -> str:
        return self._random.choice(list(self._auditor.companies))

    def _mostly(self) -> bool:
        return self._random.random() < 0.85
