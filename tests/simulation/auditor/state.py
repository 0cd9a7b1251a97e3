"""The auditor's state, and the checks that several of its nouns need."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.auditor.ballots import Ballot, Question
from tests.simulation.auditor.books import Book, Document
from tests.simulation.auditor.companies import ACTIVE, GONE, LEAVING, PRESENT, SEATED, STRANGER, TAKING_PART, Company
from tests.simulation.auditor.rules import HOUR_S, MOST_CHANGES, Move, Rules, refuse


class State:
    def __init__(self, names: Sequence[str], founders: Sequence[str], rules: Rules, now_s: int) -> None:
        self.now_s = now_s
        self.rules = rules
        self.companies = {name: Company() for name in names}
        for name in founders:
            self.companies[name] = Company(ACTIVE, membership=1)
        self.ballots: list[Ballot] = []
        self.questions: dict[tuple[str, ...], Question] = {}
        # The time of the last bundle that was put in, by applicant and sponsor.
        self.applications: dict[tuple[str, str], int] = {}
        self.balances = dict.fromkeys(names, 0)
        self.minted = self.burned = 0
        self.references: set[str] = set()
        # Credits of less than a token, counted as a book's changes, by provider and customer.
        self.small_credits: dict[tuple[str, str], tuple[int, int]] = {}
        self.small_redemptions: dict[str, tuple[int, int]] = {}
        self.redemptions: list[tuple[str, int, str]] = []
        self.books: dict[str, Book] = {}
        self.documents: dict[str, list[Document]] = {name: [] for name in names}
        # The deals to which a provider owes a refund, with the amounts, the oldest first, by provider.
        self.lines: dict[str, list[tuple[str, int]]] = {name: [] for name in names}

    # --- members ------------------------------------------------------------------------------------------------------

    def with_status(self, *statuses: str) -> list[str]:
        return [name for name, company in self.companies.items() if company.status in statuses]

    def takes_part(self, name: str) -> bool:
        return self.companies[name].status in TAKING_PART

    def is_gone(self, name: str) -> bool:
        return self.companies[name].status in GONE

    @property
    def seated(self) -> list[str]:
        return self.with_status(*SEATED)

    @property
    def voting(self) -> list[str]:
        return self.with_status(*TAKING_PART)

    def check_takes_part(self, actor: str) -> None:
        self.check_status(actor, *TAKING_PART)

    def check_status(self, actor: str, *statuses: str) -> None:
        """Refuses a call of a member that has none of these statuses."""
        if self.companies[actor].status not in statuses:
            refuse("Forbidden")

    def known(self, name: str) -> Company:
        """The company, if it is or was a member."""
        if self.companies[name].status == STRANGER:
            refuse("NotFound")
        return self.companies[name]

    def check_gets_tokens(self, name: str) -> None:
        if self.known(name).status not in PRESENT:
            refuse("WrongStatus")

    def check_takes_transfers(self, name: str) -> None:
        self.check_gets_tokens(name)
        if self.companies[name].status == LEAVING:
            refuse("WrongStatus")

    # --- money --------------------------------------------------------------------------------------------------------

    def check_balance(self, name: str, amount: int) -> None:
        if self.free(name) < amount:
            refuse("RefundOwed" if self.owes(name) else "InsufficientFunds")

    def purse(self, name: str) -> int:
        """The tokens that can be taken from the member: its balance, and the deposit of one that is gone."""
        return self.balances[name] + (self.companies[name].deposit if self.is_gone(name) else 0)

    def free(self, name: str) -> int:
        return max(self.purse(name) - self.owes(name), 0)

    def owes(self, name: str) -> int:
        return sum(book.owed for book in self.books.values() if book.provider == name)

    def move(self, source: str, target: str, amount: int) -> Move:
        self.balances[source] -= amount
        self.balances[target] += amount
        return (f"balance/{source}", f"balance/{target}", amount)

    def release(self, name: str) -> list[Move]:
        """Gives a member that is gone its deposit back, which happens when tokens are first taken from it."""
        company = self.companies[name]
        if not self.is_gone(name) or not company.deposit:
            return []
        amount, company.deposit = company.deposit, 0
        self.balances[name] += amount
        return [(f"deposit/{name}", f"balance/{name}", amount)]

    def count_change(self, changes: tuple[int, int], most: int = MOST_CHANGES) -> tuple[int, int]:
        """The time from which changes are counted, and their number with one more; refuses one that is too many."""
        since_s, count = changes
        if count >= most and self.now_s < since_s + HOUR_S:
            refuse("TooOften")
        return (since_s, count + 1) if self.now_s < since_s + HOUR_S else (self.now_s, 1)

    # --- books --------------------------------------------------------------------------------------------------------

    def open(self, deal: str) -> Book:
        if self.books[deal].closed:
            refuse("WrongStatus")
        return self.books[deal]

    def between_parties(self, actor: str, deal: str) -> Book:
        self.check_takes_part(actor)
        check_party(self.books[deal], actor)
        return self.open(deal)

    def document(self, provider: str, number: int) -> Document:
        if number > len(self.documents[provider]):
            refuse("NotFound")
        return self.documents[provider][number - 1]

    def has_obligations(self, name: str) -> bool:
        """Whether the member is a party of an open account, or has a meter that it has not revoked."""
        return any(
            (name in book.parties and not book.closed)
            or (name == book.provider and not all(stream.revoked for stream in book.streams))
            for book in self.books.values()
        )


def check_party(book: Book, actor: str) -> None:
    if actor not in book.parties:
        refuse("Forbidden")


def check_customer(book: Book, actor: str) -> None:
    if actor != book.customer:
        refuse("Forbidden")
