"""The random script where a member is hostile: from a step on it has that member's attacks, too."""

from __future__ import annotations

from tests.attacks.nonsense import NONSENSE
from tests.simulation.auditor import MILLION
from tests.simulation.hostile import Hostile
from tests.simulation.hostile_auditor import ATTACKS, CLAIMED, GONE, HostileAuditor
from tests.simulation.script import Script
from tests.simulation.step import Step

# The account of the hostile member and its accomplice.
THEIRS = "theirs"
SPOILS = ("no message", "nothing", GONE, "another account's", *CLAIMED)
# Steps that anybody may try with an account whose commitment is junk.
PROBES = ("settle", "close", "claim_alone", "withdraw", "terminate")


class HostileScript(Script):
    def __init__(self, seed: int, auditor: HostileAuditor, hostile: Hostile) -> None:
        super().__init__(seed, auditor, hostile.member)
        self._model = auditor
        self._hostile = hostile
        self._number = 0
        self._next: list[Step] = []

    def next(self) -> Step:
        self._number += 1
        if self._number == self._hostile.from_step:
            self._next = self._beginning()
        if self._next:
            return self._next.pop(0)
        if self._model.hostile and self._random.random() < 0.25:
            return self._hostile_step()
        step = super().next()
        if step.verb == "found_deal":
            return self._found_or_tried(step)
        is_theirs = step.arguments.get("deal") in self._model.spoilt
        return self._attack() if is_theirs and step.verb not in (*PROBES, "fund", "give_notice") else step

    def _beginning(self) -> list[Step]:
        """The first steps of the pair: an account like any other, before the member becomes hostile."""
        pair = [self._hostile.member, self._hostile.accomplice]
        self._random.shuffle(pair)
        terms = {"tiers": ((0, MILLION),), "credit": 7 * MILLION, "notice_s": 0}
        opened = {"deal": THEIRS, "customer": pair[1], "meters": 1, "open_book": self._random.random() < 0.3, **terms}
        steps = [Step("found_deal", pair[0], opened)]
        funds = self._model.balances[pair[1]] // 4
        owes = any(book.owed for book in self._model.books.values() if book.provider == pair[1])
        if funds >= MILLION and not owes:
            steps.append(Step("fund", pair[1], {"deal": THEIRS, "amount": funds}))
        if self._random.random() < 0.7:
            steps.append(Step("use", pair[0], {"deal": THEIRS, "meter": 0, "quantities": (MILLION,)}))
        return [*steps, self._turn()]

    def _come_and_go(self) -> Step:
        """A step of members' coming and going, which begin only after the pair has its account."""
        return super()._come_and_go() if self._model.hostile else self._use()

    # --- the hostile member's steps -----------------------------------------------------------------------------------

    def _hostile_step(self) -> Step:
        makers = {self._attack: 8, self._turn: 3, self._spoil: 2, self._probe: 3, self._use_watched: 2}
        [make] = self._random.choices(list(makers), list(makers.values()))
        return make()

    def _turn(self) -> Step:
        """A change of the peer's behaviour, now and then to that of the others'."""
        temper = self._random.choice((*self._hostile.tempers, *self._hostile.tempers, ""))
        return Step("turn", self._hostile.member, {"temper": temper})

    def _attack(self) -> Step:
        how = self._random.choice(list(ATTACKS))
        pair = {self._hostile.member, self._hostile.accomplice}
        others = [name for name, book in self._model.books.items() if {*book.parties} != pair]
        if not others:
            how = "nonsense"
        against = {"deal": self._random.choice(others)} if others else {}
        number = self._random.randrange(len(NONSENSE))
        accomplice = self._hostile.accomplice
        return Step("attack", self._hostile.member, {"how": how, **against, "number": number, "accomplice": accomplice})

    def _spoil(self) -> Step:
        return Step("spoil", self._hostile.member, {"deal": THEIRS, "how": self._random.choice(SPOILS)})

    def _probe(self) -> Step:
        if THEIRS not in self._model.spoilt:
            return self._spoil()
        return Step(self._random.choice(PROBES), self._party(self._model.books[THEIRS]), {"deal": THEIRS})

    def _use_watched(self) -> Step:
        """Usage of the member's own account, which an accomplice endorses, too."""
        member, accomplice = self._hostile.member, self._hostile.accomplice
        parties = {name: {*book.parties} for name, book in self._model.books.items()}
        own = [name for name, two in parties.items() if member in two and accomplice not in two]
        if self._model.temper or not own:
            return self._attack()
        use = {"deal": self._random.choice(own), "meter": 0, "quantities": (MILLION,)}
        return Step("use_watched", self._hostile.member, {**use, "watcher": self._hostile.accomplice})

    # --- details ------------------------------------------------------------------------------------------------------

    def _found_or_tried(self, step: Step) -> Step:
        """The step, or a mere proposal where the hostile member would have to endorse and does not."""
        parties = (step.actor, step.arguments["customer"])
        tried = Step("propose", step.actor, {"deal": self._name("tried"), "parties": parties})
        return tried if not step.arguments["open_book"] and self._model.is_withheld(tried) else step
