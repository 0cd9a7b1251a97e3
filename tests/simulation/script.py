"""The random script: mostly steps that members may take, now and then others. The same seed gives the same script."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.auditor import ACTIVE, ISSUER, MILLION, Auditor, Book
from tests.simulation.member_script import MemberScript
from tests.simulation.step import Step

MEMBERS = ("maker", "factory", "bank", "forge")
# Where all members are honest, the last one has to apply first.
FOUNDERS = MEMBERS[:-1]
MAX_DEALS = 10
CHEATS = (
    "Replay",
    "Overlap",
    "Gap",
    "BrokenChain",
    "WrongSignature",
    "WrongAgreement",
    "HeadMismatch",
    "TermsMismatch",
)


class Script:
    """A script that asks the auditor for the state, so that most of its steps make sense."""

    def __init__(self, seed: int, auditor: Auditor, hostile: str = "") -> None:
        self._random = Random(seed)  # noqa: S311
        self._auditor = auditor
        self._members = MemberScript(self._random, auditor, hostile)
        self._serial = 0
        self._verbs: dict[str, tuple[int, Callable[[], Step]]] = {
            "mint": (4, self._mint),
            "transfer": (3, self._transfer),
            "redeem": (3, self._redeem),
            "decide": (3, self._decide),
            "found_deal": (3, self._found_deal),
            "amend": (4, self._amend),
            "fund": (8, self._fund),
            "use": (30, self._use),
            "cheat": (8, self._cheat),
            "correct": (5, self._correct),
            "answer": (6, self._answer),
            "claim": (6, self._on_deal("claim")),
            "claim_alone": (4, self._on_deal("claim_alone")),
            "settle": (6, self._on_deal("settle")),
            "notice": (4, self._notice),
            "withdraw": (5, self._withdraw),
            "credit": (2, self._credit),
            "dispute": (2, self._dispute),
            "meter": (1, self._meter),
            "terminate": (1, self._on_deal("terminate")),
            "close": (2, self._on_deal("close")),
            "wait": (6, self._wait),
            "members": (22, self._come_and_go),
        }

    def next(self) -> Step:
        """The next step, which must be applied before the one after it is made."""
        if not self._auditor.books:
            return self._found_deal() if self._auditor.minted else self._mint()
        if self._members.are_waiting() and self._random.random() < 0.2:
            return self._come_and_go()
        weights = [weight for weight, _ in self._verbs.values()]
        [(_, make)] = self._random.choices(list(self._verbs.values()), weights)
        return make()

    def _come_and_go(self) -> Step:
        return self._members.next()

    # --- token --------------------------------------------------------------------------------------------------------

    def _mint(self) -> Step:
        actor = ISSUER if self._mostly() else self._member()
        repeated = sorted(self._auditor.references)
        reference = self._name("camt") if self._mostly() or not repeated else self._random.choice(repeated)
        return Step(
            "mint", actor, {"to": self._member(), "amount": self._amount(900 * MILLION), "reference": reference}
        )

    def _transfer(self) -> Step:
        actor = self._member()
        return Step("transfer", actor, {"to": self._member(), "amount": self._part(self._auditor.balances[actor])})

    def _redeem(self) -> Step:
        actor = self._member()
        return Step("redeem", actor, {"amount": self._part(self._auditor.balances[actor] // 4)})

    def _decide(self) -> Step:
        redemptions = self._auditor.redemptions
        held = [number for number, (_, _, status) in enumerate(redemptions, 1) if status == "held"]
        number = self._random.choice(held) if held and self._mostly() else self._random.randint(1, len(redemptions) + 1)
        actor = ISSUER if self._mostly() else self._member()
        if self._random.random() < 0.5:
            return Step("confirm", actor, {"number": number})
        owner = redemptions[number - 1][0] if number <= len(redemptions) and self._mostly() else self._member()
        return Step("reject", actor, {"number": number, "of": owner})

    # --- agreements ---------------------------------------------------------------------------------------------------

    def _found_deal(self) -> Step:
        books = self._auditor.books
        if len(books) >= MAX_DEALS:
            return self._use()
        active = self._auditor.with_status(ACTIVE)
        provider = self._random.choice(active) if active and self._mostly() else self._member()
        customers = [name for name in active if name != provider]
        if not customers:
            return self._wait()
        customer = self._random.choice(customers)
        arguments = {
            "deal": f"S{len(books) + 1}",
            "customer": customer,
            "meters": self._random.randint(1, 2),
            "tiers": self._tiers(),
            "credit": self._random.choice([0, 0, 7 * MILLION, 40 * MILLION]),
            "notice_s": self._random.choice([0, 3600]),
            "open_book": self._random.random() < 0.3,
        }
        return Step("found_deal", provider, arguments)

    def _amend(self) -> Step:
        books = self._auditor.books.items()
        alive = [name for name, book in books if book.ended_s is None and self._auditor.takes_part(book.customer)]
        if not alive:
            return self._wait()
        name = self._random.choice(alive)
        book = self._auditor.books[name]
        tiers = self._tiers() if self._random.random() < 0.4 else book.tiers
        return Step(
            "amend", book.provider, {"deal": name, "tiers": tiers, "credit": self._random.choice([0, 30 * MILLION])}
        )

    def _meter(self) -> Step:
        name, book = self._deal()
        actor = book.provider if self._mostly() else self._member()
        verb = "rotate" if self._random.random() < 0.8 else "revoke"
        return Step(verb, actor, {"deal": name, "meter": self._random.randrange(len(book.streams))})

    # --- the account --------------------------------------------------------------------------------------------------

    def _fund(self) -> Step:
        name, book = self._deal()
        actor = book.customer if self._mostly() else self._member()
        return Step("fund", actor, {"deal": name, "amount": self._part(self._auditor.balances[actor] // 3)})

    def _notice(self) -> Step:
        name, book = self._deal()
        actor = book.customer if self._mostly() else self._member()
        amounts = [0, max(self._part(book.escrow), 0), book.escrow + 1]
        [amount] = self._random.choices(amounts, [1, 8, 1])
        return Step("give_notice", actor, {"deal": name, "amount": amount})

    def _withdraw(self) -> Step:
        name, book = self._deal(lambda book: book.notice is not None)
        return Step("withdraw", book.customer if self._mostly() else self._member(), {"deal": name})

    def _on_deal(self, verb: str) -> Callable[[], Step]:
        def make() -> Step:
            name, book = self._deal(lambda book: book.ended_s is not None) if verb == "close" else self._deal()
            leaves = {"leaves": True} if verb == "close" and self._random.random() < 0.3 else {}
            return Step(verb, self._party(book), {"deal": name, **leaves})

        return make

    # --- usage --------------------------------------------------------------------------------------------------------

    def _use(self) -> Step:
        name, book = self._deal(
            lambda book: (
                book.ended_s is None
                and book.usage + book.correction < book.covered(self._auditor.now_s)
                and all(self._auditor.takes_part(name) for name in book.parties)
            )
        )
        most = self._random.choice([3, 3, 3, 40]) * MILLION
        quantities = tuple(self._random.randint(0, most) for _ in range(self._random.randint(1, 4)))
        meter = self._random.randrange(len(book.streams))
        return Step("use", self._party(book), {"deal": name, "meter": meter, "quantities": quantities})

    def _cheat(self) -> Step:
        """A cheat about an account that has charged readings."""
        moved = [name for name, book in self._auditor.books.items() if book.streams[0].next_sequence > 1]
        if not moved:
            return self._use()
        name = self._random.choice(moved)
        how = self._random.choice(CHEATS)
        return Step("cheat", self._party(self._auditor.books[name]), {"deal": name, "meter": 0, "how": how})

    def _correct(self) -> Step:
        name, book = self._deal()
        meter = self._random.randrange(len(book.streams))
        most = max(book.streams[meter].measure, MILLION)
        quantity = self._random.randint(-most - most // 8, most // 2) or 1
        known = sorted(book.pending)
        correction = self._name("c") if self._mostly() or not known else known[0]
        arguments = {"deal": name, "name": correction, "meter": meter, "quantity": quantity}
        return Step("correct", self._party(book), arguments)

    def _answer(self) -> Step:
        name, book = self._deal(lambda book: bool(book.pending))
        correction = self._random.choice(sorted(book.pending)) if book.pending else "none"
        verb = "agree" if self._random.random() < 0.75 else "decline"
        return Step(verb, self._party(book), {"deal": name, "name": correction})

    # --- invoices and time --------------------------------------------------------------------------------------------

    def _credit(self) -> Step:
        provider, number, customer, amount = self._document()
        arguments = {"number": number, "customer": customer if self._mostly() else self._member()}
        return Step("credit", provider, {**arguments, "amount": self._part(amount // 3)})

    def _dispute(self) -> Step:
        provider, number, customer, _ = self._document()
        actor = customer if self._mostly() else self._member()
        return Step("dispute", actor, {"provider": provider, "number": number})

    def _wait(self) -> Step:
        return Step("wait", "time", {"seconds": self._random.choice([1, 60, 1800, 3600])})

    # --- choices ------------------------------------------------------------------------------------------------------

    def _mostly(self) -> bool:
        return self._random.random() < 0.85

    def _member(self) -> str:
        return self._random.choice(MEMBERS)

    def _party(self, book: Book) -> str:
        return self._random.choice((book.provider, book.customer)) if self._mostly() else self._member()

    def _deal(self, wanted: Callable[[Book], bool] | None = None) -> tuple[str, Book]:
        """A random deal, mostly one that is wanted if there is any."""
        books = list(self._auditor.books.items())
        fitting = [(name, book) for name, book in books if not book.closed and (wanted is None or wanted(book))]
        return self._random.choice(fitting if fitting and self._random.random() < 0.93 else books)

    def _document(self) -> tuple[str, int, str, int]:
        provider = self._member()
        documents = self._auditor.documents[provider]
        number = self._random.randint(1, len(documents) + 1)
        if number > len(documents):
            return provider, number, self._member(), MILLION
        return provider, number, documents[number - 1].customer, documents[number - 1].amount

    def _tiers(self) -> tuple[tuple[int, int], ...]:
        """Tiers with odd prices, so that rounding matters."""
        price = self._random.randint(200_001, 1_900_001)
        if self._random.random() < 0.5:
            return ((0, price),)
        return ((self._random.randint(1, 20 * MILLION), price), (0, price * 3 // 4))

    def _amount(self, most: int) -> int:
        return self._random.randint(1, most)

    def _part(self, whole: int) -> Any:
        """A random part of the whole; seldom nothing, less than nothing, or far too much."""
        if self._mostly():
            return self._random.randint(1, max(whole, 1))
        return self._random.choice([0, -1, 5 * whole + MILLION])

    def _name(self, kind: str) -> str:
        self._serial += 1
        return f"{kind}-{self._serial}"
