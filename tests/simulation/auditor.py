"""An independent model of the ledger: what each step should do, in plain Python and the words of DESIGN 3 and 5.

It shares nothing with the contracts but the names of refusals. Amounts are micro-tokens, quantities micro-units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from tests.simulation.step import Outcome, Step

ISSUER = "bank"
GUARD_S = 300
MILLION = 10**6
# So often the customer changes an account within an hour.
MOST_CHANGES = 20
MOST_MOVES = 40
HOUR_S = 3600

Move = tuple[str, str, int]


class Refused(Exception):
    """The model's refusal; its text is the error class's name."""


def refuse(error: str) -> NoReturn:
    raise Refused(error)


@dataclass
class Stream:
    """One meter under one agreement. The measure starts again at zero when the price is amended."""

    next_sequence: int = 1
    measure: int = 0
    revoked: bool = False


@dataclass
class Book:
    """One agreement and its account. `tiers`: upper border (0 = none) and unit price."""

    provider: str
    customer: str
    tiers: tuple[tuple[int, int], ...]
    credit: int
    notice_s: int
    streams: list[Stream]
    funded: int = 0
    withdrawn: int = 0
    paid: int = 0
    usage: int = 0
    correction: int = 0
    owed: int = 0
    claimed: tuple[int, int] = (0, 0)
    invoiced: tuple[int, int] = (0, 0)
    sequence: int = 0
    claimed_sequence: int = 0
    # Amount, when it may be taken back, from when on usage cannot draw on it.
    notice: tuple[int, int, int] | None = None
    # Since when the customer's changes are counted, and how many there were.
    changes: tuple[int, int] = (0, 0)
    # The same of the provider's amendments.
    amendments: tuple[int, int] = (0, 0)
    # The same of the corrections that each party proposes or takes back.
    moves: dict[str, tuple[int, int]] = field(default_factory=dict)
    pending: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    ended_s: int | None = None
    closed: bool = False

    @property
    def escrow(self) -> int:
        return self.funded - self.withdrawn - self.paid

    @property
    def due(self) -> int:
        """Nobody gives back more than it was paid."""
        return max(sum(self.claimed), 0) - self.paid

    @property
    def bills(self) -> list[int]:
        return [claimed - invoiced for claimed, invoiced in zip(self.claimed, self.invoiced, strict=True)]

    @property
    def wait_s(self) -> int:
        """Of a notice; who gives it may date it five minutes earlier than it was."""
        return self.notice_s + GUARD_S if self.notice_s else 0

    def covered(self, now_s: int) -> int:
        held = self.notice[0] if self.notice and now_s >= self.notice[2] else 0
        return self.funded - self.withdrawn - held + self.credit

    def price(self, measure: int) -> int:
        """Each tier's units at the tier's price, each tier rounded, a half upwards."""
        amount, lower = 0, 0
        for upper, unit_price in self.tiers:
            units = max((min(measure, upper) if upper else measure) - lower, 0)
            amount += (2 * units * unit_price + MILLION) // (2 * MILLION)
            lower = upper
        return amount


@dataclass
class Document:
    """An invoice, credit note or goodwill."""

    kind: str
    customer: str
    amount: int
    goodwill: int = 0
    disputed: bool = False


@dataclass(frozen=True)
class Known:
    """What the ledger says of an account: what was moved, what is owed back, its provider's debts and documents."""

    funded: int
    withdrawn: int
    paid: int
    owed: int
    closed: bool
    debts: list[tuple[str, int]]
    documents: list[Document]


class Auditor:
    def __init__(self, members: tuple[str, ...], now_s: int) -> None:
        self.now_s = now_s
        self.balances = dict.fromkeys(members, 0)
        self.minted = self.burned = 0
        self.references: set[str] = set()
        # By provider and customer, as a book's changes: credits of less than a token.
        self._small_credits: dict[tuple[str, str], tuple[int, int]] = {}
        self._small_redemptions: dict[str, tuple[int, int]] = {}
        self.redemptions: list[tuple[str, int, str]] = []
        self.books: dict[str, Book] = {}
        self.documents: dict[str, list[Document]] = {member: [] for member in members}
        # By provider: deals that it owes a refund, and how much, the oldest first.
        self.lines: dict[str, list[tuple[str, int]]] = {member: [] for member in members}

    def apply(self, step: Step) -> Outcome:
        """What the step does, or why it is refused; only a step that is not refused changes the model."""
        try:
            return Outcome(moved=tuple(getattr(self, step.verb)(step.actor, **step.arguments) or ()))
        except Refused as refusal:
            return Outcome(refusal=str(refusal))

    def learn(self, step: Step, outcome: Outcome, known: Callable[[str], Known]) -> None:
        """What cannot be told before: nothing, where all members are honest."""

    def circulating(self) -> int:
        held = sum(amount for _, amount, status in self.redemptions if status == "held")
        return sum(self.balances.values()) + sum(book.escrow for book in self.books.values()) + held

    # --- token --------------------------------------------------------------------------------------------------------

    def mint(self, actor: str, to: str, amount: int, reference: str) -> list[Move]:
        if actor != ISSUER:
            refuse("Forbidden")
        _check_amount(amount)
        if amount < MILLION:
            refuse("AmountOutOfRange")
        if reference in self.references:
            refuse("AlreadyExists")
        self.references.add(reference)
        self.minted += amount
        self.balances[to] += amount
        return [("issued", f"balance/{to}", amount)]

    def transfer(self, actor: str, to: str, amount: int) -> list[Move]:
        _check_amount(amount)
        if amount < MILLION:
            refuse("AmountOutOfRange")
        if actor == to:
            refuse("MalformedRequest")
        self._check_balance(actor, amount)
        return [self._move(actor, to, amount)]

    def redeem(self, actor: str, amount: int) -> list[Move]:
        _check_amount(amount)
        self._check_balance(actor, amount)
        _check_worth(amount, self._free(actor))
        if amount < MILLION:
            self._small_redemptions[actor] = self._once_more(self._small_redemptions.get(actor, (0, 0)))
        self.balances[actor] -= amount
        self.redemptions.append((actor, amount, "held"))
        return [(f"balance/{actor}", f"hold/{len(self.redemptions)}", amount)]

    def confirm(self, actor: str, number: int) -> list[Move]:
        owner, amount = self._held(actor, number)
        self.redemptions[number - 1] = (owner, amount, "confirmed")
        self.burned += amount
        return [(f"hold/{number}", "issued", amount)]

    def reject(self, actor: str, number: int, of: str) -> list[Move]:
        owner, amount = self._held(actor, number)
        if of != owner:
            refuse("MalformedRequest")
        self.redemptions[number - 1] = (owner, amount, "rejected")
        self.balances[owner] += amount
        return [(f"hold/{number}", f"balance/{owner}", amount)]

    # --- agreements and meters ----------------------------------------------------------------------------------------

    def found_deal(self, actor: str, deal: str, customer: str, meters: int, **terms: object) -> None:
        tiers, credit, notice_s = terms["tiers"], terms["credit"], terms["notice_s"]
        self.books[deal] = Book(actor, customer, tiers, credit, notice_s, [Stream() for _ in range(meters)])  # type: ignore[arg-type]

    def amend(self, actor: str, deal: str, tiers: tuple[tuple[int, int], ...], credit: int) -> None:  # noqa: ARG002
        book = self.books[deal]
        book.amendments = self._once_more(book.amendments)
        if tiers != book.tiers:
            for stream in book.streams:
                stream.measure = 0
        book.tiers, book.credit = tiers, credit

    def terminate(self, actor: str, deal: str) -> None:
        book = self.books[deal]
        _check_party(book, actor)
        if book.ended_s is not None:
            refuse("WrongStatus")
        # What the customer may have dated back counts against it.
        book.ended_s = self.now_s + (300 if actor == book.customer else 0)

    def rotate(self, actor: str, deal: str, meter: int) -> None:
        self._own_meter(actor, deal, meter)

    def revoke(self, actor: str, deal: str, meter: int) -> None:
        self._own_meter(actor, deal, meter).revoked = True

    # --- the account --------------------------------------------------------------------------------------------------

    def fund(self, actor: str, deal: str, amount: int) -> list[Move]:
        book = self._open(deal)
        _check_customer(book, actor)
        _check_amount(amount)
        self._check_balance(actor, amount)
        self._change(book)
        book.funded += amount
        self.balances[actor] -= amount
        return [(f"balance/{actor}", f"escrow/{deal}", amount)]

    def give_notice(self, actor: str, deal: str, amount: int) -> None:
        book = self._open(deal)
        _check_customer(book, actor)
        if amount > book.escrow:
            refuse("InsufficientFunds")
        self._change(book)
        book.notice = (amount, self.now_s + book.wait_s, self.now_s + GUARD_S) if amount else None

    def withdraw(self, actor: str, deal: str) -> list[Move]:
        book = self._open(deal)
        _check_customer(book, actor)
        if book.notice is None or self.now_s < book.notice[1]:
            refuse("NoticePeriod")
        self._once_more(book.changes)
        amount = min(book.notice[0], book.escrow - max(book.usage + book.correction - book.paid, 0))
        if amount <= 0:
            refuse("InsufficientFunds")
        self._change(book)
        book.notice = None
        book.withdrawn += amount
        self.balances[actor] += amount
        return [(f"escrow/{deal}", f"balance/{actor}", amount)]

    def settle(self, actor: str, deal: str) -> list[Move]:
        book = self.books[deal]
        _check_ends(book, actor)
        if book.closed and not book.owed:
            refuse("WrongStatus")
        if not any(book.bills) and self._payable(deal, book) == 0:
            refuse("WrongStatus")
        back = -self._payable(deal, book)
        if not any(book.bills) and actor == book.provider and 0 < back < min(MILLION, -book.due):
            refuse("AmountOutOfRange")
        moves = self._bill_and_pay(deal, book)
        return moves + (self._return_rest(deal, book) if book.closed else [])

    def close(self, actor: str, deal: str) -> list[Move]:
        book = self._open(deal)
        _check_ends(book, actor)
        if book.ended_s is None:
            refuse("WrongStatus")
        if actor == book.customer and self.now_s < book.ended_s + book.wait_s:
            refuse("NoticePeriod")
        if book.invoiced != book.claimed:
            refuse("WrongStatus")
        if actor == book.customer and book.usage + book.correction > book.paid + book.escrow:
            refuse("InsufficientFunds")
        book.claimed, book.claimed_sequence = (book.usage, book.correction), book.sequence
        moves = self._bill_and_pay(deal, book)
        book.closed, book.notice = True, None
        return moves + self._return_rest(deal, book)

    def claim_alone(self, actor: str, deal: str) -> None:
        """What the last head comes to, without the other party."""
        book = self._open(deal)
        _check_party(book, actor)
        if book.claimed_sequence == book.sequence or book.invoiced != book.claimed:
            refuse("WrongStatus")
        book.claimed, book.claimed_sequence = (book.usage, book.correction), book.sequence

    def _payable(self, deal: str, book: Book) -> int:
        if book.due >= 0:
            return min(book.due, book.escrow)
        return -self._refunds(deal, book)[0]

    def _refunds(self, deal: str, book: Book) -> tuple[int, list[tuple[str, int]]]:
        """What the deal gets back now, and who is owed what afterwards: who was noted first is served first."""
        line, owed = list(self.lines[book.provider]), max(-book.due, 0)
        known = sum(amount for name, amount in line if name == deal)
        line.append((deal, max(owed - known, 0)))
        spare, left, got, after = max(known - owed, 0), self.balances[book.provider], 0, []
        for name, amount in reversed(line):
            less = min(spare, amount) if name == deal else 0
            spare -= less
            after.append((name, amount - less))
        line, after = after[::-1], []
        for name, amount in line:
            share = min(amount, left)
            left -= share
            got += share if name == deal else 0
            after.append((name, amount - share if name == deal else amount))
        return got, [one for one in after if one[1]]

    def _bill_and_pay(self, deal: str, book: Book) -> list[Move]:
        for bill in (bill for bill in book.bills if bill):
            kind = "invoice" if bill > 0 else "credit note"
            self.documents[book.provider].append(Document(kind, book.customer, abs(bill)))
        payment = self._payable(deal, book)
        _, self.lines[book.provider] = self._refunds(deal, book)
        book.invoiced = book.claimed
        book.paid += payment
        book.owed = max(-book.due, 0)
        self.balances[book.provider] += payment
        return [(f"escrow/{deal}", f"balance/{book.provider}", payment)] if payment else []

    def _return_rest(self, deal: str, book: Book) -> list[Move]:
        rest = book.escrow
        book.withdrawn += rest
        self.balances[book.customer] += rest
        return [(f"escrow/{deal}", f"balance/{book.customer}", rest)] if rest else []

    # --- usage --------------------------------------------------------------------------------------------------------

    def use(self, actor: str, deal: str, meter: int, quantities: tuple[int, ...]) -> None:
        book = self._between_parties(actor, deal)
        stream = book.streams[meter]
        if stream.revoked:
            refuse("MeterRevoked")
        if book.ended_s is not None and self.now_s > book.ended_s:
            refuse("ReadingTooLate")
        measure = stream.measure + sum(quantities)
        amount = book.price(measure) - book.price(stream.measure)
        self._check_covered(book, amount)
        stream.measure, stream.next_sequence = measure, stream.next_sequence + len(quantities)
        book.usage += amount
        book.sequence += 1

    def cheat(self, actor: str, deal: str, meter: int, how: str) -> None:
        """A batch that must not be charged, whoever sends it; see `Player.cheat` for what each does."""
        book = self._between_parties(actor, deal)
        if how in ("HeadMismatch", "TermsMismatch", "WrongAgreement"):
            refuse(how)
        refuse("MeterRevoked" if book.streams[meter].revoked else how)

    def correct(self, actor: str, deal: str, name: str, meter: int, quantity: int) -> None:
        book = self._between_parties(actor, deal)
        if name in book.pending:
            refuse("AlreadyExists")
        self._move_on(book, actor)
        book.pending[name] = (actor, meter, quantity)
        book.sequence += 1

    def agree(self, actor: str, deal: str, name: str) -> None:
        book = self._between_parties(actor, deal)
        if name not in book.pending:
            refuse("NotFound")
        proposer, meter, quantity = book.pending[name]
        if proposer == actor:
            refuse("Forbidden")
        stream = book.streams[meter]
        if stream.measure + quantity < 0:
            refuse("QuantityOutOfRange")
        amount = book.price(stream.measure + quantity) - book.price(stream.measure)
        self._check_covered(book, amount)
        stream.measure += quantity
        book.correction += amount
        del book.pending[name]
        book.sequence += 1

    def decline(self, actor: str, deal: str, name: str) -> None:
        book = self._between_parties(actor, deal)
        if name not in book.pending:
            refuse("NotFound")
        if book.pending[name][0] == actor:
            self._move_on(book, actor)
        del book.pending[name]
        book.sequence += 1

    def claim(self, actor: str, deal: str) -> None:
        book = self._between_parties(actor, deal)
        if book.claimed_sequence == book.sequence or book.invoiced != book.claimed:
            refuse("WrongStatus")
        book.claimed = (book.usage, book.correction)
        book.sequence += 1
        book.claimed_sequence = book.sequence

    # --- invoices -----------------------------------------------------------------------------------------------------

    def credit(self, actor: str, number: int, customer: str, amount: int) -> list[Move]:
        document = self._document(actor, number)
        _check_amount(amount)
        self._check_balance(actor, amount)
        if document.kind != "invoice":
            refuse("WrongStatus")
        if customer != document.customer:
            refuse("MalformedRequest")
        if amount > document.amount - document.goodwill:
            refuse("AmountOutOfRange")
        if amount < MILLION:
            self._small_credits[actor, customer] = self._once_more(self._small_credits.get((actor, customer), (0, 0)))
        document.goodwill += amount
        self.documents[actor].append(Document("goodwill", customer, amount))
        return [self._move(actor, customer, amount)]

    def dispute(self, actor: str, provider: str, number: int) -> None:
        document = self._document(provider, number)
        if actor != document.customer:
            refuse("Forbidden")
        if document.disputed:
            refuse("WrongStatus")
        document.disputed = True

    def wait(self, actor: str, seconds: int) -> None:  # noqa: ARG002
        self.now_s += seconds

    # --- details ------------------------------------------------------------------------------------------------------

    def _check_covered(self, book: Book, amount: int) -> None:
        if amount > 0 and book.usage + book.correction + amount > book.covered(self.now_s):
            refuse("InsufficientFunds")

    def _once_more(self, changes: tuple[int, int], most: int = MOST_CHANGES) -> tuple[int, int]:
        """Since when changes are counted, and how many there are with one more; refused where they come too often."""
        since_s, count = changes
        if count >= most and self.now_s < since_s + HOUR_S:
            refuse("TooOften")
        return (since_s, count + 1) if self.now_s < since_s + HOUR_S else (self.now_s, 1)

    def _change(self, book: Book) -> None:
        """By the customer, alone."""
        book.changes = self._once_more(book.changes)

    def _move_on(self, book: Book, party: str) -> None:
        """The account, by one party alone."""
        book.moves[party] = self._once_more(book.moves.get(party, (0, 0)), MOST_MOVES)

    def _check_balance(self, member: str, amount: int) -> None:
        if self._free(member) < amount:
            refuse("RefundOwed" if self._owes(member) else "InsufficientFunds")

    def _free(self, member: str) -> int:
        return max(self.balances[member] - self._owes(member), 0)

    def _owes(self, member: str) -> int:
        return sum(book.owed for book in self.books.values() if book.provider == member)

    def _move(self, source: str, target: str, amount: int) -> Move:
        self.balances[source] -= amount
        self.balances[target] += amount
        return (f"balance/{source}", f"balance/{target}", amount)

    def _held(self, actor: str, number: int) -> tuple[str, int]:
        if number > len(self.redemptions):
            refuse("NotFound")
        owner, amount, status = self.redemptions[number - 1]
        if actor != ISSUER:
            refuse("Forbidden")
        if status != "held":
            refuse("WrongStatus")
        return owner, amount

    def _open(self, deal: str) -> Book:
        if self.books[deal].closed:
            refuse("WrongStatus")
        return self.books[deal]

    def _between_parties(self, actor: str, deal: str) -> Book:
        _check_party(self.books[deal], actor)
        return self._open(deal)

    def _own_meter(self, actor: str, deal: str, meter: int) -> Stream:
        stream = self.books[deal].streams[meter]
        if actor != self.books[deal].provider:
            refuse("Forbidden")
        if stream.revoked:
            refuse("WrongStatus")
        return stream

    def _document(self, provider: str, number: int) -> Document:
        if number > len(self.documents[provider]):
            refuse("NotFound")
        return self.documents[provider][number - 1]


def _check_amount(amount: int) -> None:
    if amount <= 0:
        refuse("AmountOutOfRange")


def _check_worth(amount: int, whole: int) -> None:
    """A token at least, or all that there is."""
    if amount < min(MILLION, whole):
        refuse("AmountOutOfRange")


def _check_party(book: Book, actor: str) -> None:
    if actor not in (book.provider, book.customer):
        refuse("Forbidden")


def _check_ends(book: Book, actor: str) -> None:
    """The issuer does it where a party is gone, and here nobody is."""
    if actor == ISSUER and actor not in (book.provider, book.customer):
        refuse("WrongStatus")
    _check_party(book, actor)


def _check_customer(book: Book, actor: str) -> None:
    if actor != book.customer:
        refuse("Forbidden")
