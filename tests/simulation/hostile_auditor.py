"""The model where a member is hostile: it withholds endorsements from its partners, and changes nothing of others'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation.auditor import ACTIVE, Auditor, Known, Move, refuse
from tests.simulation.step import ANYTHING, NOT_ENDORSED, Outcome, Step

# The steps that need both parties' endorsement; an amendment only where its terms are confidential.
OF_BOTH = ("use", "use_watched", "cheat", "correct", "agree", "decline", "claim", "amend", "propose")

# The outcomes of hand-made transactions, none of which has an effect.
VALID, TOO_FEW, NOT_TAKEN = "", "ENDORSEMENT_POLICY_FAILURE", "SubmitError"
# Amounts that two rogues write as claimed.
CLAIMED = {
    "much claimed": 10**12,
    "less than nothing claimed": -(10**12),
    "the most claimed": 2**63 - 1,
    "the least claimed": -(2**63),
}
# Two rogues delete a commitment.
GONE = "gone"
ATTACKS = {
    "nonsense": VALID,
    "a mint": VALID,
    "usage of others": VALID,
    "terms of others": VALID,
    "its own archive": VALID,
    "a replay": VALID,
    "a balance": TOO_FEW,
    "an account of others": TOO_FEW,
    "a commitment of others": TOO_FEW,
    "a key's policy": TOO_FEW,
    "another outcome": TOO_FEW,
    "another's name": NOT_TAKEN,
}


class HostileAuditor(Auditor):
    hostile = ""
    # The behaviour of its peer; empty as long as that is like the others'.
    temper = ""

    def __init__(self, *known: Any) -> None:
        super().__init__(*known)
        # Accounts in which the hostile member and its accomplice have written by hand.
        self.spoilt: set[str] = set()
        self.gone: set[str] = set()

    def apply(self, step: Step) -> Outcome:
        if step.arguments.get("deal") in self.spoilt and step.verb not in ("spoil", "attack"):
            return Outcome(refusal=ANYTHING)
        if self.is_withheld(step):
            return Outcome(refusal=NOT_ENDORSED)
        return super().apply(step)

    def is_withheld(self, step: Step) -> bool:
        if not self.temper or step.verb not in OF_BOTH:
            return False
        deal = step.arguments["deal"]
        if step.verb == "amend" and self.books[deal].is_open_book:
            return False
        parties = step.arguments.get("parties") or self.books[deal].parties
        return self.hostile in parties

    def learn(self, step: Step, outcome: Outcome, known: Callable[[str], Known]) -> None:
        """Takes over the changes that the rogues' own account makes to their tokens, if these are theirs alone."""
        deal = step.arguments.get("deal", "")
        if deal not in self.spoilt or step.verb in ("spoil", "attack"):
            return
        book, now = self.books[deal], known(deal)
        pair = book.parties
        before = book.escrow + sum(self.purse(name) for name in pair)
        theirs = {f"escrow/{deal}", *(f"balance/{name}" for name in pair)}
        # A deposit moves only as a whole, and only if its owner is gone.
        released = [
            name for name in pair if (f"deposit/{name}", f"balance/{name}") in {one[:2] for one in outcome.moved}
        ]
        theirs |= {f"deposit/{name}" for name in released if self.is_gone(name)}
        for source, target, amount in outcome.moved:
            assert {source, target} <= theirs, f"{deal} moves {amount} from {source} to {target}"
            for name in pair:
                self.balances[name] += amount * ((target == f"balance/{name}") - (source == f"balance/{name}"))
        for name in released:
            self.companies[name].deposit = 0
        book.funded, book.withdrawn, book.paid = now.funded, now.withdrawn, now.paid
        book.owed, book.closed = now.owed, now.closed
        of_others = [[one for one in line if one[0] != deal] for line in (self.lines[book.provider], now.debts)]
        assert of_others[0] == of_others[1], f"{deal} changes what {book.provider} owes others"
        self.lines[book.provider] = now.debts
        self.documents[book.provider].extend(now.documents[len(self.documents[book.provider]) :])
        assert book.escrow + sum(self.purse(name) for name in pair) == before, deal

    # --- verbs --------------------------------------------------------------------------------------------------------

    def propose(self, actor: str, deal: str, parties: tuple[str, str]) -> None:
        """A proposal, which a script tries only where it must be refused."""
        raise AssertionError(f"{actor} has shared {deal} with {parties}")

    def turn(self, actor: str, temper: str) -> None:
        self.hostile, self.temper = actor, temper

    def use_watched(self, actor: str, deal: str, meter: int, quantities: tuple[int, ...], watcher: str) -> None:  # noqa: ARG002
        """Usage that a further member endorses as well."""
        self.use(actor, deal, meter, quantities)

    def spoil(self, actor: str, deal: str, how: str) -> None:  # noqa: ARG002
        """Spoils the rogues' account. A deleted key loses its policy, so that two are too few to write it again."""
        if deal in self.gone:
            refuse(TOO_FEW)
        self.spoilt.add(deal)
        if how == GONE:
            self.gone.add(deal)

    def attack(self, actor: str, how: str, **against: Any) -> list[Move]:  # noqa: ARG002
        if how == "another outcome":
            # Others endorse it first.
            self.check_status(actor, ACTIVE)
        if ATTACKS[how]:
            refuse(ATTACKS[how])
        return []
